"""Refuses a run that would do something implausible, by what came before. It writes nothing."""

from collections import Counter
from collections.abc import Mapping

from sync.config_sections import Guard
from sync.counted import counted
from sync.errors import ACCEPT
from sync.store.scores import Standing


def objections(
    contacts: Mapping[str, int],
    limits: Guard,
    before: Mapping[int, Standing] | None,
    after: Mapping[int, Standing],
    contacts_before: Mapping[str, int],
) -> list[str]:
    """Why the run should not write: each with its numbers, the likely cause and where to look; empty when all is well.

    `before` and `after` are everyone's standings at the last run that got through and now, `contacts_before` and
    `contacts` what each account had then and has now. Who was not scored now is not counted.
    """
    found = list(_shrunken(limits, contacts_before, contacts))
    if before:
        found += _migrations(limits, before, after)
    return found


def _shrunken(limits: Guard, contacts_before: Mapping[str, int], now: Mapping[str, int]) -> list[str]:
    return [
        f"{account} shows {counted(now.get(account, 0), 'contact')}, {before} at the last run (limit: "
        f"{limits.max_input_drop_share:.0%} fewer). Most likely a filter, a missing right or a bulk delete there. "
        f"Look closer: foretag doctor; {ACCEPT}"
        for account, before in contacts_before.items()
        if now.get(account, 0) < before * (1 - limits.max_input_drop_share)
    ]


def _migrations(limits: Guard, before: Mapping[int, Standing], after: Mapping[int, Standing]) -> list[str]:
    both = before.keys() & {person for person, each in after.items() if not each.scored_at}
    moved = sum(before[person].segment != after[person].segment for person in both)
    found = []
    if both and moved > limits.max_segment_change_share * len(both) and moved > limits.one_segment_min_people:
        found.append(
            f"{moved / len(both):.0%} of {counted(len(both), 'person')} would change segment (limit "
            f"{limits.max_segment_change_share:.0%}). Most likely activity is missing from the last pull, or there was "
            f"a long break. Look closer: foretag report; {ACCEPT}"
        )
    old, new = (Counter(standings[person].segment for person in both) for standings in (before, after))
    for segment in sorted(old.keys() | new.keys()):
        change = abs(new[segment] - old[segment])
        if change > limits.one_segment_min_people and change > limits.max_one_segment_change_share * max(
            old[segment], 1
        ):
            found.append(
                f"segment {segment} would go from {old[segment]} to {counted(new[segment], 'person')} (limit "
                f"{limits.max_one_segment_change_share:.0%}). Most likely new models or limits between segments, a "
                f"campaign, or activity that is missing. Look closer: foretag report; {ACCEPT}"
            )
    return found
