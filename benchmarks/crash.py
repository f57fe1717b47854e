"""Kills foretag at hundreds of instants and starts it again: is anything lost, wrong, there twice?

A sandbox kills the process at a call, before or after it took effect; the process kills itself at a commit, right
before or right after it. Every command is one of its own, on forty people, with pages and batches of ten. Each point
starts from where its command starts, and ends when the command, given again, is done. Then every record on the
platforms, every row in the store and every file beside it is compared with a run in which nothing went wrong.
Run: python -m benchmarks.crash [--points N] [--seed S] [--workers W] [STAGE ...]; exit code 1 when something differs.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from unittest.mock import patch

from benchmarks.crash_points import COMMANDS, Found, killed, points, stages
from benchmarks.crash_site import PAGE, CrashSite
from sandbox.people import World
from sandbox.salesforce import queries
from sandbox.world import small

PEOPLE = 40
POINTS, SEED, WORKERS = 240, 5, 2
NEVER = ("lost", "wrong", "duplicated", "consent", "foreign", "rows stored twice")
"""What must not happen at all."""
TWICE = "values written twice"
"""What may happen; the most in one point is shown."""


def matrix(
    world: World, count: int, seed: int, workers: int, wanted: Sequence[str], told: Callable[[Found], None]
) -> list[Found]:
    """Kill at `count` points of the `wanted` stages; what became of each, told as they come."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        stack.enter_context(patch.object(queries, "SMALLEST_PAGE", PAGE))
        sites: SimpleQueue[CrashSite] = SimpleQueue()
        for number in range(workers):
            site = CrashSite(world, Path(folder, f"site{number}"))
            stack.callback(site.stop)
            sites.put(site)
        first = sites.get()
        known = {stage.name: stage for stage in stages(first, Path(folder, "stages"), wanted)}
        sites.put(first)

        def one(point: Found) -> Found:
            site = sites.get()
            try:
                return killed(site, known[point.stage], point)
            finally:
                sites.put(site)

        found = []
        with ThreadPoolExecutor(workers) as pool:
            for each in pool.map(one, points(list(known.values()), count, seed)):
                told(each)
                found.append(each)
        return found


def table(found: Sequence[Found]) -> Iterator[str]:
    """One line per stage and kind, in Markdown."""
    yield f"| stage | killed at a | points | {' | '.join(NEVER)} | {TWICE}, at most |"
    yield "|---|---|" + "---:|" * (2 + len(NEVER))
    for stage in COMMANDS:
        mine = [each for each in found if each.point.stage == stage]
        for row in dict.fromkeys(each.point.row for each in mine):
            some = [each for each in mine if each.point.row == row]
            numbers = [sum(each.counts[what] for each in some) for what in NEVER]
            numbers.append(max(each.counts[TWICE] for each in some))
            yield f"| {stage} | {row} | {len(some)} | {' | '.join(map(str, numbers))} |"


def streams(found: Sequence[Found]) -> Iterator[str]:
    """One line per stream: the rows of it that one point cost at most, in Markdown."""
    yield "| stream | rows asked for again, at most | pages |"
    yield "|---|---:|---:|"
    most: Counter[str] = Counter()
    for each in found:
        if each.point.stage == "pull":
            most |= each.again
    for stream, rows in sorted(most.items()):
        yield f"| {stream} | {rows} | {-(-rows // PAGE)} |"


def main() -> None:
    """Print the table, and every point at which something is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=POINTS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--workers", type=int, default=WORKERS, help="points at a time")
    parser.add_argument("stage", nargs="*", choices=[*COMMANDS, []], help="all of them by default")
    chosen = parser.parse_args()

    def told(found: Found) -> None:
        if found.examples:
            sys.stderr.write(f"{found.point}: {'; '.join(found.examples)}\n")

    found = matrix(small(PEOPLE), chosen.points, chosen.seed, chosen.workers, chosen.stage or tuple(COMMANDS), told)
    print("\n".join([*table(found), "", *streams(found)]))
    print(f"\n{len(found)} points, seed {chosen.seed}; a page and a batch are {PAGE} rows.")
    alive = sum(not each.died for each in found)
    print(
        f"Points that the command ended before: {alive}. Most starts until it was done: {max(f.starts for f in found)}."
    )
    if any(each.counts[what] for each in found for what in NEVER):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
