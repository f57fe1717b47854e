import json
from collections import Counter, namedtuple
from datetime import timedelta

import pytest
import requests
import responses

from connectors.errors import NotAuthorised
from sync import alerts, conditions
from sync.apply import Applied
from sync.outcome import Outcome
from sync.pull import Pulled
from sync.store.database import transaction
from sync.store.scores import save_standings

HOOK = "https://hooks.example/services/T1/secret"
SWITCH = "https://switch.example/ping/secret"


@pytest.fixture
def hooked(tmp_path, helpers, platform, monkeypatch):
    monkeypatch.setenv("FORETAG_ALERTS_TEAM", HOOK.replace("https", "jsons"))
    monkeypatch.setenv("FORETAG_ALERTS_PING", SWITCH)
    rule = {"moved_from": "Champions", "moved_to": "Cooling", "min_people": 2, "min_value": 100}
    site = helpers.site(tmp_path, platform, alerts={"to": ["team"], "rules": [rule]})
    yield site
    site.db.close()


def stand(site, when, *standings) -> None:
    with transaction(site.db):
        save_standings(site.db, when, standings)


def sent(hook) -> list[str]:
    return [json.loads(call.request.body)["message"] for call in hook.calls if call.response.ok]


def run(site, *objections: str) -> Outcome:
    return Outcome(7, site.clock.now(), objections=list(objections))


@responses.activate
def test_an_alert_is_sent_once_and_once_more_when_it_is_over(hooked, helpers) -> None:
    responses.post(HOOK, json={})
    stand(hooked, helpers.now, helpers.standing(1))
    alerts.after_run(hooked, run(hooked))
    assert sent(responses) == []
    alerts.after_run(hooked, run(hooked, "63 % of 900 people would change segment."))
    alerts.after_run(hooked, run(hooked, "64 % of 900 people would change segment."))
    (text,) = sent(responses)
    assert text.startswith("Run 7 was REFUSED by the guard: 63 % of 900 people would change segment.")
    assert list(alerts.going_on(hooked.db)) == ["guard"]
    alerts.after_run(hooked, run(hooked))
    assert len(sent(responses)) == 2
    assert sent(responses)[1].startswith("Over (since 2017-09-30T14:00+02:00): Run 7 was REFUSED")
    heads = [json.loads(call.request.body) for call in responses.calls]
    assert [(each["title"], each["type"]) for each in heads] == [
        ("foretag: please look", "warning"),
        ("foretag: over again", "success"),
    ]
    assert alerts.going_on(hooked.db) == {}


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
        "2 people moved from Champions to Cooling, 120 USD expected from them. More: foretag report"
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
def test_a_disk_that_gets_full_is_told_and_that_it_has_room_again(hooked, monkeypatch) -> None:
    responses.post(HOOK, json={})
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(conditions.shutil, "disk_usage", lambda folder: usage(2_000_000))
    alerts.watch(hooked)
    monkeypatch.setattr(conditions.shutil, "disk_usage", lambda folder: usage(10**12))
    alerts.watch(hooked)
    began, over = sent(responses)
    assert "0.0 GB are free" in began
    assert over.startswith("Over")


@responses.activate
def test_each_kind_of_problem_says_what_it_does_and_what_to_do(hooked) -> None:
    responses.post(HOOK, json={})
    refused = Pulled("hubspot", "contacts", problem="HTTP 401", cause=NotAuthorised.__name__)
    again = Pulled("hubspot", "deals", problem="HTTP 401", cause=NotAuthorised.__name__)
    rows = Applied("news", written=90, failed=Counter({"merge field is invalid": 9, "gone": 1}))
    few = Applied("shop", written=991, failed=Counter({"gone": 9}))
    alerts.after_run(hooked, Outcome(7, hooked.clock.now(), pulled=[refused, again], applied=[rows, few]))
    token, failed = sent(responses)
    assert token == (
        "hubspot: the token is refused. Nothing is read or written there, the values stay. "
        "Fix: foretag secret set hubspot, then foretag doctor"
    )
    assert failed == (
        "news refused 10 of 100 contacts, mostly: merge field is invalid More: foretag runs show 7 --failed"
    )


@responses.activate
def test_an_account_that_is_shut_is_told_by_the_next_pull_and_that_it_is_open_again(hooked) -> None:
    responses.post(HOOK, json={})
    shut = [Pulled("hubspot", each, problem="HTTP 401", cause=NotAuthorised.__name__) for each in ("contacts", "deals")]
    failed = Applied("hubspot", problem="ft_segment is gone", cause="SchemaDrift")
    alerts.after_run(hooked, Outcome(7, hooked.clock.now(), applied=[failed]))
    alerts.after_pull(hooked, shut)
    alerts.after_pull(hooked, shut)
    alerts.after_pull(hooked, [Pulled("news", "members")])
    assert [text[:31] for text in sent(responses)[1:]] == ["hubspot: the token is refused. "]
    alerts.after_pull(hooked, [Pulled("hubspot", "contacts")])
    assert sent(responses)[2].startswith("Over (since 2017-09-30T14:00+02:00): hubspot: the token is refused.")
    assert list(alerts.going_on(hooked.db)) == ["hubspot SchemaDrift"]


@responses.activate
def test_a_run_that_breaks_off_is_told_and_over_with_the_next_good_one(hooked) -> None:
    responses.post(HOOK, json={})
    alerts.after_exception(hooked, RuntimeError("anna@shop.example was odd"))
    alerts.after_exception(hooked, RuntimeError("anna@shop.example was odd"))
    alerts.after_run(hooked, run(hooked))
    began, over = sent(responses)
    assert began.startswith("A run broke off (RuntimeError): <email ")
    assert over.startswith("Over")


@responses.activate
def test_people_with_two_minds_about_mail_are_counted(hooked, helpers, platform) -> None:
    responses.post(HOOK, json={})
    insert = """INSERT INTO contact (account, id, object, consent, properties, owned, deleted, writable, changed_at,
        person_id) VALUES (?, ?, 'x', ?, '{}', '{}', 0, 1, 0, ?)"""
    with transaction(hooked.db):
        hooked.db.execute("INSERT INTO person VALUES (1), (2), (3)")
        for account, consent, person in (
            ("a", "granted", 1), ("b", "opted_out", 1), ("a", "granted", 2), ("b", "granted", 2), ("a", "opted_out", 3),
        ):  # fmt: skip
            hooked.db.execute(insert, (account, f"{person}", consent, person))
    alerts.after_run(hooked, run(hooked))
    assert sent(responses)[0].startswith("opted out on one platform and not on another: 1 person.")


@responses.activate
def test_what_could_not_be_sent_is_sent_next_time_in_order(hooked, caplog) -> None:
    responses.post(HOOK, status=500)
    alerts.after_run(hooked, run(hooked, "something"))
    alerts.note(hooked, "config", "The config is broken.")
    assert sent(responses) == []
    responses.replace(responses.POST, HOOK, json={})
    alerts.watch(hooked)
    assert [text[:11] for text in sent(responses)] == [
        "Run 7 was R",
        "The config ",
    ]
    alerts.watch(hooked)
    assert len(sent(responses)) == 2
    assert "secret" not in caplog.text


@responses.activate
@pytest.mark.parametrize("failure", [{"status": 404}, {"body": requests.ConnectionError("no route")}])
def test_a_failing_alert_stops_nothing(hooked, failure) -> None:
    responses.post(HOOK, **failure)
    alerts.after_run(hooked, run(hooked, "something"))
    assert list(alerts.going_on(hooked.db)) == ["guard"]


def test_an_address_nobody_understands_is_named_without_being_shown(hooked, monkeypatch, caplog) -> None:
    monkeypatch.setenv("FORETAG_ALERTS_TEAM", "nonsense://token-of-mine")
    alerts.after_run(hooked, run(hooked, "something"))
    assert "alerts.team is no address that apprise knows" in caplog.text
    assert "token-of-mine" not in caplog.text


def test_with_nobody_to_tell_it_is_only_logged(site, caplog) -> None:
    alerts.after_run(site, run(site, "something"))
    assert "alert: Run 7 was REFUSED by the guard: something" in caplog.text


@responses.activate
def test_the_dead_mans_switch_hears_of_good_runs_only(tmp_path, helpers, platform, monkeypatch, caplog) -> None:
    monkeypatch.setenv("FORETAG_ALERTS_PING", SWITCH)
    responses.get(SWITCH)
    site = helpers.site(tmp_path, platform, alerts={"ping": True})
    alerts.after_run(site, run(site, "refused"))
    assert len(responses.calls) == 0
    alerts.after_run(site, run(site))
    assert len(responses.calls) == 1
    monkeypatch.setenv("FORETAG_ALERTS_PING", "http://switch.example/ping")
    alerts.after_run(site, run(site))
    assert "alerts.ping is not an https address" in caplog.text
    site.db.close()
