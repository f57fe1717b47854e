"""The examples of the sandbox's own endpoints say what the sandbox says."""

import json
import re
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
import requests

from sandbox.faults import Fault, Kind
from sandbox.server import Sandbox
from sandbox.world import small

PAGE = Path("docs/reference/sandbox.md")
ENDPOINTS = ("clock", "clock", "clock", "counters", "counters", "faults", "reset")
TOLD = re.compile(r"(?m)^\$ curl -s http://127\.0\.0\.1:8025(/_sandbox/\w+)(?:[^\n]*?-d '([^\n]*)')?\n(\{.*)$")


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(small(), datetime(2017, 10, 1, tzinfo=UTC)) as running:
        yield running


def test_every_example_is_answered_as_it_says(documents, sandbox):
    found = TOLD.findall(documents[PAGE])
    assert [path for path, _, _ in found] == [f"/_sandbox/{name}" for name in ENDPOINTS]
    for path, body, answer in found:
        url = sandbox.url + path
        given = requests.post(url, json=json.loads(body), timeout=5) if body else requests.get(url, timeout=5)
        assert given.json() == json.loads(answer), path
    before = requests.get(f"{sandbox.url}/_sandbox/snapshot", timeout=5).json()
    assert all(before[platform][kind] for platform, kind in (("hubspot", "contacts"), ("mailchimp", "members")))


def test_every_fault_worth_rehearsing_can_be_ordered(documents, sandbox):
    wanted = [json.loads(text) for text in re.findall(r"(?m)\| `(\{\"platform\".*\})` \|$", documents[PAGE])]
    assert len(wanted) > 3
    answer = requests.post(f"{sandbox.url}/_sandbox/faults", json={"faults": wanted}, timeout=5)
    assert answer.json() == {"faults": len(wanted)}


def test_every_kind_and_key_of_a_fault_is_described(documents):
    described = set(re.findall(r"(?m)^\| `(\w+)` \|", documents[PAGE]))
    assert described == {*get_args(Kind), *(field.name for field in fields(Fault))}
