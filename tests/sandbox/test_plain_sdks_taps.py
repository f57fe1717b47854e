"""Other people's connectors against the sandbox, as they are installed: they see everyone whom the platform lists."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.peers.install import FOLDER
from benchmarks.peers.taps import Pulls, tap_for
from sandbox.people import Platform
from sandbox.server import Sandbox
from sandbox.world import small

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(small(), datetime(2018, 7, 1, tzinfo=UTC)) as served:
        yield served


@pytest.mark.parametrize(
    ("platform", "tables"),
    [("hubspot", ["contacts"]), ("mailchimp", ["members"]), ("salesforce", ["Contact", "Lead"])],
)
def test_a_tap_pulls_everyone(sandbox: Sandbox, tmp_path: Path, platform: Platform, tables: list[str]) -> None:
    tap = tap_for(platform, sandbox.platform(platform).token)
    if not (FOLDER / tap.name / "bin" / tap.name).exists():
        pytest.skip(f"{tap.name} is not installed: make bench-peers")
    pulls = Pulls(tap, sandbox.url, tmp_path)
    _, found = pulls.run(full=True)
    rows = [row for table in tables for row in sandbox.platform(platform).snapshot()[table].values()]
    listed = [row for row in rows if row.get("status") != "archived"]  # Mailchimp shows the archived on demand only
    assert found == len(listed) > 5
