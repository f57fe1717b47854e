"""How much memory a pull takes, and how many contacts a second it stores: a million HubSpot contacts by default.

Another process serves made-up pages over loopback, as HubSpot does; this one reads them with the real adapter through
`sync.pull` into a store on disk, then once more as an incremental pull and as a pass over everything. Printed are the
peak of this process's resident memory and contacts a second; the goal for a million is below 300 MB. HubSpot's rate
limit is left out: with it, nobody reads more than 1,800 contacts a second.
Run: python -m benchmarks.memory [--contacts 1000000] [--latency 0]
"""

import argparse
import json
import os
import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Event
from time import perf_counter
from urllib.parse import parse_qs, urlsplit

from sync.clock import FixedClock
from sync.config import Config
from sync.pull import pull
from sync.secrets import variable
from sync.site import open_site

NOW = datetime(2026, 1, 5, tzinfo=UTC)
GOAL_MB = 300
_PAGE = 100
_PLACES = {"/crm/v3/objects/contacts", "/crm/v3/objects/contacts/search"}


class HurriedClock(FixedClock):
    """Waiting is over at once, and counts as waited."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at)
        self._waited = 0.0

    def sleep(self, seconds: float) -> None:
        """Not waited for."""
        self._waited += max(0.0, seconds)

    def monotonic(self) -> float:
        """With what would have been waited."""
        return super().monotonic() + self._waited


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contacts", type=int, default=1_000_000, help="How many there are.")
    parser.add_argument("--latency", type=float, default=0.0, help="Milliseconds before each answer.")
    asked = parser.parse_args()
    os.environ[variable("hubspot.token")] = "pat-eu1-00000000"
    with served(asked.contacts, asked.latency / 1000) as url, tempfile.TemporaryDirectory() as folder:
        config = Config.model_validate(
            {"timezone": "UTC", "data_dir": folder, "hubspot": [{"base_url": url, "full_pull": "7d"}]}
        )
        for what, days in (("first pull", 0), ("nothing new", 1), ("pass over all", 8)):
            began = perf_counter()
            with open_site(config, HurriedClock(NOW + timedelta(days=days))) as site:
                (contacts, *_) = pull(site, site.clock.now())
                assert contacts.problem is None, contacts.problem
            seconds = perf_counter() - began
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{what:<14} {contacts.contacts:>9,} contacts in {seconds:7.1f} s, "
                f"{contacts.contacts / seconds:>7,.0f} a second, peak {peak:,.0f} MB"
            )
        size = Path(folder, "foretag.sqlite").stat().st_size / 1e6
        print(f"{'store':<14} {size:,.0f} MB on disk; goal for a million: below {GOAL_MB} MB of memory")


@contextmanager
def served(contacts: int, latency: float) -> Iterator[str]:
    """The address of a process that answers as HubSpot with so many contacts, each answer `latency` seconds late."""
    ours, theirs = Pipe()
    server = Process(target=_serve, args=(contacts, latency, theirs), daemon=True)
    server.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        server.terminate()
        server.join()


def _serve(contacts: int, latency: float, told: Connection) -> None:
    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # head and body in one packet: two would wait for each other

        def do_GET(self) -> None:
            place, asked = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
            live = place in _PLACES and asked.get("archived", ["false"])[0] == "false"
            self._answer(_page(int(asked.get("after", ["0"])[0]), contacts) if live else {"results": []})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._answer({"total": 0, "results": []})

        def _answer(self, content: object) -> None:
            Event().wait(latency)
            body = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has above
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    told.send(server.server_port)
    server.serve_forever()


def _page(after: int, contacts: int) -> dict[str, object]:
    """A hundred contacts behind the number `after`, and where the next ones are."""
    last = min(after + _PAGE, contacts)
    rows = [_contact(number) for number in range(after + 1, last + 1)]
    return {"results": rows, **({"paging": {"next": {"after": str(last)}}} if last < contacts else {})}


def _contact(number: int) -> dict[str, object]:
    changed = "2025-12-01T10:00:00.000Z"
    properties = {
        "email": f"person{number}@shop{number % 997}.example",
        "firstname": f"Name{number % 5000}",
        "lastname": f"Surname{number % 20000}",
        "lifecyclestage": "customer",
        "hs_object_source_label": "IMPORT",
        "createdate": "2024-05-01T10:00:00.000Z",
        "lastmodifieddate": changed,
        "hs_email_optout": "false",
        "hs_email_last_send_date": "2025-11-15T08:00:00.000Z",
        "ft_segment": "Loyal",
        "ft_buy_score": "61.5",
    }
    return {"id": str(number), "properties": properties, "createdAt": changed, "updatedAt": changed, "archived": False}


if __name__ == "__main__":
    main()
