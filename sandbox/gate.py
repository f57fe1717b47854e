"""The gate every request passes: it counts the call, applies faults and latency, and lets one in at a time."""

from collections import Counter
from collections.abc import Callable, Iterable
from threading import Lock, RLock
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from sandbox.faults import Fault, Faults, error_answer, halved, wait, with_rows

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


Watcher = Callable[["WSGIEnvironment", Callable[["WSGIEnvironment"], Response]], Response]
"""Is given a call and what answers it."""
OPEN_CALLS = "sandbox.open_calls"
"""Where the WSGI environment says how many calls to the platform are under way, this one included."""


class ConnectionDropped(Exception):
    """The connection is to be closed without an answer."""


class Gate:
    """WSGI application around another; calls below `/<platform>` are counted and may go wrong."""

    def __init__(self, platforms: Iterable[str], latency: float) -> None:
        self.lock = RLock()
        """Held while a request is handled."""
        self.app = Flask("nothing yet", template_folder=None, static_folder=None)
        """What answers; may be replaced while the lock is held."""
        self.watcher: Watcher | None = None
        """What every call to a platform passes first."""
        self._platforms, self._latency = frozenset(platforms), latency
        self._counting = Lock()
        self._calls: Counter[tuple[str, str]] = Counter()
        self._open: Counter[str] = Counter()
        self._faults = Faults()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        return self.answer(environ)(environ, start_response)

    def answer(self, environ: "WSGIEnvironment") -> Response:
        """Handle one request. Raises ConnectionDropped when a fault wants that."""
        if environ["PATH_INFO"].lstrip("/").partition("/")[0] not in self._platforms:
            return self._handle(environ)
        return self.watcher(environ, self._answer) if self.watcher else self._answer(environ)

    def _answer(self, environ: "WSGIEnvironment") -> Response:
        platform, _, path = environ["PATH_INFO"].lstrip("/").partition("/")
        with self._counting:
            self._calls[platform, self._route(environ, platform)] += 1
            self._open[platform] += 1
            environ[OPEN_CALLS] = self._open[platform]
            fault = self._faults.take(platform, f"{environ['REQUEST_METHOD']} /{path}")
        try:
            wait(self._latency)
            return self._handle(environ) if fault is None else self._spoil(environ, fault)
        finally:
            with self._counting:
                self._open[platform] -= 1

    def calls(self) -> dict[tuple[str, str], int]:
        with self._counting:
            return dict(self._calls)

    def reset_calls(self) -> None:
        with self._counting:
            self._calls.clear()

    def inject(self, *faults: Fault) -> None:
        with self._counting:
            self._faults.add(*faults)

    def clear_faults(self) -> None:
        with self._counting:
            self._faults.clear()

    def faults(self) -> list[Fault]:
        """Those still to come."""
        with self._counting:
            return self._faults.to_come()

    def _spoil(self, environ: "WSGIEnvironment", fault: Fault) -> Response:
        if fault.kind == "status":
            return error_answer(fault)
        if fault.kind == "reset_before":
            raise ConnectionDropped
        if fault.kind in ("delay", "silence"):
            wait(fault.seconds)
        if fault.kind == "silence":
            raise ConnectionDropped
        answer = self._handle(environ)
        match fault.kind:
            case "reset_after":
                raise ConnectionDropped
            case "truncate":
                return halved(answer)
            case "repeat":
                return with_rows(answer, lambda rows: [rows[0], *rows])
            case "reverse":
                return with_rows(answer, lambda rows: rows[::-1])
        return answer

    def _handle(self, environ: "WSGIEnvironment") -> Response:
        with self.lock:
            return Response.from_app(self.app, environ, buffered=True)

    def _route(self, environ: "WSGIEnvironment", platform: str) -> str:
        """The route's template, e.g. `GET /crm/v3/objects/contacts`; the plain path when there is no such route."""
        try:
            rule, _ = self.app.url_map.bind_to_environ(environ).match(return_rule=True)
            path = rule.rule
        except HTTPException:
            path = environ["PATH_INFO"]
        return f"{environ['REQUEST_METHOD']} {path.removeprefix(f'/{platform}')}"
