"""Other people's connectors against the sandbox, as they are installed: they read and write what is there."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from benchmarks.peers.drt import Writes
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


def test_drt_writes_to_those_it_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    if not (FOLDER / "drt-core" / "bin" / "drt").exists():
        pytest.skip("drt-core is not installed: make bench-peers")
    hubspot = sandbox.platform("hubspot")
    score = {"name": "ft_buy_score", "label": "x", "type": "number", "fieldType": "number"}
    answer = requests.post(
        f"{sandbox.url}/hubspot/crm/v3/properties/contacts",
        json=score | {"groupName": "contactinformation"},
        headers={"Authorization": f"Bearer {hubspot.token}"},
        timeout=10,
    )
    assert answer.status_code == 201
    people = [(id_, str(row["email"])) for id_, row in hubspot.snapshot()["contacts"].items() if row["email"]][:3]
    Writes("hubspot", people, sandbox.url, hubspot.token, tmp_path).run()
    written = {id_ for id_, row in hubspot.snapshot()["contacts"].items() if row.get("ft_buy_score") is not None}
    assert written == {id_ for id_, _ in people}
