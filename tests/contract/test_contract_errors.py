"""What goes wrong, the same for every adapter: tried again while that helps, and else a typed error for its cause."""

from contextlib import suppress

import pytest

from connectors.contract import NO_ANSWER, Result
from connectors.errors import (
    ConnectorError,
    NotAuthorised,
    QuotaSpent,
    Rejected,
    Retry,
    SchemaDrift,
    Stop,
    Throttled,
    Unavailable,
)
from sandbox.faults import Fault

CAUSES = {
    "429": ({"kind": "status", "status": 429}, Throttled),
    "429 with Retry-After": ({"kind": "status", "status": 429, "retry_after": 2.0}, Throttled),
    "403 without a word": ({"kind": "status", "status": 403}, Throttled),
    "401": ({"kind": "status", "status": 401}, NotAuthorised),
    "404": ({"kind": "status", "status": 404}, Rejected),
    "500": ({"kind": "status", "status": 500}, Unavailable),
    "502": ({"kind": "status", "status": 502}, Unavailable),
    "503": ({"kind": "status", "status": 503}, Unavailable),
    "504": ({"kind": "status", "status": 504}, Unavailable),
    "lost before": ({"kind": "reset_before"}, Unavailable),
    "lost after": ({"kind": "reset_after"}, Unavailable),
    "half an answer": ({"kind": "truncate"}, Unavailable),
}
PASSING = [name for name, (_, error) in CAUSES.items() if issubclass(error, Retry)]


def order(stage, name, times, after=0, route="."):
    fault = Fault(stage.hand.kind, route, times=times, after=after, **CAUSES[name][0])
    stage.sandbox.inject(fault)
    return fault


@pytest.mark.parametrize("name", CAUSES)
def test_what_does_not_pass_is_raised_as_what_it_is(stage, name):
    order(stage, name, times=1000)
    with pytest.raises(CAUSES[name][1]) as caught:
        stage.read()
    assert str(caught.value)
    assert isinstance(caught.value, Stop) is not isinstance(caught.value, Retry)


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_costs_nobody(stage, name):
    undisturbed = stage.told()
    faults = [order(stage, name, times=3, after=1), order(stage, name, times=2)]
    assert stage.told() == undisturbed
    assert not any(fault.times for fault in faults)


@pytest.mark.parametrize("name", PASSING)
def test_a_write_ends_as_if_nothing_had_been(ready, given, name):
    people = ready.people()
    changes = [given.change(person) for person in people]
    faults = [order(ready, name, times=2), order(ready, name, times=2, after=1)]
    outcomes = ready.write(changes)
    assert {outcome.result for outcome in outcomes} == {Result.WRITTEN}
    assert not faults[0].times
    ready.sandbox.clear_faults()
    told = ready.told()
    assert {person.id: told[person.id].owned for person in people} == {person.id: given.values for person in people}


@pytest.mark.parametrize("name", ["401", "429", "503", "lost after"])
def test_a_write_that_breaks_off_can_be_repeated(ready, given, name):
    people = ready.people()
    changes = [given.change(person) for person in people]
    order(ready, name, times=1000)
    with pytest.raises(CAUSES[name][1]):
        ready.write(changes)
    ready.sandbox.clear_faults()
    assert {outcome.result for outcome in ready.write(changes)} == {Result.WRITTEN}
    told = ready.told()
    assert {person.id: told[person.id].owned for person in people} == {person.id: given.values for person in people}


@pytest.mark.parametrize("name", CAUSES)
def test_setting_up_that_breaks_off_anywhere_goes_on_at_the_next_try(stage, given, name):
    """Also where an answer was lost and the thing made all the same."""
    for after in (0, 2, 5):
        order(stage, name, times=6, after=after, route="^POST")
        with suppress(ConnectorError):
            stage.connect().provision(given.fields)
        stage.sandbox.clear_faults()
    stage.connect().provision(given.fields)
    assert stage.connect().drift(given.fields) == []
    assert stage.connect().provision(given.fields) == []


def test_a_token_that_expires_on_the_way_is_an_error_and_the_pull_goes_on_later(stage, page_size):
    page_size(5)
    undisturbed = stage.told()
    stream = stage.connect().capabilities.contact_streams[0]
    order(stage, "401", times=1000, after=3)
    found, cursor = {}, None
    with pytest.raises(NotAuthorised, match=r"foretag secret set \w+$"):
        for page in stage.connect().pull(stream, None, stage.now):
            found |= {contact.id: contact for contact in page.contacts}
            cursor = page.cursor
    assert 0 < len(found) < len(undisturbed)
    stage.sandbox.clear_faults()
    found |= {contact.id: contact for page in stage.pages(stream, cursor) for contact in page.contacts}
    assert found == {id_: undisturbed[id_] for id_ in found}
    assert set(found) == {contact.id for page in stage.pages(stream) for contact in page.contacts}


def test_a_token_that_can_be_renewed_is_renewed_on_the_way(stage, page_size):
    if stage.hand.renewing_token is None:
        pytest.skip(f"tokens of {stage.hand.kind} do not expire")
    page_size(5)
    undisturbed, found = stage.told(), {}
    connector = stage.connect(stage.hand.renewing_token)
    for stream in connector.capabilities.contact_streams:
        for page in connector.pull(stream, None, stage.now):
            found |= {contact.id: contact for contact in page.contacts}
            stage.hand.expire_token()
    assert found == undisturbed


@pytest.mark.parametrize("number", range(3))
def test_what_the_platform_itself_refuses_is_raised_as_what_it_is(open_stage, world, number):
    stage = open_stage(world, limits=True)
    if number >= len(stage.hand.causes):
        pytest.skip(f"{stage.hand.kind} has no more causes of its own")
    name, error = list(stage.hand.causes.items())[number]
    connector = stage.hand.cause(name, stage)
    with pytest.raises(error) as caught:
        for stream in connector.capabilities.contact_streams:
            stage.pages(stream, None, connector)
    assert connector.calls.total() <= (3 if error is QuotaSpent else 2)
    assert str(caught.value)
    assert [finding for finding in connector.check() if finding.level == "fail"]


def test_a_check_blames_no_token_and_no_right_where_nobody_answers(stage):
    connector = stage.connect()
    order(stage, "503", times=1000)
    [finding] = connector.check()
    assert (finding.level, finding.fix) == ("fail", NO_ANSWER)


def test_writing_to_a_field_that_is_not_there_stops_before_anything_is_believed(stage, given):
    people = stage.people()
    before = stage.records()
    with pytest.raises(SchemaDrift, match=r"(?i)ft_"):
        stage.write([given.change(person) for person in people])
    assert stage.records() == before


def test_an_answer_that_never_comes_is_not_waited_for(stage, monkeypatch):
    undisturbed = stage.told()
    monkeypatch.setattr("connectors.transport.TIMEOUT", (1.0, 0.15))
    stage.sandbox.inject(Fault(stage.hand.kind, ".", "silence", seconds=0.4))
    assert stage.told() == undisturbed


def test_a_write_of_which_nothing_is_said_is_not_believed(ready, given):
    people = ready.people()
    before = ready.records()
    route, body = ready.hand.nothing_written
    ready.sandbox.inject(Fault(ready.hand.kind, route, "status", status=200, body=body, times=100))
    outcomes = ready.write([given.change(person) for person in people])
    assert {outcome.result for outcome in outcomes} == {Result.UNKNOWN}
    assert {outcome.id for outcome in outcomes} == {person.id for person in people}
    assert ready.records() == before


@pytest.mark.parametrize("kind", ["repeat", "reverse"])
def test_an_answer_in_another_order_is_not_taken_for_another_contacts(ready, given, kind):
    people = ready.people()
    poisoned = people[0].id
    bad = {**given.values, "why": "x" * 70_000}
    ready.sandbox.inject(Fault(ready.hand.kind, ready.hand.nothing_written[0], kind))
    changes = [given.change(person, bad if person.id == poisoned else given.values) for person in people]
    outcomes = {outcome.id: outcome.result for outcome in ready.write(changes)}
    told = ready.told()
    assert outcomes[poisoned] is not Result.WRITTEN
    for id_, result in outcomes.items():
        if result is Result.WRITTEN:
            assert told[id_].owned == given.values
        elif id_ != poisoned:
            assert result is Result.UNKNOWN, id_
