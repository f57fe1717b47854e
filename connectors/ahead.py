"""Overlaps calls that need not wait for one another, and hands their answers over in order."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def ahead(calls: Iterable[Callable[[], T]], at_once: int) -> Generator[T]:
    """The answers of `calls`, in their order, while at most `at_once` of them are under way.

    `calls` is read no further than `at_once` beyond the answer handed over last, so memory stays flat and little is
    asked in vain. The first call that raises ends it: its error comes in its place, what was not begun never is.
    Whoever stops reading early should close the iterator: it waits for the calls under way.
    """
    waiting = iter(calls)
    under_way: deque[Future[T]] = deque()
    with ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="ahead") as pool:
        try:
            under_way.extend(pool.submit(call) for call in islice(waiting, at_once))
            while under_way:
                answer = under_way.popleft().result()
                under_way.extend(pool.submit(call) for call in islice(waiting, 1))
                yield answer
        finally:
            for each in under_way:
                each.cancel()
