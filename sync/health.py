"""What may be asked of the daemon, on 127.0.0.1 only and by GET only: /healthz, /readyz, /metrics, and a page at /."""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from sync.clock import Clock
from sync.config import Config
from sync.errors import ForetagError
from sync.page import POLICY, page
from sync.site import open_site
from sync.status import as_data, scored

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
METRICS = "text/plain; version=0.0.4; charset=utf-8"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Sent with every answer: nobody keeps it, frames it, or takes it for something else."""
VERDICTS = ("ok", "partial", "failed", "refused")
Sample = tuple[dict[str, str], float]


class Health:
    """Answers about one installation; `alive` tells whether the scheduler is at work."""

    def __init__(self, config: Config, clock: Clock, alive: Callable[[], bool]) -> None:
        self._config, self._clock, self._alive = config, clock, alive

    def answer(self, path: str) -> tuple[int, str, str]:
        """Status, content type and text for `path`. 503 stands for no, 404 for a path there is none of."""
        try:
            match path.partition("?")[0]:
                case "/healthz":
                    return (200, TEXT, "ok\n") if self._alive() else (503, TEXT, "the scheduler stands still\n")
                case "/readyz":
                    with open_site(self._config, self._clock, alone=False) as site:
                        _, freshness = scored(site)
                    return 200 if freshness in ("ok", "stale") else 503, TEXT, f"scores: {freshness}\n"
                case "/metrics":
                    with open_site(self._config, self._clock, alone=False) as site:
                        return 200, METRICS, metrics(as_data(site))
                case "/":
                    with open_site(self._config, self._clock, alone=False) as site:
                        return 200, HTML, page(as_data(site))
                case _:
                    return 404, TEXT, "there is /, /healthz, /readyz and /metrics\n"
        except ForetagError as error:
            log.warning("health: %s", error)
            return 503, TEXT, "the store cannot be read: foretag status\n"


def metrics(data: dict[str, Any]) -> str:
    """What `sync.status.as_data` knows, in Prometheus' text format."""
    return "\n".join(_metric_lines(data)) + "\n"


def _metric_lines(data: dict[str, Any]) -> Iterator[str]:
    ended = [run for run in data["runs"] if run["verdict"] in VERDICTS]
    yield from _metric("mode", "1 for the mode that is set.", [({"mode": data["mode"]}, 1)])
    yield from _metric(
        "scores_timestamp_seconds",
        "When everyone was scored last, in Unix time.",
        [({}, _unix(data["scored"]))] if data["scored"] else [],
    )
    yield from _metric(
        "scores_fresh", "1 while scores are younger than stale_after.", [({}, data["freshness"] == "ok")]
    )
    yield from _metric(
        "scores_expired",
        "1 once scores are older than expired_after, or were never made.",
        [({}, data["freshness"] in ("expired", "none"))],
    )
    stored = [({"what": name}, count) for name, count in data["stored"].items()]
    yield from _metric("stored_rows", "What the store holds.", stored)
    yield from _metric("waiting_contacts", "Contacts still to be written.", [({}, data["waiting_to_be_written"])])
    for run in ended[:1]:
        yield from _metric("last_run_number", "The last run that ended.", [({}, run["number"])])
        yield from _metric("last_run_timestamp_seconds", "When it began, in Unix time.", [({}, _unix(run["as_of"]))])
        verdicts: list[Sample] = [({"verdict": each}, each == run["verdict"]) for each in VERDICTS]
        yield from _metric("last_run_verdict", "1 for how it ended.", verdicts)
        written = [({"account": account}, count) for account, count in run["written"].items()]
        yield from _metric("last_run_written_contacts", "Contacts it wrote.", written)


def _metric(name: str, meaning: str, samples: list[Sample]) -> Iterator[str]:
    if samples:
        yield f"# HELP foretag_{name} {meaning}"
        yield f"# TYPE foretag_{name} gauge"
    for labels, value in samples:
        pairs = ",".join(f'{key}="{text}"' for key, text in labels.items())  # names of ours: nothing to escape
        yield f"foretag_{name}{f'{{{pairs}}}' if pairs else ''} {float(value):.15g}"


def _unix(instant: str) -> float:
    return datetime.fromisoformat(instant).timestamp()


class HealthServer(ThreadingHTTPServer):
    """Serves a `Health` in threads of its own until it is closed. ForetagError when the port is taken."""

    daemon_threads = True

    def __init__(self, health: Health, port: int) -> None:
        self.health = health
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            raise ForetagError(f"health.port {port} cannot be used ({error.strerror}): choose another") from error
        Thread(target=self.serve_forever, name="health", daemon=True).start()

    def close(self) -> None:
        """Stop answering and give the port back."""
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: HealthServer
    server_version, sys_version = "foretag", ""
    timeout = 10

    def do_GET(self) -> None:
        """Answer."""
        self.wfile.write(self._begin())

    def do_HEAD(self) -> None:
        """Answer without the text."""
        self._begin()

    def _begin(self) -> bytes:
        """Send the head of the answer; what comes after it."""
        status, kind, text = self.server.health.answer(self.path)
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        return body

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name http.server gives it
        """Quiet: one line per question would be all the log."""
        log.debug(format, *args)
