"""A small kill matrix, over what a run alone does not come to; `make bench-crash` kills at hundreds of instants."""

from collections import Counter
from dataclasses import replace

import pytest

from benchmarks.crash import TWICE, matrix, table
from benchmarks.crash_points import Found, Point

pytestmark = [pytest.mark.crash, pytest.mark.slow]

STAGES = ("undo", "backup", "restore", "migration")


@pytest.fixture(scope="module")
def found(tiny_world) -> list[Found]:
    return matrix(tiny_world, count=10, seed=3, workers=2, wanted=STAGES, told=lambda each: None)


def test_killed_and_started_again_everything_ends_as_if_nothing_had_been(found):
    assert [(each.point, each.examples) for each in found if each.examples] == []
    assert sum(each.died for each in found) >= len(found) - 2  # how often the book of calls is written varies a little
    assert {each.point.stage for each in found} == {*STAGES}


def test_no_value_is_written_twice(found):
    assert max(each.counts[TWICE] for each in found) == 0


def test_the_table_sums_what_must_not_be_and_shows_the_most_of_what_may():
    point = Point("apply", "call", 3, after=False)
    one = Found(point, died=True, counts=Counter({"lost": 1, TWICE: 7}))
    other = Found(replace(point, number=4), died=True, counts=Counter({"lost": 2, "consent": 1, TWICE: 2}))
    assert list(table([one, other]))[2:] == ["| apply | call, before it acts | 2 | 3 | 0 | 0 | 1 | 0 | 0 | 7 |"]
