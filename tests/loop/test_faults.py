"""Whatever goes wrong on the way, the platforms end as if nothing had: retried inside a run, or by the next one."""

from datetime import timedelta

import pytest

from sandbox.faults import Fault
from sync.errors import ForetagError

PLATFORMS = ("hubspot", "mailchimp", "salesforce")
# Calls that change something, on any platform; and the reads, some of which are sent by POST.
_MAKES = r"batch/(update|create)|groups|merge-fields|segments(/\d+)?|lists/\w+|sobjects/\w+"
WRITE = rf"POST .*/({_MAKES})$|PATCH .*/composite/sobjects$"
READ = r"^GET |/search$|/associations/|/batches$|/composite/batch$"
FAULTS = {
    "429 with Retry-After": {"kind": "status", "status": 429, "retry_after": 7.0},
    "429 without Retry-After": {"kind": "status", "status": 429},
    "429 with a mad Retry-After": {"kind": "status", "status": 429, "retry_after": 86_400.0},
    "403 without a word": {"kind": "status", "status": 403},
    "500": {"kind": "status", "status": 500},
    "502": {"kind": "status", "status": 502},
    "503 with Retry-After": {"kind": "status", "status": 503, "retry_after": 3.0},
    "connection lost before": {"kind": "reset_before"},
    "connection lost after": {"kind": "reset_after"},
    "half an answer": {"kind": "truncate"},
}


def faults(fault: dict, route: str, times: int, after: int) -> list[Fault]:
    return [Fault(platform, route, times=times, after=after, **fault) for platform in PLATFORMS]


@pytest.mark.parametrize("name", FAULTS)
def test_whatever_fails_is_made_good(tiny, undisturbed, name):
    """Reads that fail are tried again at once, three in a row twice; so are writes that are safe to repeat.

    Others are left to the next run.
    """
    ordered = [*faults(FAULTS[name], READ, 3, 1), *faults(FAULTS[name], READ, 3, 4), *faults(FAULTS[name], WRITE, 2, 0)]
    tiny.sandbox.inject(*ordered, *faults(FAULTS[name], WRITE, 1, 9))
    first = tiny.run()
    assert not any(each.problem for each in first.pulled)
    assert tiny.run_until_ok(4)
    assert tiny.records() == undisturbed
    assert not any(fault.times for fault in ordered)
    tiny.run()
    assert tiny.writes() == {}


def test_what_was_refused_unhandled_is_repeated_within_the_run(tiny, undisturbed):
    tiny.sandbox.inject(*faults(FAULTS["429 with Retry-After"], WRITE, 3, 1))
    assert tiny.run().verdict == "ok"
    assert tiny.records() == undisturbed
    assert tiny.clock.slept >= 7 * 3 * len(PLATFORMS)


@pytest.mark.parametrize("name", ["connection lost after", "half an answer"])
def test_what_was_made_although_the_answer_was_lost_is_found_there(tiny, undisturbed, name):
    """HubSpot and Mailchimp say so at the second try, which is as good as an answer."""
    makes = "/(groups|batch/create|merge-fields|segments)$"
    ordered = [fault for fault in faults(FAULTS[name], makes, 2, 0) if fault.platform != "salesforce"]
    tiny.sandbox.inject(*ordered)
    assert tiny.run().verdict == "ok"
    assert tiny.records() == undisturbed
    assert not any(fault.times for fault in ordered)


def test_a_mad_wish_to_wait_is_not_granted(tiny):
    tiny.sandbox.inject(*faults(FAULTS["429 with a mad Retry-After"], READ, 3, 0))
    assert tiny.run().verdict == "ok"
    assert tiny.clock.slept < 9 * 60


def test_while_a_platform_is_down_the_others_are_read_and_written_to(tiny):
    """But for the people who are on it, see test_account_down."""
    assert tiny.run().verdict == "ok"
    before = tiny.records()
    tiny.sandbox.advance(tiny.now + timedelta(days=31))
    tiny.sandbox.inject(Fault("mailchimp", ".", "status", times=10_000, status=503))
    outcome = tiny.run()
    assert outcome.verdict == "partial"
    new = {account: sum(p.activities_new for p in outcome.pulled if p.account == account) for account in PLATFORMS}
    assert {account for account, count in new.items() if count} == {"hubspot", "salesforce"}
    assert {each.account for each in outcome.pulled if each.problem} == {"mailchimp"}
    assert {platform for platform, _ in tiny.writes()} == {"hubspot", "salesforce"}
    tiny.sandbox.clear_faults()
    assert tiny.run_until_ok(1)
    assert tiny.records() != before
    tiny.run()
    assert tiny.writes() == {}


def test_nothing_is_learnt_before_everything_was_read_once(tiny, undisturbed):
    """Half of the orders would make half of the people look lost."""
    tiny.provision()
    tiny.sandbox.inject(Fault("hubspot", "GET /crm/v3/objects/deals", "status", times=100, after=1, status=503))
    with pytest.raises(ForetagError, match="hubspot deals"):
        tiny.run()
    assert tiny.writes() == {}
    assert tiny.ask("SELECT count(*) FROM standing") == [(0,)]
    tiny.sandbox.clear_faults()
    assert tiny.run().verdict == "ok"
    assert tiny.records() == undisturbed
