"""The daemon as its own process: told to stop in the middle of writing, it ends soon, and the next run goes on."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Response

from sandbox.server import Sandbox
from sync import cycle
from sync.clock import SystemClock
from sync.progress import Silent
from sync.site import open_site

pytestmark = pytest.mark.slow

FORETAG = Path(sys.executable).with_name("foretag")
PATIENCE = 60.0
WITHIN = 10.0
LATENCY = 0.03
FIRST_WRITE = r"POST /hubspot/crm/v3/objects/contacts/batch/update"


class Teller:
    """Signals a process at its first call of one kind, before the sandbox answers."""

    def __init__(self, sandbox: Sandbox, call: str, clock: SystemClock) -> None:
        self.child: subprocess.Popen[bytes] | None = None
        self.told: float | None = None
        self._call, self._clock = call, clock
        self._answer = sandbox._gate.answer
        sandbox._gate.answer = self._answer_and_tell

    def _answer_and_tell(self, environ: dict[str, Any]) -> Response:
        if (
            self.told is None
            and self.child
            and re.fullmatch(self._call, f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        ):
            self.told = self._clock.monotonic()
            os.kill(self.child.pid, signal.SIGTERM)
        return self._answer(environ)


@pytest.fixture
def slow_loop(tiny_world, tmp_path, install_in, loops):
    with Sandbox(tiny_world, loops.date, limits=False, latency=LATENCY) as sandbox:
        loop = install_in(sandbox, tmp_path)
        loop.provision()
        yield loop


@pytest.mark.parametrize("call", [r"GET /mailchimp/3.0/lists", FIRST_WRITE])
def test_a_daemon_told_to_stop_in_the_middle_of_a_run_ends_within_ten_seconds(slow_loop, loops, call):
    clock = SystemClock()
    teller = Teller(slow_loop.sandbox, call, clock)
    tokens = {f"FORETAG_{name.upper()}_TOKEN": each.token for name, each in slow_loop.sandbox.platforms.items()}
    command = [FORETAG, "--config", slow_loop.config_file, "daemon"]
    with subprocess.Popen(command, env={**os.environ, **tokens}, stderr=subprocess.PIPE) as child:
        teller.child = child
        said = child.communicate(timeout=PATIENCE)[1].decode()
    assert teller.told is not None, said
    assert clock.monotonic() - teller.told < WITHIN
    assert child.returncode == 0, said
    assert "stopping" in said
    assert "Traceback" not in said

    writing = call == FIRST_WRITE
    states = dict(slow_loop.ask("SELECT account, group_concat(DISTINCT state) FROM outbox GROUP BY account"))
    assert states == ({"hubspot": "confirmed", "mailchimp": "pending", "salesforce": "pending"} if writing else {})
    slow_loop.sandbox._gate._latency = 0
    with open_site(slow_loop.config, loops.Clock(clock.now())) as site:
        rest = cycle.write if writing else cycle.run
        assert rest(site, Silent()).verdict == "ok"
    assert slow_loop.ask("SELECT count(*) FROM outbox WHERE state IN ('pending', 'sent')") == [(0,)]
    assert {account for (account,) in slow_loop.ask("SELECT account FROM outbox WHERE state = 'confirmed'")} == {
        "hubspot", "mailchimp", "salesforce",
    }  # fmt: skip
