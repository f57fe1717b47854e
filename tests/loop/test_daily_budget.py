"""The day's calls are never exceeded, over reading and writing and over restarts; what is left is done another day."""

from collections import Counter
from datetime import timedelta

import pytest

from sync.errors import ForetagError


def spent(sandbox) -> Counter[str]:
    """Calls the sandbox has seen since the last run began, per platform.

    The archive of a batch lies on another host and is no call to the account; whether the day's last calls get that far
    depends on which stream comes first.
    """
    calls: Counter[str] = Counter()
    for (platform, route), count in sandbox.calls().items():
        if "/batch-results/" not in route:
            calls[platform] += count
    return calls


def with_accounts(loop, **lines: str) -> None:
    """Add a line to the block of these accounts and read the config again."""
    from sync.configfile import load

    text = loop.config_file.read_text()
    for kind, line in lines.items():
        text = text.replace(f"[[{kind}]]\n", f"[[{kind}]]\n{line}\n")
    loop.config_file.write_text(text)
    loop.config = load(loop.config_file)


def verdict(loop) -> str:
    """That of one run; also of a first one that could not read everything for want of calls."""
    try:
        return loop.run().verdict
    except ForetagError as error:
        if "for today are used up" in str(error) or "leaves them the rest" in str(error):
            return "read in part"
        raise


def days_until_ok(loop, most: int, check) -> list[str]:
    """Run once a day until all is well; the verdict of each day. `check` looks at the day's calls."""
    verdicts = []
    for _ in range(most):
        verdicts.append(verdict(loop))
        check(spent(loop.sandbox))
        if verdicts[-1] == "ok":
            return verdicts
        loop.sandbox.advance(loop.now + timedelta(days=1))
    raise AssertionError(verdicts)


def test_half_of_the_accounts_own_quota_is_never_exceeded(tiny):
    tiny.provision("hubspot", "salesforce")
    tiny.sandbox.advance(tiny.now + timedelta(days=1))
    tiny.sandbox.platform("hubspot").limits.daily_limit = 16
    tiny.sandbox.platform("salesforce").org.session.daily_quota = 26

    def check(calls):
        assert calls["hubspot"] <= 8
        assert calls["salesforce"] <= 13

    verdicts = days_until_ok(tiny, 30, check)
    assert len(verdicts) > 1
    tiny.run()
    assert tiny.writes() == {}


def test_two_runs_on_one_day_share_what_there_is_for_the_day(tiny):
    with_accounts(tiny, mailchimp="daily_calls = 5")
    with pytest.raises(ForetagError, match="mailchimp for today are used up: 5 of 5"):
        tiny.run()
    assert tiny.ask("SELECT verdict FROM run ORDER BY id DESC LIMIT 1") == [("partial",)]
    assert spent(tiny.sandbox)["mailchimp"] == 5
    with pytest.raises(ForetagError, match="It goes on by itself when the day is over, at 00:00 UTC"):
        tiny.run()
    assert spent(tiny.sandbox)["mailchimp"] == 0
    tiny.sandbox.advance(tiny.now + timedelta(days=1))
    with pytest.raises(ForetagError):
        tiny.run()
    assert spent(tiny.sandbox)["mailchimp"] == 5


def test_what_could_be_read_but_not_written_today_is_written_tomorrow(tiny):
    assert tiny.run().verdict == "ok"
    tiny.sandbox.advance(tiny.now + timedelta(days=31))
    with_accounts(tiny, hubspot="daily_calls = 9")
    outcome = tiny.run()
    assert spent(tiny.sandbox)["hubspot"] == 9
    assert outcome.verdict == "partial"
    assert not any(each.problem for each in outcome.pulled)
    assert {each.account: bool(each.problem) for each in outcome.applied}["hubspot"]
    before = tiny.sandbox.snapshot()["hubspot"]
    assert tiny.run().verdict == "partial"
    assert spent(tiny.sandbox)["hubspot"] == 0
    tiny.config_file.write_text(tiny.config_file.read_text().replace("daily_calls = 9\n", ""))
    with_accounts(tiny)
    tiny.sandbox.advance(tiny.now + timedelta(days=1))
    assert tiny.run().verdict == "ok"
    assert tiny.sandbox.snapshot()["hubspot"] != before
    tiny.run()
    assert tiny.writes() == {}
