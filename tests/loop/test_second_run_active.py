"""A second run beside an active one says so and leaves everything alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sync.site import open_site

FORETAG = Path(sys.executable).with_name("foretag")
TRY_LATER = 75


def foretag(loop, *words: str) -> subprocess.CompletedProcess[str]:
    command = [FORETAG, "--now", "2017-09-30", "--config", loop.config_file, *words]
    return subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("command", ["run", "pull", "score", "plan"])
def test_a_second_run_ends_with_75_and_says_who_is_at_work(tiny, command):
    with open_site(tiny.config, tiny.clock):
        done = foretag(tiny, command)
    assert done.returncode == TRY_LATER
    assert f"another run is active since 2017-09-30 00:00 (pid {os.getpid()})" in done.stderr
    assert "foretag status" in done.stderr
    assert tiny.sandbox.calls() == {}


@pytest.mark.slow
def test_looking_is_allowed_beside_an_active_run_and_the_lock_goes_with_it(tiny):
    assert tiny.run().verdict == "ok"
    with open_site(tiny.config, tiny.clock):
        assert foretag(tiny, "status").returncode == 0
    tiny.sandbox.reset_calls()
    assert foretag(tiny, "pull").returncode == 0
    assert tiny.sandbox.calls()
