import json
from datetime import timedelta

import pytest
import responses

from sync import alerts
from sync.cycle import Outcome
from sync.store.database import transaction
from sync.store.scores import save_standings

HOOK = "https://hooks.example/services/T1/secret"


@pytest.fixture
def hooked(tmp_path, helpers, platform, monkeypatch):
    monkeypatch.setenv("FORETAG_ALERTS_WEBHOOK", HOOK)
    rule = {"moved_from": "Champions", "moved_to": "Cooling", "min_people": 2, "min_value": 100}
    site = helpers.site(tmp_path, platform, alerts={"webhook": True, "rules": [rule]})
    yield site
    site.db.close()


def stand(site, when, *standings) -> None:
    with transaction(site.db):
        save_standings(site.db, when, standings)


def sent(hook) -> list[str]:
    return [json.loads(call.request.body)["text"] for call in hook.calls]


def run(site, *objections: str) -> Outcome:
    return Outcome(7, site.clock.now(), objections=list(objections))


@responses.activate
def test_an_alert_is_sent_once_and_once_more_when_it_is_over(hooked, helpers) -> None:
    responses.post(HOOK, json={})
    stand(hooked, helpers.now, helpers.standing(1))
    alerts.after_run(hooked, run(hooked))
    assert sent(responses) == []
    alerts.after_run(hooked, run(hooked, "63 % of 900 people would change segment."))
    alerts.after_run(hooked, run(hooked, "63 % of 900 people would change segment."))
    (text,) = sent(responses)
    assert text.startswith("foretag: Run 7 ended REFUSED: 63 % of 900 people would change segment.")
    alerts.after_run(hooked, run(hooked))
    assert len(sent(responses)) == 2
    assert sent(responses)[1].startswith("foretag: Over: Run 7 ended REFUSED")


@responses.activate
def test_a_movement_is_told_from_its_limits_on(hooked, helpers) -> None:
    responses.post(HOOK, json={})
    day = timedelta(days=1)
    stand(hooked, helpers.now - day, *(helpers.standing(n, "Champions", expected_value=60.0) for n in (1, 2, 3)))
    stand(hooked, helpers.now, helpers.standing(1, "Cooling"), helpers.standing(2, "Champions"))
    alerts.after_run(hooked, run(hooked))
    assert sent(responses) == []
    stand(hooked, helpers.now, helpers.standing(1, "Cooling"), helpers.standing(2, "Cooling"))
    alerts.after_run(hooked, run(hooked))
    assert sent(responses) == [
        "foretag: 2 people moved from Champions to Cooling, 120 USD expected from them. More: foretag report"
    ]


@responses.activate
def test_old_scores_are_noticed_between_runs(hooked, helpers) -> None:
    responses.post(HOOK, json={})
    stand(hooked, helpers.now - timedelta(hours=35), helpers.standing(1))
    alerts.watch(hooked)
    assert sent(responses) == []
    with transaction(hooked.db):
        hooked.db.execute("DELETE FROM standing")
    stand(hooked, helpers.now - timedelta(hours=37), helpers.standing(1))
    alerts.watch(hooked)
    alerts.watch(hooked)
    assert len(sent(responses)) == 1


@responses.activate
@pytest.mark.parametrize("answer", [{"status": 500}, {"status": 404}])
def test_a_failing_alert_stops_nothing(hooked, helpers, answer, monkeypatch, caplog) -> None:
    monkeypatch.setattr(type(hooked.clock), "sleep", lambda self, seconds: None)
    responses.post(HOOK, **answer)
    alerts.after_run(hooked, run(hooked, "something"))
    assert "could not be sent" in caplog.text
    assert "secret" not in caplog.text


def test_an_address_without_encryption_is_not_used(hooked, monkeypatch, caplog) -> None:
    monkeypatch.setenv("FORETAG_ALERTS_WEBHOOK", "http://hooks.example/x")
    alerts.after_run(hooked, run(hooked, "something"))
    assert "not an https address" in caplog.text


def test_without_a_webhook_it_is_only_logged(site, caplog) -> None:
    alerts.after_run(site, run(site, "something"))
    assert "alert: Run 7 ended REFUSED: something" in caplog.text
