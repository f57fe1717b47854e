"""The Singer taps: tap-hubspot, tap-mailchimp and tap-salesforce, with the fields of a contact that foretag reads."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Timing, timed
from benchmarks.peers.install import binary
from benchmarks.peers.places import environment

START = "2010-01-01T00:00:00Z"
CONTACTS_OF_HUBSPOT = """
import json, sys, tap_hubspot as tap
tap.CONFIG.update(json.load(open(sys.argv[2])))
[stream] = [each for each in tap.STREAMS if each.tap_stream_id == "contacts"]
schema, metadata = tap.load_discovered_schema(stream)
print(json.dumps({"streams": [
    {"stream": "contacts", "tap_stream_id": "contacts", "schema": schema, "metadata": metadata}]}))
"""
"""The tap's own discovery, for the one stream (it would ask for companies and tickets too, which the sandbox lacks)."""


@dataclass(frozen=True)
class Tap:
    """One tap, what of it is selected, and its settings besides the start date."""

    name: str
    streams: Sequence[str]
    fields: Sequence[str]
    catalog_option: str
    settings: dict[str, str]


HUBSPOT_FIELDS = ("email", "firstname", "lastname", "createdate", "lastmodifieddate", "lifecyclestage")
MAILCHIMP_FIELDS = (
    "id", "contact_id", "email_address", "status", "merge_fields", "source", "timestamp_signup", "timestamp_opt",
    "last_changed", "tags",
)  # fmt: skip
SALESFORCE_FIELDS = (
    "Id", "Email", "FirstName", "LastName", "CreatedDate", "SystemModstamp", "HasOptedOutOfEmail", "IsDeleted",
)  # fmt: skip


def tap_for(platform: str, token: str) -> Tap:
    """The tap of a platform, with the sandbox's credentials."""
    if platform == "hubspot":
        fields = ("id", "updatedAt", *(f"property_{name}" for name in (*HUBSPOT_FIELDS, "hs_email_optout")))
        return Tap("tap-hubspot", ["contacts"], fields, "--properties", {"api_key": token})
    if platform == "mailchimp":
        return Tap("tap-mailchimp", ["list_members"], MAILCHIMP_FIELDS, "--catalog", {"api_key": token, "dc": "us1"})
    settings = {
        "client_id": "sandbox-client-id",
        "client_secret": "sandbox-client-secret",
        "refresh_token": "sandbox-refresh-token",
        "api_type": "REST",
    }
    return Tap("tap-salesforce", ["Contact", "Lead"], SALESFORCE_FIELDS, "--properties", settings)


class Pulls:
    """One tap with its files in `folder`; the state of a run is where the next one starts."""

    def __init__(self, tap: Tap, url: str, folder: Path) -> None:
        self._tap, self._folder = tap, folder
        self._environment = environment(url, folder)
        self._config, self._catalog, self._state = (folder / f"{name}.json" for name in ("config", "catalog", "state"))
        self._config.write_text(json.dumps({"start_date": START, **tap.settings}), encoding="utf-8")
        self._catalog.write_text(json.dumps(_selected(self._discovered(), tap)), encoding="utf-8")

    def run(self, *, full: bool) -> tuple[Timing, int]:
        """Pull, from the beginning or from where the last one ended; and how many records came. Raises Failed."""
        state: list[str | Path] = [] if full else ["--state", self._state]
        command: list[str | Path] = [binary(self._tap.name, self._tap.name), "--config", self._config]
        out = self._folder / "out.jsonl"
        took = timed([*command, self._tap.catalog_option, self._catalog, *state], self._environment, self._folder, out)
        messages = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
        states = [each["value"] for each in messages if each["type"] == "STATE"]
        self._state.write_text(json.dumps(states[-1]), encoding="utf-8")
        return took, sum(each["type"] == "RECORD" for each in messages)

    def _discovered(self) -> dict[str, Any]:
        if self._tap.name == "tap-hubspot":
            command: list[str | Path] = [
                binary(self._tap.name, "python"),
                "-c",
                CONTACTS_OF_HUBSPOT,
                "--config",
                self._config,
            ]
        else:
            command = [binary(self._tap.name, self._tap.name), "--config", self._config, "--discover"]
        done = subprocess.run(command, env=self._environment, check=True, capture_output=True, text=True)
        return dict(json.loads(done.stdout))


def _selected(catalog: dict[str, Any], tap: Tap) -> dict[str, Any]:
    """The catalog with the tap's streams and fields selected, to be read by what changed where the tap can."""
    for stream in catalog["streams"]:
        if stream["tap_stream_id"] not in tap.streams:
            continue
        whole = [each["metadata"] for each in stream["metadata"] if not each["breadcrumb"]]
        if not whole:
            whole = [{}]
            stream["metadata"].append({"breadcrumb": [], "metadata": whole[0]})
        whole[0]["selected"] = True
        if keys := whole[0].get("valid-replication-keys"):
            whole[0] |= {"replication-method": "INCREMENTAL", "replication-key": keys[0]}
        for each in stream["metadata"]:
            if each["breadcrumb"]:
                each["metadata"]["selected"] = each["breadcrumb"][-1] in tap.fields
    return catalog
