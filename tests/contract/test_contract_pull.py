"""Pulling, the same for every adapter: nobody missed, nobody twice, and a stop after any page is made good."""

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from connectors.records import Consent
from sandbox.faults import Fault
from sandbox.world import small

TINY = 5


def keys(pages):
    """The contacts and activities of pages, in order, each by what tells it."""
    return [
        *((contact.object, contact.id) for page in pages for contact in page.contacts),
        *(activity.id for page in pages for activity in page.activities),
    ]


def by_key(pages):
    found = {}
    for page in pages:
        found |= {(contact.object, contact.id): contact for contact in page.contacts}
        found |= {activity.id: activity for activity in page.activities}
    return found


def test_an_adapter_says_what_it_can_do(stage):
    connector = stage.connect()
    assert connector.kind == stage.hand.kind
    assert tuple(connector.streams) == stage.hand.streams
    assert 0 < len(connector.capabilities.contact_streams) <= len(connector.streams)
    assert set(connector.capabilities.contact_streams) <= set(connector.streams)
    assert connector.capabilities.write_batch > 0
    assert connector.capabilities.read_batch > 0
    assert connector.calls.total() == 0
    with pytest.raises(KeyError):
        list(connector.pull("no such stream", None, stage.now))


def test_a_full_pull_brings_everybody_once(stage):
    connector = stage.connect()
    found = []
    for stream in connector.streams:
        pages = stage.pages(stream, None, connector)
        assert {page.stream for page in pages} == {stream}
        assert len(keys(pages)) == len(set(keys(pages))), stream
        assert bool(sum(len(page.contacts) for page in pages)) is (stream in connector.capabilities.contact_streams)
        found += [contact for page in pages for contact in page.contacts]
    assert {contact.id for contact in found} == stage.hand.everybody()
    assert len(found) == len(stage.hand.everybody()) > TINY * 2
    assert connector.calls.total() == sum(stage.sandbox.calls().values())


def test_tiny_pages_bring_the_same(stage, page_size):
    whole = {stream: by_key(stage.pages(stream)) for stream in stage.hand.streams}
    page_size(TINY)
    for stream in stage.connect().capabilities.contact_streams:
        pages = stage.pages(stream)
        assert len(pages) > 2
        assert max(len(page.contacts) for page in pages) <= TINY
        assert by_key(pages) == whole[stream]
        assert len(keys(pages)) == len(whole[stream])
    page_size(20)
    for stream in stage.hand.streams:
        assert by_key(stage.pages(stream)) == whole[stream]


def test_a_stop_after_any_page_loses_nothing_and_repeats_a_page_at_most(stage, page_size):
    contact_streams = stage.connect().capabilities.contact_streams
    for stream in stage.hand.streams:
        page_size(TINY if stream in contact_streams else 40)
        whole = stage.pages(stream)
        everything, size = by_key(whole), max(len(keys([page])) for page in whole)
        for stop, page in enumerate(whole, 1):
            rest = stage.pages(stream, page.cursor)
            assert by_key([*whole[:stop], *rest]) == everything, (stream, stop)
            assert len(keys(whole[:stop])) + len(keys(rest)) <= len(everything) + size, (stream, stop)


def test_any_page_pulled_again_is_the_same(stage, page_size):
    contact_streams = stage.connect().capabilities.contact_streams
    for stream in stage.hand.streams:
        page_size(TINY if stream in contact_streams else 40)
        whole = stage.pages(stream)
        for before, page in zip([None, *whole], whole, strict=False):
            # two pages: where a page begins with the last row of the one before, a resumed one is shorter by that row
            again = islice(stage.connect().pull(stream, before and before.cursor, stage.now), 2)
            found = by_key(again)
            assert all(found.get(key) == record for key, record in by_key([page]).items()), stream


def test_the_next_pull_brings_exactly_who_changed(stage):
    people, (_, cursors) = stage.people(), stage.read()
    stage.wait()
    assert stage.read(cursors)[0] == []
    changed = {contact.id for contact in people[::4]}
    for id_ in changed:
        stage.hand.change(id_)
    stage.wait()  # beyond the overlap, within which a change may come twice
    news, later = stage.read(cursors)
    assert {contact.id for contact in news} == changed
    assert len(news) == len(changed) > 2
    assert all("Somebody" in contact.properties.values() for contact in news)
    stage.wait()
    assert stage.read(later)[0] == []


def test_a_change_during_a_pull_is_brought_by_it_or_by_the_next(stage, page_size):
    page_size(TINY)
    people = stage.people()
    stage.wait()
    connector, seen, cursors = stage.connect(), {}, {}
    for stream in connector.capabilities.contact_streams:
        for number, page in enumerate(connector.pull(stream, None, stage.now)):
            seen |= {contact.id: contact for contact in page.contacts}
            cursors[stream] = page.cursor
            if number == 0:
                stage.hand.change(people[0].id)
                stage.hand.change(people[-1].id)
    assert set(seen) == stage.hand.everybody()
    stage.wait()
    seen |= stage.told(cursors)
    for person in (people[0], people[-1]):
        assert "Somebody" in seen[person.id].properties.values()


def test_many_changes_at_one_moment_are_all_brought_whatever_the_page(stage, page_size):
    _, cursors = stage.read()
    stage.wait()
    stage.hand.tie()
    page_size(TINY)
    for stream, cursor in cursors.items():
        whole = stage.pages(stream, cursor)
        everything = by_key(whole)
        assert len(keys(whole)) == len(everything)
        for stop, page in enumerate(whole, 1):
            rest = stage.pages(stream, page.cursor)
            assert set(by_key([*whole[:stop], *rest])) == set(everything), (stream, stop)
    stage.wait()
    assert {contact.id for contact in stage.read(cursors)[0]} == stage.hand.everybody()


def test_a_deleted_contact_is_told_and_not_written_to_any_more(stage):
    people, (_, cursors) = stage.people(), stage.read()
    stage.wait(7)
    stage.hand.delete(people[0].id)
    told = stage.told(cursors)
    assert set(told) == {people[0].id}
    assert not told[people[0].id].writable


def test_a_merge_is_told_by_one_side_or_the_other(stage):
    if not stage.hand.merges:
        pytest.skip(f"{stage.hand.kind} has no merges")
    people, (_, cursors) = stage.people(), stage.read()
    loser, winner = people[0], people[1]
    stage.wait(7)
    stage.hand.merge(loser.id, winner.id)
    told = stage.told(cursors)
    assert winner.id in told
    followed = loser.id in told and told[loser.id].merged_into == winner.id
    assert followed or loser.id in told[winner.id].aliases


def test_every_kind_of_consent_is_told_and_what_is_not_said_is_no_yes(stage):
    people = stage.people()
    assert set(stage.hand.consents.values()) >= {Consent.GRANTED, Consent.UNKNOWN, Consent.OPTED_OUT}
    for person, (name, consent) in zip(people, stage.hand.consents.items(), strict=False):
        stage.hand.agree(person.id, name)
        assert stage.told()[person.id].consent is consent, name


@pytest.mark.parametrize("kind", ["repeat", "reverse"])
def test_rows_that_come_twice_or_in_another_order_lose_nobody(stage, page_size, kind):
    streams = stage.connect().capabilities.contact_streams
    for stream in stage.hand.streams:
        page_size(TINY if stream in streams else 40)
        undisturbed = by_key(stage.pages(stream))
        stage.sandbox.inject(Fault(stage.hand.kind, stage.hand.rows, kind, times=3))
        assert by_key(stage.pages(stream)) == undisturbed, stream
        stage.sandbox.clear_faults()


@pytest.mark.parametrize("minutes", [-5, 5])
def test_a_clock_that_is_not_the_platforms_loses_nobody(stage, minutes):
    """Ours is five minutes behind the platform's, or ahead of it."""
    people, (_, cursors) = stage.people(), stage.read()
    connector, changed = stage.connect(), [person.id for person in people[:3]]
    seen = set()
    for id_ in changed:
        stage.wait(hours=1 / 60)
        stage.hand.change(id_)
        for stream, cursor in cursors.items():
            pages = list(connector.pull(stream, cursor, stage.now + timedelta(minutes=minutes)))
            seen |= {contact.id for page in pages for contact in page.contacts}
            cursors[stream] = pages[-1].cursor
    stage.wait()
    assert seen | {contact.id for contact in stage.read(cursors)[0]} >= set(changed)


@pytest.mark.parametrize("households", [0, 3])
def test_nobody_and_one_contact(open_stage, households, given):
    """Three households are one contact for each platform; a year's first day has no leads yet."""
    date = given.date if households else datetime(2017, 1, 1, tzinfo=UTC)
    stage = open_stage(small(households), date)
    connector = stage.connect()
    first = connector.capabilities.contact_streams[0]
    for stream in connector.streams:
        pages = stage.pages(stream, None, connector)
        assert pages
        stage.pages(stream, pages[-1].cursor, connector)
    assert sum(len(page.contacts) for page in stage.pages(first)) == households // 3
    assert {contact.id for contact in stage.read()[0]} == stage.hand.everybody()
    connector.provision(given.fields)
    changes = [given.change(contact) for contact in stage.people()]
    assert len(stage.write(changes, connector)) == len(changes)
    assert (stage.write([]), connector.predict_calls([])) == ([], 0)
