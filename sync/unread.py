"""Which accounts a pull did not read to the end, and what is taken for known of them."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from sync.counted import counted
from sync.pull import Pulled
from sync.site import Site
from sync.store import facts, passes, runs

LEFT_OUT = "left out by --account"
"""Why an account was not read."""


def unread(site: Site, pulled: Sequence[Pulled], read: Collection[str] | None) -> dict[str, str]:
    """Why accounts were not read to the end, each by the first stream that failed: people on them must not be judged
    without it.

    A stream that could never be read, for lack of a right, is not waited for.
    """
    found = {} if read is None else {each.name: LEFT_OUT for each in site.config.accounts if each.name not in read}
    for each in pulled:
        if each.problem and (each.passing or _was_read(site, each)):
            found.setdefault(each.account, f"{each.stream}: {each.problem}")
    return found


def contacts(site: Site, missing: Collection[str]) -> dict[str, int]:
    """Contacts per account: of those that are `missing` what they had at the last run that got through."""
    through = runs.last_through(site.db)
    before = through.summary.get("contacts", {}) if through else {}
    return facts.contact_counts(site.db) | {account: before[account] for account in missing if account in before}


def waiting_lines(waiting: Mapping[str, int]) -> Iterator[str]:
    """Who waits for which account, for people."""
    for account, number in waiting.items():
        who = counted(number, "person")
        yield f"{'waiting':<12} {who} for {account}: their scores stay as they were, on all platforms"


def _was_read(site: Site, each: Pulled) -> bool:
    """Whether the stream could be read before: it has a cursor, or lost it to a pass over all contacts."""
    if facts.cursor(site.db, each.account, each.stream) is not None:
        return True
    with_contacts = each.stream in site.connectors[each.account].capabilities.contact_streams
    return with_contacts and passes.is_repeating(site.db, each.account)
