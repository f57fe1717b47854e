"""What no adapter may ever send, and what the platform sees over a whole life."""

import logging
import re

import pytest

from connectors.errors import NotAllowed

ACTS = (
    "create a contact",
    "remove a contact",
    "change consent",
    "hand somebody on",
    "write a field that is not ours",
    "delete a field",
    "touch lists of others",
)


@pytest.mark.parametrize("act", ACTS)
def test_forbidden_requests_do_not_leave(ready, given, act):
    connector = ready.connect()
    connector.check()
    connector.provision(given.fields)
    transport = ready.hand.transport(connector)
    ready.sandbox.reset_calls()
    for method, path, body in ready.hand.forbidden()[act]:
        with pytest.raises(NotAllowed, match="was not sent"):
            transport.request(method, transport.base_url + path, json=body)
    assert ready.sandbox.calls() == {}


def test_nothing_is_sent_to_another_address(ready):
    transport = ready.hand.transport(ready.connect())
    for url in ("https://elsewhere.example/", ready.sandbox.url + "/_sandbox/clock", transport.base_url + ".example/"):
        with pytest.raises(NotAllowed, match="was not sent"):
            transport.request("GET", url)


def test_a_key_that_is_not_a_field_of_ours_is_refused_before_anything_leaves(ready, given):
    changes = [given.change(person) for person in ready.people()]
    changes[-1] = given.change(ready.people()[-1], {"email": "b@post.example"})
    before = ready.records()
    with pytest.raises(NotAllowed):
        ready.write(changes)
    assert ready.records() == before


def test_removing_needs_a_connector_that_was_opened_for_it(ready, given):
    before = ready.records()
    with pytest.raises(NotAllowed):
        ready.connect().remove(given.fields)
    assert ready.records() == before


def test_a_whole_life_sends_nothing_but_reads_and_our_own_writes(stage, given, caplog):
    caplog.set_level(logging.DEBUG)
    everybody = stage.hand.everybody()
    connector = stage.connect()
    stage.sandbox.reset_calls()
    connector.check()
    connector.provision(given.fields)
    for stream in connector.streams:
        stage.pages(stream, None, connector)
    people = stage.people()
    stage.write([given.change(person) for person in people], connector)
    told = stage.told()
    stage.write([given.change(told[person.id], dict.fromkeys(given.values)) for person in people], connector)
    changing = {route for _, route in stage.sandbox.calls() if not route.startswith("GET ")}
    assert changing
    assert [route for route in changing if not re.fullmatch(stage.hand.sends, route)] == []
    assert stage.hand.everybody() == everybody
    assert {id_: told[id_].consent for id_ in told} == {id_: contact.consent for id_, contact in stage.told().items()}
    lines = [line for line in caplog.messages if "-> " in line]
    assert lines
    token = stage.sandbox.platform(stage.hand.kind).token
    addresses = {person.email for person in people}
    assert not [line for line in lines if token in line or any(address in line for address in addresses)]
