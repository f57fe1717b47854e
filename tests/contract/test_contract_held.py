"""What our fields hold right now, asked for contact by contact."""


def held(stage, changes, connector=None):
    return {each.id: dict(each.owned) for batch in (connector or stage.connect()).held(changes) for each in batch}


def test_a_value_that_changed_after_the_pull_is_seen(ready, given):
    people = ready.people()
    ready.write([given.change(person) for person in people])
    assert held(ready, [given.change(person) for person in people]) == {person.id: given.values for person in people}
    first, second, *_ = ready.people()
    ready.write([given.change(first, {"segment": "Lost", "tags": ("Quiet",)})])
    told = held(ready, [given.change(person) for person in (first, second)])
    assert told == {first.id: {**given.values, "segment": "Lost", "tags": ("Quiet",)}, second.id: given.values}


def test_fields_that_hold_nothing_and_people_who_come_twice(ready, given):
    person = ready.people()[0]
    told = held(ready, [given.change(person), given.change(person)])
    assert list(told) == [person.id]
    assert not any(told[person.id].values())


def test_who_is_gone_is_left_out(ready, given):
    gone, other, *_ = ready.people()
    ready.hand.vanish(gone.id)
    assert list(held(ready, [given.change(gone), given.change(other)])) == [other.id]


def test_asking_changes_nothing_and_costs_a_call_per_batch(ready, given):
    people = ready.people()
    before, connector = ready.records(), ready.connect()
    held(ready, [given.change(person) for person in people], connector)
    objects = len({person.object for person in people})
    looks = connector.kind == "salesforce"
    assert connector.calls.total() == objects + looks
    assert ready.records() == before


def test_fields_that_are_not_there_yet_hold_nothing(stage, given):
    people = stage.people()
    told = held(stage, [given.change(person) for person in people])
    assert told.keys() == {person.id for person in people}
    assert not any(value for values in told.values() for value in values.values())
