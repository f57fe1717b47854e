"""Pieces of work side by side, one processor each."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits

MOST = 4
"""Threads at once: each holds rows of its own in memory."""

_Item = TypeVar("_Item")
_Found = TypeVar("_Found")


def side_by_side(work: Callable[[_Item], _Found], items: Iterable[_Item]) -> list[_Found]:
    """`work` of each of `items`, in their order; the first error is raised.

    Every piece is computed on one thread alone, so its bits do not depend on how many run at once: the libraries
    beneath (BLAS, OpenMP) add in another order with every number of threads.
    """
    with threadpool_limits(1), ThreadPoolExecutor(min(os.cpu_count() or 1, MOST), initializer=_alone) as threads:
        return list(threads.map(work, items))


def _alone() -> None:
    # OpenMP keeps its limit per thread, so that of the caller does not reach here.
    threadpool_limits(1, user_api="openmp")
