"""Killed at any instant and started again, a run ends where it would have ended, and sends nothing twice for ever."""

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from benchmarks.witness import Witness
from sandbox.server import Sandbox
from sync.pull import pull
from sync.site import open_site

pytestmark = [pytest.mark.crash, pytest.mark.slow]

FORETAG = str(Path(sys.executable).with_name("foretag"))
SEED = 20170930
PULL_CALLS = 34
"""As many calls as a first pull of the tiny world makes, nearly."""

# Writes of every kind, and which of them: METHOD /platform/path, as a regular expression.
EXACT = [
    (r"POST /hubspot/crm/v3/properties/contacts/batch/create", 1),
    (r"POST /hubspot/crm/v3/objects/contacts/batch/update", 1),
    (r"POST /mailchimp/3.0/lists/\w+/merge-fields", 2),
    (r"POST /mailchimp/3.0/lists/\w+", 1),
    (r"POST /mailchimp/3.0/batches", 2),
    (r"POST /salesforce/services/data/v62.0/tooling/sobjects/CustomField", 3),
    (r"POST /salesforce/services/data/v62.0/sobjects/FieldPermissions", 4),
    (r"PATCH /salesforce/services/data/v62.0/composite/sobjects", 1),
]


def words(loop: Any, command: str) -> list[str]:
    return ["--now", f"{loop.now:%Y-%m-%d}", "--config", str(loop.config_file), command]


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
    witness = Witness()
    witness.watch(number, acts=acts, hits=hits)
    loop.sandbox.watch(witness)
    code, _, _ = witness.run([FORETAG, *words(loop, command)], dict(os.environ))
    loop.sandbox.watch(None)
    assert code == (-signal.SIGKILL if witness.fatal else 0)
    return witness.fatal


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
    makes = "run" if call.endswith(("update", "batches", "lists/\\w+", "composite/sobjects")) else "provision"
    assert killed_at(tiny, lambda got: re.fullmatch(call, got) is not None, number, acts=True, command=makes)
    assert_ends_well(tiny, undisturbed)


def dies_at_commit(loop: Any, number: int, *settings: str) -> int:
    """Let foretag run as its own process that dies at that commit; how many it came to, 0 when it died."""
    loop.provision()
    witness = Witness()
    command = [sys.executable, "-m", "benchmarks.dying", str(number), *settings, "--", *words(loop, "run")]
    code, _, err = witness.run(command, dict(os.environ))
    assert code in (0, -signal.SIGKILL), err
    return 0 if code else int(err.rpartition("\n\n")[2])


VARYING = 12
"""By so many commits a run may differ from another one: calls are noted in bundles of several."""


@pytest.fixture(scope="module")
def commits(tiny_world, tmp_path_factory, install_in, loops) -> int:
    """How many commits a whole first run makes."""
    with Sandbox(tiny_world, loops.date, limits=False) as sandbox:
        return dies_at_commit(install_in(sandbox, tmp_path_factory.mktemp("commits")), 0)


@pytest.mark.parametrize("part", range(8))
def test_killed_at_a_commit(tiny, undisturbed, commits, part):
    """The odd parts die right before the commit, the even ones right after it."""
    number = 1 + part * (commits - VARYING - 1) // 7
    assert dies_at_commit(tiny, number if part % 2 else -number) == 0
    assert_ends_well(tiny, undisturbed)


PAGE = 3
PAGE_SIZES = (
    "connectors.hubspot.walk.LIST_PAGE",
    "connectors.hubspot.forms._SUBMISSIONS_PAGE",
    "connectors.mailchimp.members.PAGE",
    "connectors.mailchimp.orders.PAGE",
    "connectors.salesforce.client._PAGE",
)
# What docs/explain/safety.md promises: pages of a stream that were asked for, but not stored when the process died.
ASKED_AGAIN = {
    r"/hubspot/crm/v3/objects/(contacts|deals)": 2,
    r"/hubspot/form-integrations/.*": 5,
    r"/mailchimp/3.0/lists/\w+/members": 6,
    r"/mailchimp/3.0/ecommerce/stores/\w+/orders": 5,
    r"[A-Z]\w+": 2,  # of Salesforce, by kind of record
}
THE_ONE_BEFORE = 1
"""The last order that was stored is read again, to see that none has moved."""


@pytest.mark.parametrize("number", [40, 80, 120])
def test_what_was_asked_for_but_not_stored_is_all_that_is_asked_for_again(tiny, monkeypatch, number):
    """Killed right before a commit, so that the page being stored is lost too. Nothing is stored twice."""
    monkeypatch.setattr("sandbox.salesforce.queries.SMALLEST_PAGE", PAGE)
    loop, witness = tiny, Witness()
    loop.sandbox.watch(witness)
    assert dies_at_commit(loop, number, *(f"{each}={PAGE}" for each in PAGE_SIZES)) == 0
    before = set(witness.rows)
    witness.watch()
    for each in PAGE_SIZES:
        monkeypatch.setattr(each, PAGE)
    with open_site(loop.config, loop.clock) as site:
        pulled = pull(site, loop.now)
    assert not any(each.problem for each in pulled)
    assert sum(each.contacts - each.contacts_changed + each.activities - each.activities_new for each in pulled) == 0
    again = witness.again(before)
    assert again.total() > 0
    for stream, rows in again.items():
        pages = next(most for path, most in ASKED_AGAIN.items() if re.fullmatch(path, stream))
        assert rows <= PAGE * pages + THE_ONE_BEFORE, stream
