"""Walks a list by offset, several pages at once."""

import logging
from array import array
from collections.abc import Callable, Generator, Iterable
from functools import partial
from hashlib import blake2b
from itertools import pairwise

from connectors.ahead import ahead
from connectors.errors import Unavailable
from connectors.mailchimp.sdk import Answer

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Calls of one list under way: Mailchimp gives ten connections to all integrations of an account together."""
PASSES = 3
"""How often a list that changes under our hands is gone over."""


def walk(
    page: Callable[[int], Answer], offset: int, size: int, first: Answer | None = None, *, most: int | None = None
) -> Generator[Answer]:
    """The pages of `size` rows from `offset` on, up to the `total_items` that the first one names.

    `first` is the page at `offset`, where it is at hand; `most` ends the list earlier. Whoever finds that a page does
    not begin where the one before it ended closes the walk and begins another one there.
    """
    if first is None:
        first = page(offset)
    yield first
    end = first["total_items"] if most is None else min(most, first["total_items"])
    yield from ahead((partial(page, start) for start in range(offset + size, end, size)), AT_ONCE)


class Tally:
    """Tells whether a list that is being walked was seen whole: as many different ids as places went by.

    A row that changes its place while the pages are read is met twice, and pushes one that is not met at all into its
    place. An id takes eight bytes here, so that the memory of a million rows stays small.
    """

    def __init__(self, start: int) -> None:
        self._start = start
        self._passes = 1
        self._marks = array("Q")

    def add(self, ids: Iterable[str]) -> None:
        """Note the different ids of a page."""
        self._marks.extend(int.from_bytes(blake2b(id_.encode(), digest_size=8).digest()) for id_ in ids)

    def settles(self, end: int, total: int, what: str) -> bool:
        """Whether a pass that ended behind the place `end` of `total` missed nothing; if not, another one is begun.

        Raises Unavailable when a few passes do not do. A list that keeps ending before its own total is believed then.
        """
        if end >= total and self._different() >= end - self._start:
            return True
        if self._passes == PASSES:
            if end >= total:
                raise Unavailable(f"{what}: the list changes faster than it can be read; the next pull reads it again")
            log.warning("%s: the list ends after %d of the %d rows it claims to have", what, end, total)
            return True
        self._passes, self._start = self._passes + 1, 0
        return False

    def _different(self) -> int:
        return sum(one != other for one, other in pairwise(sorted(self._marks))) + bool(self._marks)
