"""A thousand contacts, ten of them poisoned in ten different ways: the others are written, the ten are named."""

from collections import Counter

import pytest

from connectors.contract import Change, Result
from connectors.hubspot.rules import WRITE_BATCH
from sandbox.hubspot.records import Record

GOOD = {"buy_score": 41.37, "segment": "Loyal", "tags": ("big", "soon"), "why": "Often here", "scored_on": "2017-08-01"}
POISON = {
    "an option that is not there": {"segment": "Nonsense"},
    "a tag that is not there": {"tags": ("big", "nonsense")},
    "a word for a number": {"buy_score": "high"},
    "an endless number": {"buy_score": float("inf")},
    "a word for a date": {"scored_on": "someday"},
    "a time of day": {"scored_on": "2017-08-01T12:00:00Z"},
    "neither yes nor no": {"control": "maybe"},
    "a text without an end": {"why": "x" * 65_537},
}
FIRST = 700_000


@pytest.fixture
def portal(sandbox):
    """A portal with a thousand more contacts: one was deleted, one merged away."""
    portal = sandbox.platform("hubspot")._portal
    for id_ in map(str, range(FIRST, FIRST + 1_000)):
        stamps = dict.fromkeys(("createdate", "lastmodifieddate", "hs_lastmodifieddate"), portal.now())
        portal.add_contact(
            Record(id_, stamps["createdate"], {"hs_object_id": id_, "email": f"p{id_}@post.example", **stamps})
        )
    return portal


@pytest.mark.parametrize("isolates", [True, False])
def test_trap_ten_poisons_among_a_thousand_leave_the_others_written(hub, sandbox, portal, fields, isolates):
    hub.provision(fields)
    sandbox.platform("hubspot").quirks.isolates = isolates
    ids = [str(FIRST + n) for n in range(1_000)]
    poisoned = {ids[97 * n]: (what, values) for n, (what, values) in enumerate(POISON.items())}
    deleted, merged, survivor = ids[950], ids[960], ids[970]
    portal.contacts.archive(portal.contacts.live[deleted], portal.now())
    portal.merge(portal.contacts.live[survivor], portal.contacts.live[merged], portal.now())
    given = [Change("contacts", id_, None, GOOD | poisoned.get(id_, ("", {}))[1]) for id_ in ids]
    outcomes = {each.id: each for batch in hub.write(given) for each in batch}
    assert list(outcomes) == ids
    assert Counter(each.result for each in outcomes.values()) == {
        Result.WRITTEN: 990,
        Result.REJECTED: len(POISON),
        Result.GONE: 2,
    }
    assert {id_ for id_, each in outcomes.items() if each.result is Result.REJECTED} == set(poisoned)
    assert all(outcomes[id_].reason.startswith(f"ft_{next(iter(values))}: ") for id_, (_, values) in poisoned.items())
    assert outcomes[deleted].reason == "deleted"
    assert outcomes[merged].reason == f"merged into {survivor}"
    assert hub.calls["contacts update"] <= 10 + (0 if isolates else 2 * len(POISON) * WRITE_BATCH.bit_length())
    held = {id_: portal.contacts.live[id_].properties.get("ft_segment") for id_ in ids if id_ in portal.contacts.live}
    assert {id_ for id_, segment in held.items() if segment is None} == set(poisoned)
    mended = [Change("contacts", id_, None, GOOD) for id_ in poisoned]
    assert {each.result for batch in hub.write(mended) for each in batch} == {Result.WRITTEN}
