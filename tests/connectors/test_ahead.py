"""Calls overlap, answers keep their order, and no more is asked than was allowed."""

from collections.abc import Callable, Iterator
from functools import partial
from threading import Barrier

import pytest

from connectors.ahead import ahead


def test_answers_come_in_order_whatever_ends_first() -> None:
    assert list(ahead((partial(int, n) for n in range(50)), 4)) == list(range(50))


def test_the_calls_overlap() -> None:
    together = Barrier(4, timeout=10)  # breaks unless four calls are under way at one time
    assert sorted(ahead((together.wait for _ in range(8)), 4)) == [0, 0, 1, 1, 2, 2, 3, 3]


def test_no_more_is_begun_than_allowed_ahead_of_what_was_read() -> None:
    begun = []

    def calls() -> Iterator[Callable[[], int]]:
        for n in range(100):
            begun.append(n)
            yield partial(int, n)

    answers = ahead(calls(), 3)
    assert next(answers) == 0
    assert len(begun) <= 4
    answers.close()
    assert len(begun) <= 4


def test_an_error_comes_in_its_place_and_ends_it() -> None:
    def fail() -> int:
        raise ValueError("broken")

    answers = ahead([partial(int, 1), fail, partial(int, 3)], 2)
    assert next(answers) == 1
    with pytest.raises(ValueError, match="broken"):
        next(answers)
    assert list(answers) == []


def test_nothing_to_call_is_no_answer() -> None:
    assert list(ahead([], 3)) == []
