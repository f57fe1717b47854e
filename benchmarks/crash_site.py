"""One installation of foretag on a sandbox of its own, whose commands run as processes and may be killed."""

import json
import os
import re
import shutil
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks import records
from benchmarks.witness import Witness
from sandbox.people import World
from sandbox.server import Sandbox, Saved
from sync.secrets import variable

DATE = datetime(2017, 9, 30, tzinfo=UTC)
PAGE = 10
"""Rows of a page and contacts of a batch: small ones, so that there are several of each."""
SETTINGS = tuple(
    f"connectors.{place}={PAGE}"
    for place in (
        *("hubspot.walk.LIST_PAGE", "hubspot.changes.SEARCH_PAGE", "hubspot.forms._SUBMISSIONS_PAGE"),
        *("hubspot.write.WRITE_BATCH", "hubspot.held.WRITE_BATCH"),
        *("mailchimp.members.PAGE", "mailchimp.orders.PAGE", "mailchimp.write.WRITE_BATCH"),
        *("mailchimp.tagging.WRITE_BATCH", "mailchimp.held.PAGE"),
        *("salesforce.client._PAGE", "salesforce.collections.PER_CALL", "salesforce.collections.BATCH"),
    )
)
_CONFIG = """\
timezone = "UTC"
mode = "full"
data_dir = "{folder}/data"
[write]
hours = ""
[model]
candidates = ["rules"]
[[objectives]]
predict = "repeat_purchase"
[[hubspot]]
base_url = "{url}/hubspot"
[[mailchimp]]
base_url = "{url}/mailchimp/3.0"
[[salesforce]]
instance_url = "{url}/salesforce"
"""
_NOT_COMPARED = ("run", "calls", "outbox", "level", "sqlite_sequence")
"""Tables that tell how it was done, not what came of it: a level is noted as soon as a model scores a second time."""
_BYTES = ("artefact", "sha256")
"""Columns of a model: its file holds the moment and places in memory. What it predicts is compared."""


@dataclass(frozen=True)
class Ran:
    """What a process left behind; a negative `code` is the signal that killed it."""

    code: int
    out: str
    err: str
    commits: int = 0


class CrashSite:
    """An installation in `folder`; a sandbox that runs behind `witness`."""

    def __init__(self, world: World, folder: Path) -> None:
        self.witness = Witness()
        self.sandbox = Sandbox(world, DATE, limits=False)
        self.sandbox.watch(self.witness)
        self.sandbox.start()
        self.folder = folder
        tokens = {variable(f"{name}.token"): platform.token for name, platform in self.sandbox.platforms.items()}
        self._environment = {**os.environ, **tokens}

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    @property
    def store(self) -> Path:
        """The store in it."""
        return self.data / "foretag.sqlite"

    def set_up(self, saved: Saved | None = None, data: Path | None = None) -> None:
        """Everything as it was: the platforms, and what is in the data folder."""
        if saved:
            self.sandbox.restore(saved)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        if data and data.exists():
            shutil.copytree(data, self.data)
        config = _CONFIG.format(folder=self.folder, url=self.sandbox.url)
        (self.folder / "config.toml").write_text(config, encoding="utf-8")

    def run(self, *command: str, kill_at: int = 0, minutes: int = 0) -> Ran:
        """Let foretag run a command, `minutes` after the sandbox's date, until it ends or dies at a commit."""
        now = (self.sandbox.clock.date + timedelta(minutes=minutes)).isoformat()
        words = [sys.executable, "-m", "benchmarks.dying", str(kill_at), *SETTINGS, "--"]
        words += ["--config", str(self.folder / "config.toml"), "--now", now, *command]
        code, out, err = self.witness.run(words, self._environment)
        told = err.strip().rpartition("\n")[2]
        return Ran(code, out, err, int(told) if told.isdigit() else 0)

    def newest_plan(self) -> Path:
        """The last plan that was saved whole or not. ValueError when there is none."""
        return max((self.data / "plans").glob("*"), key=lambda path: path.stat().st_mtime_ns)

    def values(self) -> dict[records.Place, Any]:
        """What the platforms hold."""
        return records.values_of(self.sandbox.snapshot())

    def state(self) -> dict[records.Place, Any]:
        """What the platforms hold, but for moments, and what is in the data folder: facts, scores, plans, copies."""
        found = records.timeless(self.values(), f"{DATE:%Y-%m-%d}") | contents(self.store, "store")
        for path in sorted(self.data.rglob("*")):
            kind = re.sub(r"-\d{8}-[\w-]+", "-N", path.name)
            if path.is_file() and not kind.endswith(("-wal", "-shm")):
                found["file", path.parent.name, kind, "there"] = True
                if kind == "plan-N.json":
                    found |= _planned(path)
                elif re.search(r"-N\.sqlite$|\.before-\d+$", kind):
                    found |= contents(path, kind)
        return found

    def stop(self) -> None:
        """Stop the sandbox."""
        self.sandbox.stop()


def contents(store: Path, name: str) -> dict[records.Place, Any]:
    """Every value of every row that tells what came of it, and how many writes are open; nothing for no store."""
    found: dict[records.Place, Any] = {}
    if not store.exists():
        return found
    with closing(sqlite3.connect(store)) as db:
        db.row_factory = sqlite3.Row
        tables = [row["name"] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        for table in sorted(set(tables) - {*_NOT_COMPARED}):
            keys = [row["name"] for row in db.execute(f"PRAGMA table_info({table})") if row["pk"]]
            for row in map(dict, db.execute(f"SELECT * FROM {table}")):  # noqa: S608 - the store's own names
                id_ = " ".join(str(row[key]) for key in keys)
                found |= {(name, table, id_, column): value for column, value in row.items() if column not in _BYTES}
        if "outbox" in tables:
            open_ = db.execute("SELECT count(*) FROM outbox WHERE state IN ('pending', 'sent')").fetchone()[0]
            found[name, "outbox", "", "open"] = open_
        found[name, "schema", "", "version"] = db.execute("PRAGMA user_version").fetchone()[0]
        found[name, "schema", "", "whole"] = db.execute("PRAGMA integrity_check").fetchone()[0]
    return found


def _planned(path: Path) -> dict[records.Place, Any]:
    told = json.loads(path.read_text(encoding="utf-8"))
    return {
        ("plan", account, change["id"], key): value
        for account, changes in told["changes"].items()
        for change in changes
        for key, value in change["after"].items()
    }
