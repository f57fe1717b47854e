"""drt (`drt-core`): writes a table's rows to HubSpot or Salesforce. It has no Mailchimp."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from benchmarks.measure import Timing, count, timed
from benchmarks.peers.install import binary
from benchmarks.peers.places import environment

HUBSPOT = """
  type: hubspot
  object_type: contacts
  id_property: email
  properties_template: '{"ft_buy_score": {{ row.score }}, "email": {{ row.email | tojson }}}'
  auth: {type: bearer, token_env: HUBSPOT_TOKEN}
"""
SALESFORCE = """
  type: salesforce_bulk
  instance_url: https://login.salesforce.com
  object_name: Contact
  operation: update
  client_id_env: SF_CLIENT_ID
  client_secret_env: SF_CLIENT_SECRET
  username_env: SF_USERNAME
  password_env: SF_PASSWORD
  poll_interval_seconds: 1
"""
MODELS = {
    "hubspot": (HUBSPOT, "SELECT email, score FROM contact", "update_only"),
    "salesforce": (SALESFORCE, "SELECT id AS Id, score AS FT_Buy_Score__c FROM contact", "upsert"),
}
"""Destination, query, and what is done with rows that match nobody (the choice that costs drt the fewest calls)."""


class Writes:
    """A drt project in `folder` that sends a score to each of the contacts (id, address) of one platform."""

    def __init__(self, platform: str, contacts: Sequence[tuple[str, str]], url: str, token: str, folder: Path) -> None:
        self._folder = folder
        self._environment = environment(url, folder) | {
            "HUBSPOT_TOKEN": token,
            "SF_CLIENT_ID": "sandbox-client-id",
            "SF_CLIENT_SECRET": "sandbox-client-secret",
            "SF_USERNAME": "drt",
            "SF_PASSWORD": "sandbox-password",
        }
        rows = folder / "rows.sqlite"
        with closing(sqlite3.connect(rows)) as db, db:
            db.execute("CREATE TABLE contact (id TEXT, email TEXT, score REAL)")
            db.executemany("INSERT INTO contact VALUES (?, ?, 71.5)", contacts)
        destination, query, policy = MODELS[platform]
        (folder / ".drt").mkdir()
        (folder / "syncs").mkdir()
        profile = {"here": {"type": "sqlite", "database": str(rows)}}
        (folder / ".drt" / "profiles.yml").write_text(json.dumps(profile), encoding="utf-8")
        (folder / "drt_project.yml").write_text("name: scores\nprofile: here\n", encoding="utf-8")
        sync = f"name: scores\nmodel: {query}\nsync: {{mode: full, match_policy: {policy}}}\ndestination:{destination}"
        (folder / "syncs" / "scores.yml").write_text(sync, encoding="utf-8")

    def run(self) -> tuple[Timing, int]:
        """Send every row; and how many it wrote by its own count. Raises Failed."""
        command: list[str | Path] = [binary("drt-core", "drt"), "run"]
        out = self._folder / "out.txt"
        return timed(command, self._environment, self._folder, out), count(out, r"([\d,]+) synced")
