"""Writing, the same for every adapter: what was written is what is read, and every contact has its outcome."""

import pytest

from connectors.contract import Result

HOSTILE = (
    "He said \"often\", she said 'never'",
    "Käufer 🛒 mit 日本語, Ł and ŋ",
    "עברית و العربية \u202eleft",
    "x" * 255,
    "ä" * 255,
    "<script>alert(1)</script> & <b>bold</b>",
    "#N/A",
    "one; two;three, and 100 %",
    "=1+1",
    "null",
    "*|FNAME|* {{ contact.email }} ${x} \\n",
    "first line\nsecond line",
)


def owned(stage, people):
    told = stage.told()
    return {person.id: dict(told[person.id].owned) for person in people}


def test_what_was_written_is_read_back_and_nothing_else_changed(ready, given):
    people = ready.people()
    _, cursors = ready.read()
    before = ready.records()
    ready.wait()
    connector = ready.connect()
    predicted = connector.predict_calls([given.change(person) for person in people])
    outcomes = ready.write([given.change(person) for person in people], connector)
    assert connector.calls.total() == predicted
    assert {outcome.result for outcome in outcomes} == {Result.WRITTEN}
    assert sorted(outcome.id for outcome in outcomes) == sorted(person.id for person in people)
    assert owned(ready, people) == {person.id: given.values for person in people}
    assert {contact.id for contact in ready.read(cursors)[0]} == {person.id for person in people}
    old = {person.id: person for person in people}
    told = ready.told()
    for id_, contact in old.items():
        assert (told[id_].email, told[id_].consent, told[id_].properties) == (
            contact.email,
            contact.consent,
            contact.properties,
        )
    assert {kind: set(rows) for kind, rows in ready.records().items()} == {k: set(rows) for k, rows in before.items()}


def test_the_same_written_again_changes_nothing(ready, given):
    people = ready.people()
    ready.write([given.change(person) for person in people])
    before = ready.records()
    again = ready.people()
    assert {outcome.result for outcome in ready.write([given.change(person) for person in again])} == {Result.WRITTEN}
    assert ready.records() == before


def test_only_the_keys_that_were_given_change(ready, given):
    person = ready.people()[0]
    ready.write([given.change(person)])
    ready.write([given.change(ready.told()[person.id], {"segment": "Lost", "tags": ("Quiet",)})])
    assert owned(ready, [person])[person.id] == {**given.values, "segment": "Lost", "tags": ("Quiet",)}


def test_none_empties_a_field(ready, given):
    people = ready.people()[:3]
    ready.write([given.change(person) for person in people])
    told = ready.told()
    empty = dict.fromkeys(given.values)
    outcomes = ready.write([given.change(told[person.id], empty) for person in people])
    assert {outcome.result for outcome in outcomes} == {Result.WRITTEN}
    # a box that is not ticked is as empty as it gets on some platforms
    assert not any(value for values in owned(ready, people).values() for value in values.values())
    assert all("buy_score" not in values for values in owned(ready, people).values())


def test_a_zero_and_a_no_are_values(ready, given):
    person = ready.people()[0]
    ready.write([given.change(person, {"buy_score": 0.0, "control": False})])
    assert owned(ready, [person])[person.id] == {"buy_score": 0.0, "control": False}


def test_any_text_survives_the_way_there_and_back(ready, given):
    people = ready.people()[: len(HOSTILE)]
    assert len(people) == len(HOSTILE)
    wanted = {person.id: text for person, text in zip(people, HOSTILE, strict=True)}
    outcomes = ready.write([given.change(person, {"why": wanted[person.id]}) for person in people])
    assert {outcome.result for outcome in outcomes} == {Result.WRITTEN}
    assert {id_: values["why"] for id_, values in owned(ready, people).items()} == wanted


def test_each_contact_has_the_outcome_that_is_its_own(ready, given):
    people = ready.people()
    gone, poisoned, *others = people
    ready.hand.vanish(gone.id)
    changes = [given.change(person) for person in people]
    changes[1] = given.change(poisoned, {**given.values, "scored_on": "someday"})
    outcomes = {outcome.id: outcome for outcome in ready.write(changes)}
    assert len(outcomes) == len(people)
    assert outcomes[gone.id].result is Result.GONE
    assert outcomes[poisoned.id].result is Result.REJECTED
    assert outcomes[poisoned.id].reason
    assert {outcomes[person.id].result for person in others} == {Result.WRITTEN}
    assert owned(ready, others) == {person.id: given.values for person in others}
    assert not any(owned(ready, [poisoned])[poisoned.id].values())
    mended = ready.write([given.change(ready.told()[poisoned.id])])
    assert [outcome.result for outcome in mended] == [Result.WRITTEN]
    assert owned(ready, [poisoned]) == {poisoned.id: given.values}


def test_several_poisoned_contacts_cost_nobody_else_anything(ready, given):
    people = ready.people()
    bad = {person.id for person in people[::3]}
    poison = {**given.values, "why": "x" * 70_000}
    changes = [given.change(person, poison if person.id in bad else given.values) for person in people]
    outcomes = {outcome.id: outcome.result for outcome in ready.write(changes)}
    assert {id_ for id_, result in outcomes.items() if result is Result.REJECTED} == bad
    assert {id_ for id_, result in outcomes.items() if result is Result.WRITTEN} == {p.id for p in people} - bad


def test_a_contact_that_comes_twice_ends_with_the_later_values(ready, given):
    people = ready.people()[:4]
    changes = [given.change(person, {"buy_score": 1.0, "why": "first"}) for person in people]
    changes += [given.change(person, {"buy_score": 2.0}) for person in people[:2]]
    outcomes = ready.write(changes)
    assert {outcome.result for outcome in outcomes} == {Result.WRITTEN}
    assert {outcome.id for outcome in outcomes} == {person.id for person in people}
    told = owned(ready, people)
    assert [told[person.id]["buy_score"] for person in people] == [2.0, 2.0, 1.0, 1.0]
    assert {values["why"] for values in told.values()} == {"first"}


def test_a_write_brings_nobody_back(ready, given):
    """Whoever is deleted stays deleted, and nobody is made."""
    person = ready.people()[0]
    ready.hand.vanish(person.id)
    everybody, before = ready.hand.everybody(), ready.records()
    assert [outcome.result for outcome in ready.write([given.change(person)])] == [Result.GONE]
    assert (ready.hand.everybody(), ready.records()) == (everybody, before)


def test_a_contact_that_was_merged_away_is_gone_and_the_other_is_left_alone(ready, given):
    if not ready.hand.merges:
        pytest.skip(f"{ready.hand.kind} has no merges")
    loser, winner, other = ready.people()[:3]
    ready.hand.merge(loser.id, winner.id)
    outcomes = {each.id: each.result for each in ready.write([given.change(loser), given.change(other)])}
    assert outcomes == {loser.id: Result.GONE, other.id: Result.WRITTEN}
    told = owned(ready, [winner, other])
    assert not any(told[winner.id].values())
    assert told[other.id] == given.values
