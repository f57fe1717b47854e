"""One command as a process of its own: how long it took, and what it used of the processor."""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter


@dataclass(frozen=True)
class Timing:
    """Seconds that passed, and seconds of processor; from start to end of the process, the interpreter included."""

    wall: float
    cpu: float


class Failed(Exception):
    """The command ended with an error; the message holds the end of what it said."""


def timed(command: Sequence[str | Path], environment: Mapping[str, str], folder: Path, out: Path) -> Timing:
    """Run `command` in `folder`, its output into `out` (errors beside it). Raises Failed."""
    errors = out.with_suffix(".err")
    began = perf_counter()
    with out.open("wb") as stdout, errors.open("wb") as stderr:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=stdout, stderr=stderr)
        _, status, used = os.wait4(process.pid, 0)
    wall = perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        said = (out.read_text(encoding="utf-8") + errors.read_text(encoding="utf-8"))[-2_000:]
        raise Failed(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{said}")
    return Timing(wall, used.ru_utime + used.ru_stime)


def count(out: Path, pattern: str) -> int:
    """The number that `pattern` finds in what a command said. Failed when it said no such thing."""
    said = out.read_text(encoding="utf-8")
    found = re.search(pattern, said)
    if found is None:
        raise Failed(f"{pattern} is not in what was said:\n{said}")
    return int(found[1].replace(",", ""))
