"""Faults to order: what goes wrong, on which calls, how often. Counted or drawn from a seed: every run is the same."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from threading import Event
from typing import Any, Literal, get_args

from werkzeug.wrappers import Response

Kind = Literal["status", "reset_before", "reset_after", "truncate", "delay", "silence", "repeat", "reverse"]


@dataclass
class Fault:
    """One thing that goes wrong.

    `route` is a regular expression searched in "METHOD /path" (the path below the platform). The first `after`
    matching calls are spared, of those behind them a share of `rate`, drawn from `seed`, is hit until `times` were.
    `status` answers without handling the call (`retry_after` in seconds adds the header, `body` is JSON to answer
    with, "" nothing at all); `reset_before` and `reset_after` close the connection before or after handling it;
    `truncate` sends half of the answer; `delay` waits `seconds` first; `silence` waits and closes the connection, the
    call unhandled; `repeat` and `reverse` answer with the first row twice or with the rows from last to first.
    ValueError for an unknown kind and a rate outside (0, 1].
    """

    platform: str
    route: str
    kind: Kind
    times: int = 1
    after: int = 0
    status: int = 500
    retry_after: float | None = None
    body: str | None = None
    seconds: float = 0.0
    rate: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"unknown fault kind {self.kind!r}; known: {', '.join(get_args(Kind))}")
        if not 0 < self.rate <= 1:
            raise ValueError(f"a rate of {self.rate!r}: it lies above 0 and is at most 1")
        self._route = re.compile(self.route)
        self._dice = Random(self.seed)

    def hits(self, platform: str, call: str) -> bool:
        """Whether this call goes wrong; counts it."""
        if self.times <= 0 or platform != self.platform or not self._route.search(call):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self._dice.random() >= self.rate:
            return False
        self.times -= 1
        return True


class Faults:
    """The faults that are still to come, first match first."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, *faults: Fault) -> None:
        self._faults.extend(faults)

    def clear(self) -> None:
        self._faults.clear()

    def to_come(self) -> list[Fault]:
        """Those that have not struck as often as ordered."""
        return [fault for fault in self._faults if fault.times > 0]

    def take(self, platform: str, call: str) -> Fault | None:
        """The fault that hits this call, if any."""
        return next((fault for fault in self._faults if fault.hits(platform, call)), None)


def wait(seconds: float) -> None:
    """Let real time pass."""
    if seconds > 0:
        Event().wait(seconds)


def error_answer(fault: Fault) -> Response:
    """The fault's own body, or what a gateway says: JSON for 429, nothing for 403, an HTML page otherwise."""
    if fault.body is not None:
        body, kind = fault.body, "application/json"
    elif fault.status == 429:
        body, kind = json.dumps({"status": "error", "message": "Too many requests"}), "application/json"
    elif fault.status == 403:
        body, kind = "", "text/plain"
    else:
        body, kind = f"<html><body><h1>{fault.status}</h1><p>Try again later.</p></body></html>", "text/html"
    answer = Response(body, fault.status, content_type=kind)
    if fault.retry_after is not None:
        answer.headers["Retry-After"] = f"{fault.retry_after:g}"
    return answer


def halved(answer: Response) -> Response:
    """The first half of an answer, as if something on the way had cut it."""
    body = answer.get_data()
    answer.set_data(body[: len(body) // 2])
    return answer


def with_rows(answer: Response, change: Callable[[list[Any]], list[Any]]) -> Response:
    """An answer in JSON with its lists of records changed; another one as it is."""
    if "json" not in (answer.content_type or "") or not answer.get_data():
        return answer

    def changed(value: Any) -> Any:
        is_rows = isinstance(value, list) and value and all(isinstance(row, dict) for row in value)
        return change(value) if is_rows else value

    data = json.loads(answer.get_data())
    shown = {name: changed(value) for name, value in data.items()} if isinstance(data, dict) else changed(data)
    answer.set_data(json.dumps(shown))
    return answer
