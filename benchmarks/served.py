"""The sandbox in a process of its own, so that it is not measured along with what is.

`python -m benchmarks.served` is that process: it prints its address and tokens, and then, for each line it is sent,
the seconds of processor it has used.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from time import process_time
from typing import Any

import requests

from sync.secrets import variable


@dataclass(frozen=True)
class Served:
    """A running sandbox."""

    url: str
    tokens: Mapping[str, str]
    _process: "subprocess.Popen[str]"

    def environment(self) -> dict[str, str]:
        """The environment of this process, with the tokens where foretag looks for them."""
        return os.environ | {variable(f"{name}.token"): token for name, token in self.tokens.items()}

    def take_calls(self) -> Counter[str]:
        """Calls by platform since this was asked last."""
        counted: Counter[str] = Counter()
        for row in self._control("counters", {})["calls"]:
            counted[row["platform"]] += row["count"]
        return counted

    def move(self, date: datetime) -> None:
        """Set the sandbox's date."""
        self._control("clock", {"date": date.isoformat()})

    def cpu_seconds(self) -> float:
        """Seconds of processor the sandbox has used so far."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the sandbox was started without pipes")
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def _control(self, what: str, sent: Mapping[str, Any]) -> Any:
        answer = requests.post(f"{self.url}/_sandbox/{what}", json=sent, timeout=60)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def served(date: datetime, people: int | None = None, latency: float = 0.0) -> Iterator[Served]:
    """A sandbox at `date` with the real shoppers, or with `people` invented ones who are on every platform.

    `latency` in seconds is added to each call; the platforms' rate limits are on.
    """
    command = [sys.executable, "-m", "benchmarks.served", date.isoformat(), str(people or 0), str(latency)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None:
                raise RuntimeError("the sandbox was started without pipes")
            yield Served(**json.loads(process.stdout.readline()), _process=process)
        finally:
            process.kill()


def main() -> None:
    from sandbox.server import Sandbox
    from sandbox.world import load, synthetic

    date, people, latency = datetime.fromisoformat(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    with Sandbox(synthetic(people) if people else load(), date, latency=latency) as sandbox:
        tokens = {name: platform.token for name, platform in sandbox.platforms.items()}
        print(json.dumps({"url": sandbox.url, "tokens": tokens}), flush=True)
        for _ in sys.stdin:
            print(process_time(), flush=True)


if __name__ == "__main__":
    main()
