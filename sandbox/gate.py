"""The gate every request passes: it counts the call, applies faults and latency, and lets one in at a time."""

from collections import Counter
from collections.abc import Iterable
from threading import RLock
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from sandbox.faults import Fault, Faults, error_answer, halved, wait

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class ConnectionDropped(Exception):
    """The connection is to be closed without an answer."""


class Gate:
    """WSGI application around `app`; calls below `/<platform>` are counted and may go wrong."""

    def __init__(self, app: Flask, platforms: Iterable[str], latency: float) -> None:
        self.calls: Counter[tuple[str, str]] = Counter()
        self.faults = Faults()
        self.lock = RLock()
        self._app, self._platforms, self._latency = app, frozenset(platforms), latency

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        return self.answer(environ)(environ, start_response)

    def answer(self, environ: "WSGIEnvironment") -> Response:
        """Handle one request. Raises ConnectionDropped when a fault wants that."""
        platform, _, path = environ["PATH_INFO"].lstrip("/").partition("/")
        if platform not in self._platforms:
            return self._handle(environ)
        with self.lock:
            self.calls[platform, self._route(environ, platform)] += 1
            fault = self.faults.take(platform, f"{environ['REQUEST_METHOD']} /{path}")
        wait(self._latency)
        return self._handle(environ) if fault is None else self._spoil(environ, fault)

    def _spoil(self, environ: "WSGIEnvironment", fault: Fault) -> Response:
        if fault.kind == "status":
            return error_answer(fault)
        if fault.kind == "reset_before":
            raise ConnectionDropped
        if fault.kind == "delay":
            wait(fault.seconds)
        answer = self._handle(environ)
        if fault.kind == "reset_after":
            raise ConnectionDropped
        return halved(answer) if fault.kind == "truncate" else answer

    def _handle(self, environ: "WSGIEnvironment") -> Response:
        with self.lock:
            return Response.from_app(self._app, environ, buffered=True)

    def _route(self, environ: "WSGIEnvironment", platform: str) -> str:
        """The route's template, e.g. `GET /crm/v3/objects/contacts`; the plain path when there is no such route."""
        try:
            rule, _ = self._app.url_map.bind_to_environ(environ).match(return_rule=True)
            path = rule.rule
        except HTTPException:
            path = environ["PATH_INFO"]
        return f"{environ['REQUEST_METHOD']} {path.removeprefix(f'/{platform}')}"
