"""Reads a list by offset, several pages at once, and tells whether it was seen whole."""

import logging
from array import array
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import closing
from functools import partial
from hashlib import blake2b
from itertools import pairwise
from typing import Any

from connectors.ahead import ahead
from connectors.errors import Unavailable
from connectors.mailchimp.sdk import PAGE, Answer

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Calls of one list under way: Mailchimp gives ten connections to all integrations of an account together."""
PASSES = 3
"""How often a list that changes under our hands is gone over."""


class Pages:
    """A list of which the page at any offset can be had, `size` rows each.

    Whoever takes page after page finds the following ones already asked for, up to the `total_items` that the first one
    named. Close it when done.
    """

    def __init__(self, page: Callable[[int], Answer], size: int) -> None:
        self._page = page
        self._size = size
        self._next = 0
        self._coming: Generator[Answer] | None = None

    def at(self, offset: int, first: Answer | None = None) -> Answer:
        """The page at `offset`, asked for anew unless it is the one behind the last; `first` is it, where at hand."""
        answer = next(self._coming, None) if self._coming and offset == self._next else None
        self._next = offset + self._size
        if answer is None:
            self.close()
            answer = first or self._page(offset)
            rest = range(self._next, answer["total_items"], self._size)
            self._coming = ahead((partial(self._page, start) for start in rest), AT_ONCE)
        return answer

    def close(self) -> None:
        """Forget the pages that were asked for."""
        if self._coming:
            self._coming.close()


def whole(page: Callable[[int], Answer], name: str, id_: str = "id") -> list[Mapping[str, Any]]:
    """The rows of all pages of a list, each once by its field `id_`; `name` is what the answer calls them.

    Raises Unavailable for a list that changes faster than it can be read.
    """
    found: dict[str, Mapping[str, Any]] = {}
    tally, offset, more = Tally(0), 0, True
    with closing(Pages(page, PAGE)) as pages:
        while more:
            answer = pages.at(offset)
            rows = {str(row[id_]): row for row in answer[name]}
            found |= rows
            offset, more = tally.beyond(offset, rows, answer["total_items"], name)
    return list(found.values())


class Tally:
    """Tells whether a list that is being walked was seen whole: as many different ids as places went by.

    A row that changes its place while the pages are read is met twice, and pushes one that is not met at all into its
    place. An id takes eight bytes here, so that the memory of a million rows stays small.
    """

    def __init__(self, start: int) -> None:
        self._start = start
        self._passes = 1
        self._marks = array("Q")

    def beyond(self, offset: int, ids: Collection[str], total: int, what: str) -> tuple[int, bool]:
        """Note the different ids of the page at `offset`: where the next one begins, and whether there is one.

        At the end of a list that was not seen whole that is its beginning. Raises as `again` does.
        """
        self._marks.extend(int.from_bytes(blake2b(id_.encode(), digest_size=8).digest()) for id_ in ids)
        offset += len(ids)
        if ids and offset < total:
            return offset, True
        return (offset, False) if self._settles(offset, total, what) else (0, True)

    def _settles(self, end: int, total: int, what: str) -> bool:
        """Whether a pass that ended behind the place `end` of `total` missed nothing; if not, another one is begun.

        A list that keeps ending before its own total is believed in the end.
        """
        if end >= total and self._different() >= end - self._start:
            return True
        if end < total and self._passes == PASSES:
            log.warning("%s: the list ends after %d of the %d rows it claims to have", what, end, total)
            return True
        self.again(what)
        return False

    def again(self, what: str) -> None:
        """Begin another pass, from the first row on. Raises Unavailable when there were too many."""
        if self._passes == PASSES:
            raise Unavailable(f"{what}: the list changes faster than it can be read; the next pull reads it again")
        self._passes, self._start = self._passes + 1, 0

    def _different(self) -> int:
        return sum(one != other for one, other in pairwise(sorted(self._marks))) + bool(self._marks)
