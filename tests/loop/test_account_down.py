"""One account that cannot be read: its people wait, untouched everywhere; the others are scored and written to."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from benchmarks import records
from connectors import transport
from connectors.retry import LONGEST_WAIT
from sandbox.faults import Fault
from sandbox.server import Sandbox
from sync.alerts import after_run, going_on
from sync.configfile import load
from sync.patience import LONGEST
from sync.site import open_site

DAYS = [datetime(2017, 6, 30, tzinfo=UTC) + timedelta(days=each) for each in (0, 31, 32)]
WITHOUT_MEMORY = """
[segments]
min_stay = "0d"
hysteresis = 0
calm = "0d"
"""
"""Segments that depend on where somebody stands today only, so that a day left out leaves no trace in them."""
REVOKED = '{"status": 401, "title": "API Key Invalid", "detail": "revoked", "category": "INVALID_AUTHENTICATION"}'
DATES = ("scored", "scored_on", "segment_since", "segsince", "lastmodified", "last_changed", "updated_at", "modstamp")


def revoke(sandbox: Sandbox, account: str) -> None:
    sandbox.inject(Fault(account, ".", "status", times=10**6, status=401, body=REVOKED))


def install(sandbox: Sandbox, folder: Any, install_in: Any) -> Any:
    folder.mkdir()
    loop = install_in(sandbox, folder)
    text = loop.config_file.read_text(encoding="utf-8").replace('hours = ""', 'hours = ""\nmin_change_points = 0')
    loop.config_file.write_text(text.replace("[[hubspot]]", f"{WITHOUT_MEMORY}[[hubspot]]"), encoding="utf-8")
    loop.config = load(loop.config_file)
    return loop


def people_on(loop: Any, account: str) -> set[int]:
    return {row[0] for row in loop.ask("SELECT person_id FROM contact WHERE account = ?", account)}


def records_of(loop: Any, people: set[int]) -> dict[tuple[str, ...], Any]:
    """Every value of every record these people have on any platform."""
    theirs = {(account, id_) for account, id_, person in loop.ask(_WHOSE) if person in people}
    values = records.values_of(loop.sandbox.snapshot())
    return {place: value for place, value in values.items() if len(place) > 2 and (place[0], place[2]) in theirs}


_WHOSE = "SELECT account, id, person_id FROM contact"


def standings(loop: Any) -> dict[int, tuple[Any, ...]]:
    rows = loop.ask(
        "SELECT person_id, segment, fields, reasons, coalesce(scored_at, as_of) FROM standing "
        "WHERE as_of = (SELECT max(as_of) FROM standing)"
    )
    return {row[0]: row[1:] for row in rows}


def lasting(loop: Any) -> dict[tuple[str, ...], Any]:
    """All records, without the days on which something was computed, written or changed."""
    return {
        place: value for place, value in loop.records().items() if not any(each in place[-1].lower() for each in DATES)
    }


@pytest.mark.parametrize("account", ["hubspot", "mailchimp", "salesforce"])
def test_people_on_an_account_that_is_down_are_untouched_everywhere(account, tiny_world, tmp_path, install_in):
    with Sandbox(tiny_world, DAYS[0], limits=False) as sandbox:
        loop = install(sandbox, tmp_path / "loop", install_in)
        assert loop.run().verdict == "ok"
        sandbox.advance(DAYS[1])
        revoke(sandbox, account)
        waiting = people_on(loop, account)
        before, stood = records.values_of(sandbox.snapshot()), standings(loop)
        predictions = loop.ask("SELECT count(*), max(as_of) FROM prediction")
        down = loop.run()
        after = standings(loop)
        waiting -= {row[0] for row in loop.ask("SELECT person_id FROM excluded")}  # theirs is emptied at once
        theirs = records_of(loop, waiting)

        assert (down.verdict, down.withheld) == ("partial", "")
        assert down.waiting == {account: len(waiting)}
        assert account in down.shut
        assert [after.get(person) for person in waiting] == [stood.get(person) for person in waiting]
        assert theirs == {place: before.get(place) for place in theirs}
        assert len({place[:3] for place in theirs}) >= len(waiting)
        assert all(at == DAYS[1].timestamp() * 1e6 for person, (*_, at) in after.items() if person not in waiting)
        assert sum(each.written for each in down.applied) > 0
        assert loop.ask("SELECT count(*), max(as_of) FROM prediction") == predictions


@pytest.mark.slow
def test_after_a_day_down_all_is_as_if_it_had_never_been(tiny_world, tmp_path, install_in):
    ends = []
    for down in (False, True):
        with Sandbox(tiny_world, DAYS[0], limits=False) as sandbox:
            loop = install(sandbox, tmp_path / str(down), install_in)
            loop.run()
            sandbox.advance(DAYS[1])
            if down:
                revoke(sandbox, "mailchimp")
            alone = loop.run()
            assert bool(alone.waiting) is down
            sandbox.clear_faults()
            for date in (DAYS[2], DAYS[2] + timedelta(days=1)):
                sandbox.advance(date)
                assert loop.run().verdict == "ok"
            scores = {person: (segment, at) for person, (segment, _, _, at) in standings(loop).items()}
            ends.append((lasting(loop), scores))
    assert ends[0] == ends[1]


def test_a_platform_that_never_answers_is_given_up_soon_and_the_others_go_on(tiny, monkeypatch):
    """Each of its three streams tries one call eight times; with what a call may wait, that is twenty minutes."""
    assert tiny.run().verdict == "ok"
    longest = 8 * sum(transport.TIMEOUT) + 7 * LONGEST_WAIT
    monkeypatch.setattr(transport, "TIMEOUT", (0.2, 0.2))
    tiny.sandbox.inject(Fault("mailchimp", ".", "silence", times=10**6, seconds=0.4))
    outcome = tiny.run()
    assert (outcome.verdict, outcome.waiting) == ("partial", {"mailchimp": 16})
    assert outcome.calls["mailchimp"] == 8 * 3
    assert tiny.clock.slept < 3 * 7 * LONGEST_WAIT
    assert longest < LONGEST


def test_it_is_told_once_and_once_when_it_is_over(tiny, monkeypatch):
    told: list[str] = []
    monkeypatch.setattr("sync.alerts.deliver", lambda place, text: told.append(text) or True)
    tiny.config = tiny.config.model_copy(
        update={"alerts": tiny.config.alerts.model_copy(update={"to": ["json://127.0.0.1"]})}
    )

    def run() -> None:
        outcome = tiny.run()
        with open_site(tiny.config, tiny.clock) as site:
            after_run(site, outcome)

    run()
    told.clear()
    revoke(tiny.sandbox, "mailchimp")
    run()
    run()
    (said,) = [each for each in told if "token is refused" in each]
    assert said.startswith("mailchimp (the scores there were stay for 16 people): the token is refused")
    tiny.sandbox.clear_faults()
    run()
    assert sum(each.startswith("Over") and "token is refused" in each for each in told) == 1
    with open_site(tiny.config, tiny.clock) as site:
        assert not any(key.startswith("mailchimp") for key in going_on(site.db))
