"""foretag as one of those measured: its commands on one platform, or on all, each as a process of its own."""

import json
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

from benchmarks.measure import Timing, count, timed
from benchmarks.served import Served
from connectors.contract import Change
from sandbox.people import PLATFORMS, Platform
from sync.commands.sandbox import sandbox_config
from sync.plan import Plan
from sync.plan_files import save

FORETAG = Path(sys.executable).parent / "foretag"
SCORE = {"buy_score": 71.5}
"""What is written: the same one number that the peers write."""


class Foretag:
    """An installation in `folder` for `platforms` of the sandbox."""

    def __init__(self, sandbox: Served, folder: Path, platforms: Sequence[Platform] = PLATFORMS) -> None:
        self._folder, self._environment = folder, sandbox.environment()
        self._config, self._store = folder / "config.toml", folder / "data" / "foretag.sqlite"
        head, *blocks = sandbox_config(sandbox.url, folder / "data").split("[[")
        wanted = [f"[[{block}" for block in blocks if block.partition("]]")[0] in platforms]
        self._config.write_text(f'mode = "full"\n{head}{"".join(wanted)}[write]\nhours = ""\n', encoding="utf-8")

    def pull_contacts(self, now: datetime) -> tuple[Timing, int]:
        """The stage that brings contacts alone, which is what the peers bring; and how many came. Raises Failed."""
        program: list[str | Path] = [sys.executable, "-m", "benchmarks.contacts", self._config, now.isoformat()]
        out = self._folder / "contacts.json"
        return timed(program, self._environment, Path.cwd(), out), int(out.read_text(encoding="utf-8"))

    def pull(self, now: datetime) -> tuple[Timing, int]:
        """`foretag pull`: contacts and what they did; and how many contacts and activities came. Raises Failed."""
        took = self._foretag(now, "pull", "--json")
        streams = json.loads((self._folder / "out.txt").read_text(encoding="utf-8"))
        return took, sum(each["contacts"] + each["activities"] for each in streams)

    def contacts(self, object_: str | None, most: int) -> list[tuple[str, str]]:
        """Ids and addresses of the first contacts that can be written to, of one object or of any."""
        question = """SELECT id, email FROM contact
            WHERE writable AND email IS NOT NULL AND (object = ?1 OR ?1 IS NULL) ORDER BY id LIMIT ?2"""
        with closing(sqlite3.connect(self._store)) as db:
            return db.execute(question, (object_, most)).fetchall()

    def plan(self, now: datetime, account: str, contacts: Sequence[tuple[str, str]]) -> Path:
        """A plan that gives a score to each of `contacts`."""
        with closing(sqlite3.connect(self._store)) as db:
            objects = dict(db.execute("SELECT id, object FROM contact"))
        changes = [Change(objects[id_], id_, email, SCORE, {"buy_score": None}) for id_, email in contacts]
        return save(Plan(now, "full", {account: changes}), self._folder)

    def provision(self, now: datetime) -> None:
        """`foretag provision`. Raises Failed."""
        self._foretag(now, "provision")

    def apply(self, now: datetime, plan: Path) -> tuple[Timing, int]:
        """`foretag apply`; and how many contacts it wrote by its own count. Raises Failed."""
        took = self._foretag(now, "apply", str(plan), "--yes")
        said = self._folder / "out.txt"
        if "Nothing to write" in said.read_text(encoding="utf-8"):
            return took, 0
        return took, count(said, r"([\d,]+) contacts written")

    def _foretag(self, now: datetime, *arguments: str) -> Timing:
        command: list[str | Path] = [FORETAG, "--config", self._config, "--now", now.isoformat(), *arguments]
        return timed(command, self._environment, self._folder, self._folder / "out.txt")
