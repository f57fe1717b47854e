"""Going through all records, then through those that changed: nothing lost, whatever happens in between."""

from datetime import UTC, datetime, timedelta
from functools import cache
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.hubspot.answers import instant, millis
from connectors.hubspot.changes import OVERLAP, SEARCH_PAGE, SEARCH_WINDOW
from connectors.hubspot.walk import Walk

T0 = datetime(2026, 5, 1, 12, tzinfo=UTC)


@cache
def _moment(text):
    return millis(instant(text))


class Platform:
    """Records in memory behind the two endpoints a walk uses. `between` is called before every answer to a search."""

    def __init__(self, moments=()):
        self.rows = {str(1000 + n): moment for n, moment in enumerate(moments)}
        self.bin = {}
        self.between = lambda: None
        self.searches = 0
        self.lists = 0
        self.id_key = int
        """How the search compares record ids."""

    def touch(self, id_, moment):
        self.rows[id_] = moment

    def archive(self, id_, moment):
        del self.rows[id_]
        self.bin[id_] = moment

    def get_page(self, limit, after, archived, **_):
        self.lists += 1
        source = self.bin if archived else self.rows
        ids = [id_ for id_ in sorted(source, key=int) if after is None or int(id_) >= int(after)]
        rows = [self._row(id_, source[id_]) | ({"archivedAt": source[id_]} if archived else {}) for id_ in ids[:limit]]
        return {"results": rows, **({"paging": {"next": {"after": ids[limit]}}} if len(ids) > limit else {})}

    def do_search(self, question, **_):
        self.between()
        self.searches += 1
        found = [self._row(id_, moment) for id_, moment in self.rows.items()]
        for asked in question["filterGroups"][0]["filters"]:
            found = [row for row in found if self._holds(row, asked)]
        found.sort(key=lambda row: (self._key(row, question["sorts"][0]["propertyName"]), int(row["id"])))
        start = int(question.get("after", 0))
        end = start + question["limit"]
        assert end <= SEARCH_WINDOW, "HTTP 400"
        paging = {"paging": {"next": {"after": str(end)}}} if end < len(found) else {}
        return {"total": len(found), "results": found[start:end], **paging}

    @staticmethod
    def _row(id_, moment):
        return {"id": id_, "properties": {"modified": moment}}

    def _key(self, row, name):
        return self.id_key(row["id"]) if name == "hs_object_id" else _moment(row["properties"][name])

    def _holds(self, row, asked):
        convert = self.id_key if asked["propertyName"] == "hs_object_id" else int
        have, want = self._key(row, asked["propertyName"]), convert(asked["value"])
        return {"EQ": have == want, "GT": have > want, "GTE": have >= want, "LTE": have <= want}[asked["operator"]]


def walk(platform, gather=1):
    return Walk(platform, platform, "modified", ["email"], associations=None, gather=gather)


def iso(offset):
    return (T0 + offset).isoformat()


def changed_from(moment):
    """The cursor of a search from `moment` on."""
    return list(walk(Platform()).legs(None, moment + OVERLAP))[-1].cursor


def ids(legs):
    return [row["id"] for leg in legs for row in leg.rows]


def test_a_first_pull_lists_everybody_once_and_the_bin():
    platform = Platform([iso(-timedelta(days=n)) for n in range(250)])
    platform.archive("1003", iso(-timedelta(hours=1)))
    legs = list(walk(platform).legs(None, T0))
    assert sorted(ids(legs)) == sorted([*platform.rows, "1003"])
    assert platform.lists == 4
    assert platform.searches == 0
    assert all(leg.listed for leg in legs)


def test_with_nothing_changed_a_pull_is_one_call():
    platform = Platform([iso(-timedelta(days=1))] * 500)
    cursor = list(walk(platform).legs(None, T0))[-1].cursor
    platform.lists = 0
    assert ids(walk(platform).legs(cursor, T0 + timedelta(hours=1))) == []
    assert (platform.lists, platform.searches) == (0, 1)


def test_the_bin_is_looked_into_every_six_hours():
    platform = Platform([iso(-timedelta(days=1))] * 3)
    cursor = list(walk(platform).legs(None, T0))[-1].cursor
    platform.archive("1001", iso(timedelta(minutes=1)))
    looks = []
    for hour in range(1, 25):
        platform.lists = 0
        legs = list(walk(platform).legs(cursor, T0 + timedelta(hours=hour)))
        cursor = legs[-1].cursor
        if platform.lists:
            looks.append((hour, ids(legs)))
    assert looks == [(6, ["1001"]), (12, []), (18, []), (24, [])]


def test_changes_during_the_first_pull_are_brought_by_the_second():
    platform = Platform([iso(-timedelta(days=1))] * 300)
    legs = walk(platform).legs(None, T0)
    next(legs)
    platform.touch("1001", iso(timedelta(minutes=1)))
    cursor = list(legs)[-1].cursor
    assert ids(walk(platform).legs(cursor, T0 + timedelta(hours=1))) == ["1001"]


def test_a_first_pull_that_broke_off_still_brings_what_changed_since_its_beginning():
    platform = Platform([iso(-timedelta(days=1))] * 300)
    first = next(walk(platform).legs(None, T0))
    platform.touch("1001", iso(timedelta(minutes=1)))
    rest = list(walk(platform).legs(first.cursor, T0 + timedelta(days=2)))
    assert sorted(ids([first, *rest])) == sorted(platform.rows)
    assert ids(walk(platform).legs(rest[-1].cursor, T0 + timedelta(days=2))) == ["1001"]


def test_records_from_after_the_end_wait_for_the_next_pull():
    platform = Platform([iso(-timedelta(days=1)), iso(timedelta(days=1))])
    legs = list(walk(platform).legs(None, T0))
    assert ids(legs) == ["1000"]
    assert ids(walk(platform).legs(legs[-1].cursor, T0 + timedelta(days=2))) == ["1001"]


@pytest.mark.parametrize(
    ("count", "key"), [(199, int), (200, int), (201, int), (1_000, int), (10_500, int), (1_000, str)]
)
def test_trap_a_mass_update_in_one_moment_is_brought_once(count, key):
    """By record id, whether the search compares ids as numbers or as text."""
    platform = Platform([iso(timedelta(0))] * count + [iso(timedelta(seconds=1))] * 3)
    platform.id_key = key
    platform.rows = {str(int(id_) + 8_500): moment for id_, moment in platform.rows.items()}  # of four and five digits
    legs = list(walk(platform).legs(changed_from(T0 - timedelta(hours=1)), T0 + timedelta(hours=1)))
    assert sorted(ids(legs)) == sorted(platform.rows)
    assert platform.searches <= 2 * -(-count // SEARCH_PAGE) + 3


def test_trap_more_than_a_search_can_show_are_brought_once():
    platform = Platform([iso(timedelta(milliseconds=37 * n)) for n in range(10_450)])
    legs = list(walk(platform).legs(changed_from(T0 - timedelta(hours=1)), T0 + timedelta(hours=1)))
    assert sorted(ids(legs)) == sorted(platform.rows)
    assert platform.searches <= 10_450 / (SEARCH_PAGE - 1) + 2


def test_trap_records_that_change_while_they_are_read_push_nobody_out():
    platform = Platform([iso(timedelta(milliseconds=n)) for n in range(1_000)])
    busy = iter(list(platform.rows))

    def change_ten():
        for _ in range(10):
            platform.touch(next(busy), iso(timedelta(hours=2)))

    platform.between = change_ten
    legs = list(walk(platform).legs(changed_from(T0 - timedelta(hours=1)), T0 + timedelta(hours=1)))
    moved = {id_ for id_, moment in platform.rows.items() if moment == iso(timedelta(hours=2))}
    assert set(platform.rows) - set(ids(legs)) <= moved
    later = ids(walk(platform).legs(legs[-1].cursor, T0 + timedelta(hours=3)))
    assert moved <= set(later)


def test_a_fresh_moment_in_the_middle_of_a_page_is_nothing_to_restart_at():
    """The clock of the platform may be ahead of ours by minutes; such rows come, but move nothing."""
    platform = Platform([iso(timedelta(milliseconds=n)) for n in range(500)])
    honest = platform.do_search

    def search(question, **_):
        answer = honest(question)
        if platform.searches == 1:
            answer["results"][50]["properties"]["modified"] = iso(timedelta(hours=1, minutes=5))
        return answer

    platform.do_search = search
    legs = list(walk(platform).legs(changed_from(T0 - timedelta(hours=1)), T0 + timedelta(hours=1)))
    assert set(ids(legs)) == set(platform.rows)


def test_what_was_written_a_moment_after_the_end_is_read_back():
    platform = Platform([iso(timedelta(milliseconds=n)) for n in range(1, 700)])
    legs = list(walk(platform).legs(changed_from(T0), T0))
    assert sorted(ids(legs)) == sorted(platform.rows)


def test_trap_an_empty_page_with_a_cursor_is_not_the_end():
    platform = Platform([iso(timedelta(0))] * 5)
    honest = platform.do_search

    def search(question, **_):
        if "after" not in question:
            return {"results": [], "paging": {"next": {"after": "200"}}}
        return honest({**question, "after": "0"})

    platform.do_search = search
    legs = walk(platform).legs(changed_from(T0 - timedelta(hours=1)), T0 + timedelta(hours=1))
    assert len(ids(legs)) == 5


@settings(max_examples=60, deadline=None)
@given(
    moments=st.lists(st.sampled_from([0, 1, 2, 3, 50, 51, 900]), max_size=1_500),
    broken=st.integers(0, 12),
    gather=st.integers(1, 5),
)
def test_resuming_after_any_leg_loses_nothing(moments, broken, gather):
    platform = Platform([iso(timedelta(milliseconds=moment)) for moment in moments])
    cursor = changed_from(T0 - timedelta(hours=1))
    before = []
    for number, leg in enumerate(walk(platform, gather).legs(cursor, T0 + timedelta(hours=1))):
        before.append(leg)
        cursor = leg.cursor
        if number == broken:
            break
    rest = list(walk(platform, gather).legs(cursor, T0 + timedelta(hours=5)))
    assert set(ids([*before, *rest])) == set(platform.rows)
    assert len(ids(before)) == len(set(ids(before)))


def test_deletions_are_noticed_between_full_pulls_and_told_once():
    platform = Platform([iso(-timedelta(days=9))] * 350)
    cursor = list(walk(platform).legs(None, T0))[-1].cursor
    for number in range(250):
        platform.archive(str(1000 + number), iso(timedelta(minutes=30)))
    told = []
    for hour in range(6, 20):
        legs = list(walk(platform).legs(cursor, T0 + timedelta(hours=hour)))
        cursor = legs[-1].cursor
        told.append(len(ids(legs)))
    assert told == [100, 100, 50, *[0] * 11]


def test_the_next_page_is_on_its_way_while_this_one_is_stored():
    platform, asked = Platform([iso(-timedelta(days=1))] * 250), Event()
    honest = platform.get_page

    def get_page(after, **more):
        if after is not None:
            asked.set()
        return honest(after=after, **more)

    platform.get_page = get_page
    legs = walk(platform).legs(None, T0)
    next(legs)
    assert asked.wait(5), "the second page is only asked for when the first one was stored"
    legs.close()
    assert platform.lists == 2


@pytest.mark.parametrize("place", [0, 50, 198, 199])
def test_trap_a_row_that_shows_a_newer_moment_than_its_place_hides_nobody(place):
    """It changed a minute ago, and the index has not moved it yet: those behind it must still come, and once."""
    platform = Platform([iso(timedelta(seconds=n)) for n in range(1_000)])
    honest = platform.do_search

    def search(question, **_):
        answer = honest(question)
        if platform.searches == 2:
            answer["results"][place]["properties"]["modified"] = iso(timedelta(minutes=59))
        return answer

    platform.do_search = search
    legs = list(walk(platform).legs(changed_from(T0 - timedelta(hours=1)), T0 + timedelta(hours=1)))
    assert set(ids(legs)) == set(platform.rows)
    assert len(ids(legs)) <= len(platform.rows) + 1


def test_changes_of_the_last_minutes_come_once_too():
    platform = Platform([iso(timedelta(seconds=5 * n)) for n in range(1_000)])
    legs = list(walk(platform).legs(changed_from(T0 - timedelta(hours=1)), T0 + timedelta(seconds=5_100)))
    assert sorted(ids(legs)) == sorted(platform.rows)


def test_the_search_says_how_many_will_come():
    platform = Platform([iso(timedelta(seconds=n)) for n in range(450)])
    cursor = changed_from(T0 - timedelta(hours=1))
    legs = list(walk(platform).legs(cursor, T0 + timedelta(hours=1)))
    assert [leg.total for leg in legs] == [450, 250, 51]
    assert [len(leg.rows) for leg in legs] == [200, 199, 51]
