"""Watches what one process does on a sandbox, and kills it at one of its calls."""

import json
import os
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from threading import Lock
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

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
        self.written: Counter[tuple[str, str]] = Counter()
        """How often each value was written: by call, contact and field."""
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
        body = environ["wsgi.input"].read()
        environ["wsgi.input"].seek(0)
        with self._counting:
            if self.fatal or len(body) < int(environ.get("CONTENT_LENGTH") or 0):  # the dead had sent it, or half of it
                raise ConnectionDropped
            self.calls += self._hits(call)
            child = self.child if self._hits(call) and self.calls == self._kill_at else None
            self.fatal = call if child else ""
        if child and not self._acts:
            self._kill(child)
        response = answer(environ)
        with self._counting:
            if response.status_code < 300:
                self._note(call, body, response)
        if child:
            self._kill(child)
        return response

    @staticmethod
    def _kill(child: subprocess.Popen[bytes]) -> None:
        os.kill(child.pid, signal.SIGKILL)
        raise ConnectionDropped

    def _note(self, call: str, body: bytes, response: Response) -> None:
        if _WRITES.fullmatch(call):
            self.written.update((call, each) for each in set(_written(json.loads(body))))
        elif _PAGES.fullmatch(call):
            answer = json.loads(response.get_data())
            for row in next((answer[name] for name in _LISTS if name in answer), ()):
                kind = row.get("attributes", {}).get("type") or re.sub(r"/search$", "", call.partition(" ")[2])
                id_ = row.get("contact_id") or row.get("id") or row.get("Id") or json.dumps(row, sort_keys=True)
                self.rows[kind, str(id_)] += 1

    def again(self, rows: Iterable[tuple[str, str]]) -> Counter[str]:
        """How many of these rows were handed out, by stream."""
        return Counter(stream for stream, id_ in rows for _ in range(self.rows[stream, id_]))


def _written(body: Any) -> Iterator[str]:
    """The values that a call writes: contact and field, or contact and whether a tag is put on or taken off."""
    if isinstance(body, list):
        for each in body:
            yield from _written(each)
    elif isinstance(body, dict):
        contact = body.get("id") or body.get("Id") or body.get("email_address")
        fields = body.get("properties") or body.get("merge_fields") or body
        if contact:
            yield from (f"{contact} {field}" for field in fields if re.match("ft_", field, re.IGNORECASE))
        for name in ("members_to_add", "members_to_remove"):
            yield from (f"{email} {name}" for email in body.get(name, ()))
        for value in body.values():
            yield from _written(value)
