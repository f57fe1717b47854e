"""Thirty days of the daemon's schedule, one call in twenty going wrong: what was promised happened, once."""

from collections import Counter

import pytest

from benchmarks.thirty_days import Lived, live

DAYS = 30


@pytest.fixture(scope="module")
def lived(tiny_world, tmp_path_factory) -> Lived:
    return live(tiny_world, tmp_path_factory.mktemp("thirty"), DAYS, lambda day, so_far: None)


@pytest.mark.slow
def test_every_run_of_the_schedule_is_in_the_book_once(lived) -> None:
    booked = Counter(lived.booked)
    promised = [at for at, name in lived.due if name in ("score", "train")]
    assert len(promised) >= DAYS
    assert [at for at in promised if booked[at] != 1] == []
    assert lived.struck > 0.02 * lived.calls


@pytest.mark.slow
def test_the_platforms_hold_what_was_computed_last(lived) -> None:
    assert lived.written > 0
    assert lived.unwritten == 0


@pytest.mark.slow
def test_store_and_memory_stay_bounded(lived) -> None:
    """The second half of the month adds less than the first third held, day by day."""
    grown = lived.megabytes[-1] - lived.megabytes[DAYS // 2]
    assert grown < lived.megabytes[DAYS // 3]
    assert lived.resident[-1] < 1.1 * lived.resident[DAYS // 3]
