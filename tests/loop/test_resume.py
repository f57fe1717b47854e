"""Killed at any instant and started again, a run ends where it would have ended, and sends nothing twice for ever."""

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from werkzeug.wrappers import Response

from sandbox.gate import ConnectionDropped
from sandbox.server import Sandbox
from sync.pull import pull
from sync.site import open_site

pytestmark = [pytest.mark.crash, pytest.mark.slow]

FORETAG = Path(sys.executable).with_name("foretag")
CRASHER = Path(__file__).with_name("exit_at_commit.py")
SEED = 20170930
PULL_CALLS = 34
"""As many calls as a first pull of the tiny world makes, nearly."""
PATIENCE = 60.0

# Writes of every kind, and which of them: METHOD /platform/path, as a regular expression.
EXACT = [
    (r"POST /hubspot/crm/v3/properties/contacts/batch/create", 1),
    (r"POST /hubspot/crm/v3/objects/contacts/batch/update", 1),
    (r"POST /mailchimp/3.0/lists/\w+/merge-fields", 2),
    (r"POST /mailchimp/3.0/lists/\w+", 1),
    (r"POST /mailchimp/3.0/lists/\w+/segments/\d+", 3),
    (r"POST /salesforce/services/data/v62.0/tooling/sobjects/CustomField", 3),
    (r"POST /salesforce/services/data/v62.0/sobjects/FieldPermissions", 4),
    (r"PATCH /salesforce/services/data/v62.0/composite/sobjects", 1),
]


class Trap:
    """Kills a process at one call to a sandbox: before the sandbox acts on it, or after, but before it answers."""

    def __init__(self, sandbox: Sandbox, hits: Callable[[str], bool], number: int, *, acts: bool) -> None:
        self.child: subprocess.Popen[bytes] | None = None
        self.sprung = ""
        self._hits, self._left, self._acts = hits, number, acts
        self._answer = sandbox._gate.answer
        sandbox._gate.answer = self._trapped

    def _trapped(self, environ: dict[str, Any]) -> Response:
        call = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        if self.child is None or self.sprung or not self._hits(call):
            return self._answer(environ)
        self._left -= 1
        if self._left > 0:
            return self._answer(environ)
        self.sprung = call
        if self._acts:
            self._answer(environ)
        os.kill(self.child.pid, signal.SIGKILL)
        self.child.wait(PATIENCE)
        raise ConnectionDropped


def environment(sandbox: Sandbox) -> dict[str, str]:
    tokens = {f"FORETAG_{name.upper()}_TOKEN": platform.token for name, platform in sandbox.platforms.items()}
    return {**os.environ, **tokens}


def assert_ends_well(loop: Any, undisturbed: dict[tuple[str, ...], Any]) -> None:
    """A run to the end brings every record to where it belongs; one more has nothing to write."""
    assert loop.run().verdict == "ok"
    assert loop.records() == undisturbed
    loop.run()
    assert loop.writes() == {}


def killed_at(loop: Any, hits: Callable[[str], bool], number: int, *, acts: bool, command: str = "run") -> str:
    """Let foretag do this as its own process and kill it at that call; the call it was."""
    if command == "run":
        loop.provision()
    trap = Trap(loop.sandbox, hits, number, acts=acts)
    words = [FORETAG, "--now", f"{loop.now:%Y-%m-%d}", "--config", loop.config_file, command]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(words, env=environment(loop.sandbox), stdout=quiet, stderr=quiet) as child:
        trap.child = child
        child.wait(PATIENCE)
    assert child.returncode == (-signal.SIGKILL if trap.sprung else 0)
    return trap.sprung


def random_moments() -> Iterator[Any]:
    dice = Random(SEED)
    for number in sorted(dice.sample(range(1, PULL_CALLS), 5)):
        acts = dice.random() < 0.5
        yield pytest.param(number, acts, id=f"call {number} {'after' if acts else 'before'} it took effect")


@pytest.mark.parametrize(("number", "acts"), list(random_moments()))
def test_killed_at_any_call_of_a_pull(tiny, undisturbed, number, acts):
    assert killed_at(tiny, lambda _: True, number, acts=acts)
    assert_ends_well(tiny, undisturbed)


@pytest.mark.parametrize(("call", "number"), EXACT)
def test_killed_when_a_write_has_taken_effect_but_is_not_answered(tiny, undisturbed, call, number):
    makes = "run" if call.endswith(("update", "segments/\\d+", "lists/\\w+", "composite/sobjects")) else "provision"
    assert killed_at(tiny, lambda got: re.fullmatch(call, got) is not None, number, acts=True, command=makes)
    assert_ends_well(tiny, undisturbed)


@pytest.fixture(scope="module")
def commits(tiny_world, tmp_path_factory, install_in, loops) -> int:
    """How many commits a whole first run makes."""
    with Sandbox(tiny_world, loops.date, limits=False) as sandbox:
        return exits_at_commit(install_in(sandbox, tmp_path_factory.mktemp("commits")), 10_000)


def exits_at_commit(loop: Any, number: int, *settings: str) -> int:
    """Run foretag as its own process that ends hard at that commit, counted from 1; how many it came to."""
    loop.provision()
    command = [sys.executable, CRASHER, str(number), loop.config_file, f"{loop.now:%Y-%m-%d}", *settings]
    done = subprocess.run(command, env=environment(loop.sandbox), stdout=subprocess.PIPE, timeout=PATIENCE, check=False)
    assert done.returncode in (0, 9)
    return int(done.stdout)


@pytest.mark.parametrize("part", range(8))
def test_ended_at_a_commit(tiny, undisturbed, commits, part):
    """The odd parts end right before the commit, the even ones right after it."""
    number = 1 + part * (commits - 1) // 7
    assert exits_at_commit(tiny, number if part % 2 else -number) == number
    assert_ends_well(tiny, undisturbed)


PAGE = 3
PAGE_SIZES = (
    "connectors.hubspot.walk.LIST_PAGE",
    "connectors.mailchimp.members.PAGE",
    "connectors.mailchimp.orders.PAGE",
    "connectors.salesforce.client._PAGE",
)
# What docs/explain/safety.md promises: pages of a stream that were asked for, but not stored when the process died.
READ_AGAIN = {
    r"/hubspot/crm/v3/objects/(contacts|deals)": 2,
    r"/mailchimp/3.0/lists/\w+/members": 6,
    r"/mailchimp/3.0/ecommerce/stores/\w+/orders": 5,
    r"/salesforce/services/data/v62.0/query(All)?/.*": 2,
}

THE_ONE_BEFORE = 1
"""The last order that was stored is read again, to see that none has moved."""


class Log:
    """The rows that a sandbox handed out page by page: the stream, by its path and kind of record, and a row's id."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.rows: Counter[tuple[str, str]] = Counter()
        self._answer = sandbox._gate.answer
        sandbox._gate.answer = self._noted

    def _noted(self, environ: dict[str, Any]) -> Response:
        response = self._answer(environ)
        path = next((each for each in READ_AGAIN if re.fullmatch(each, environ["PATH_INFO"])), None)
        if path and environ["REQUEST_METHOD"] == "GET":
            answer = json.loads(response.get_data())
            for row in next(
                (answer[name] for name in ("results", "members", "orders", "records") if name in answer), ()
            ):
                kind = row.get("attributes", {}).get("type") or environ["PATH_INFO"].rpartition("/")[2]
                self.rows[f"{path} {kind}", str(row.get("contact_id") or row.get("id") or row["Id"])] += 1
        return response


@pytest.mark.parametrize("number", [8, 30, 60])
def test_what_was_asked_for_but_not_stored_is_all_that_is_read_again(tiny, monkeypatch, number):
    """Ended right before a commit, so that the page being stored is lost too."""
    monkeypatch.setattr("sandbox.salesforce.queries.SMALLEST_PAGE", PAGE)
    log = Log(tiny.sandbox)
    assert exits_at_commit(tiny, number, *(f"{each}={PAGE}" for each in PAGE_SIZES)) == number
    before = set(log.rows)
    log.rows.clear()
    for each in PAGE_SIZES:
        monkeypatch.setattr(each, PAGE)
    with open_site(tiny.config, tiny.clock) as site:
        assert not any(each.problem for each in pull(site, tiny.now))
    again = Counter(stream for stream, id_ in log.rows if (stream, id_) in before)
    assert again.total() > 0
    for stream, rows in again.items():
        assert rows <= PAGE * READ_AGAIN[stream.partition(" ")[0]] + THE_ONE_BEFORE, stream
