"""Watches what one process does on a sandbox, and kills it at one of its calls."""

import json
import os
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from threading import Lock
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from sandbox.gate import ConnectionDropped

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

PATIENCE = 120.0
"""Seconds for one process."""
_PAGES = re.compile(
    r"GET /hubspot/crm/v3/objects/(contacts|deals)|POST /hubspot/crm/v3/objects/(contacts|deals)/search"
    r"|GET /hubspot/form-integrations/.*"
    r"|GET /mailchimp/3.0/lists/\w+/members|GET /mailchimp/3.0/ecommerce/stores/\w+/orders"
    r"|GET /salesforce/services/data/v[\d.]+/query(All)?(/.*)?"
)
"""Calls that hand out a page of a stream."""
_WRITES = re.compile(
    r"POST /hubspot/crm/v3/objects/contacts/batch/update"
    r"|POST /mailchimp/3.0/lists/\w+(/segments/\d+)?"
    r"|(PATCH /salesforce/services/data/v[\d.]+/composite/sobjects)|(POST /salesforce/.*/composite)"
)
"""Calls that write to contacts."""
_LISTS = ("results", "members", "orders", "records")


class Witness:
    """One process at a time, from `watch` on. It is killed at call number `kill_at`, if that is not 0."""

    def __init__(self) -> None:
        self._counting = Lock()
        self.watch()

    def watch(self, kill_at: int = 0, *, acts: bool = False, hits: Callable[[str], bool] = lambda _: True) -> None:
        """Begin anew. The fatal call is carried out if it `acts`, but never answered; only those it `hits` count."""
        self.child: subprocess.Popen[bytes] | None = None
        self.calls = 0
        self.fatal = ""
        """The call it was killed at."""
        self.rows: Counter[tuple[str, str]] = Counter()
        """How often each row was handed out, by stream and id."""
        self.sent: Counter[tuple[str, str]] = Counter()
        """How often something was sent for each contact, by call and contact."""
        self._kill_at, self._acts, self._hits = kill_at, acts, hits

    def run(self, command: list[str], environment: dict[str, str]) -> tuple[int, str, str]:
        """Let a process run to its end; its return code, and what it wrote to stdout and stderr."""
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
            self.child = child
            out, err = child.communicate(timeout=PATIENCE)
        return child.returncode, out.decode(), err.decode()

    def __call__(self, environ: "WSGIEnvironment", answer: Callable[["WSGIEnvironment"], Response]) -> Response:
        """Stands before the sandbox: `Sandbox.watch`."""
        call = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        with self._counting:
            if self.fatal:  # what the dead had sent before
                raise ConnectionDropped
            self._note_sent(call, environ)
            self.calls += self._hits(call)
            child = self.child if self._hits(call) and self.calls == self._kill_at else None
            self.fatal = call if child else ""
        if child:
            return self._kill(child, environ, answer)
        response = answer(environ)
        with self._counting:
            self._note_rows(call, response)
        return response

    def _kill(self, child: subprocess.Popen[bytes], environ: "WSGIEnvironment", answer: Any) -> Response:
        if self._acts:
            answer(environ)
        os.kill(child.pid, signal.SIGKILL)
        raise ConnectionDropped

    def _note_sent(self, call: str, environ: "WSGIEnvironment") -> None:
        if _WRITES.fullmatch(call):
            body = Request(environ, populate_request=False).get_data()
            kind = re.sub(r"/segments/\d+", " tags", call)
            self.sent.update((kind, target) for target in set(_targets(json.loads(body))))
            environ["wsgi.input"].seek(0)

    def _note_rows(self, call: str, response: Response) -> None:
        if not _PAGES.fullmatch(call) or response.status_code != 200:
            return
        answer = json.loads(response.get_data())
        for row in next((answer[name] for name in _LISTS if name in answer), ()):
            kind = row.get("attributes", {}).get("type") or re.sub(r"/search$", "", call.partition(" ")[2])
            id_ = row.get("contact_id") or row.get("id") or row.get("Id") or json.dumps(row, sort_keys=True)
            self.rows[kind, str(id_)] += 1


def _targets(body: Any) -> Iterator[str]:
    """Whom a write is about."""
    if isinstance(body, dict):
        for name, value in body.items():
            if name in ("id", "Id", "email_address") and isinstance(value, str):
                yield value
            elif name in ("members_to_add", "members_to_remove"):
                yield from (f"{name} {each}" for each in value)
            else:
                yield from _targets(value)
    elif isinstance(body, list):
        for each in body:
            yield from _targets(each)
