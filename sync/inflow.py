"""Whether an account brings implausibly little of what people do by themselves, against its own past."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta

from sync.counted import counted
from sync.errors import ACCEPT
from sync.instants import micros

SPAN = timedelta(days=14)
PAST = 6
"""Spans that the newest one is compared with: it has to be below the least of them."""
USUAL = 30
"""Activities that the least of the spans must have had: fewer say nothing."""
BY_PEOPLE = ("order", "visit", "form", "touch")
"""Kinds that do not come and go with the shop's own mailings."""

Thin = dict[str, tuple[int, int]]
"""By `account kind`: activities of the newest span, and of the least of those before."""


def thin(db: sqlite3.Connection, as_of: datetime, drop: float, unread: Collection[str] = ()) -> Thin:
    """Where more than `drop` in (0, 1] of the least that was usual is missing from the newest span before `as_of`.

    Nothing can be said of accounts that are `unread`.
    """
    now, span = micros(as_of), SPAN // timedelta(microseconds=1)
    counts: dict[str, Counter[int]] = {}
    for row in db.execute(_COUNTS, {"now": now, "span": span, "first": now - (PAST + 1) * span}):
        if row["account"] in unread:
            continue
        counts.setdefault(f"{row['account']} {row['kind']}", Counter())[row["ago"]] = row["n"]
    found = {}
    for key, by_span in counts.items():
        least = min(by_span[ago] for ago in range(1, PAST + 1))
        if least >= USUAL and by_span[0] < least * (1 - drop):
            found[key] = (by_span[0], least)
    return found


def booked(found: Thin, settled: Collection[str], unread: Collection[str]) -> list[str]:
    """What the book of runs keeps: what was found, and of the accounts that are `unread` what was `settled` before."""
    return sorted({*found, *(key for key in settled if key.split()[0] in unread)})


def objections(found: Mapping[str, tuple[int, int]], settled: Collection[str], drop: float) -> Iterator[str]:
    """Why a run should not write; what stood in the last run that got through is settled until it has recovered."""
    for key in sorted(found.keys() - set(settled)):
        (account, kind), (now, least) = key.split(), found[key]
        yield (
            f"{account} brought {counted(now, 'activity')} of the kind {kind} in the last {SPAN.days} days, never "
            f"fewer than {least:,} in any {SPAN.days} days of the twelve weeks before (limit: {drop:.0%} fewer). Most "
            "likely a missing right, a shop that is no longer connected, or a holiday. Look closer: foretag doctor; "
            f"{ACCEPT}"
        )


_COUNTS = f"""
SELECT account, kind, (:now - at) / :span AS ago, count(*) AS n FROM activity
WHERE at > :first AND at <= :now AND NOT machine AND kind IN ({", ".join(f"'{kind}'" for kind in BY_PEOPLE)})
GROUP BY account, kind, ago
"""  # noqa: S608 - names from above
