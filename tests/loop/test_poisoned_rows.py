"""Of a thousand contacts the org refuses ten in ten different ways: the others are written, the ten are named."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from sandbox.salesforce.troubles import Trouble
from sandbox.server import Sandbox
from sandbox.world import small
from sync import cli
from sync.configfile import load

TROUBLES = [
    Trouble("FIELD_CUSTOM_VALIDATION_EXCEPTION", "A customer needs a region"),
    Trouble("REQUIRED_FIELD_MISSING", "Required fields are missing: [Region__c]"),
    Trouble("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "ContactTrigger: System.NullPointerException"),
    Trouble("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record"),
    Trouble("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "insufficient access rights on cross-reference id"),
    Trouble("ENTITY_IS_LOCKED", "the record is locked by an approval process"),
    Trouble("DUPLICATES_DETECTED", "Use one of these records?"),
    Trouble("STRING_TOO_LONG", "Region: data value too large"),
    Trouble("INVALID_EMAIL_ADDRESS", "Email: invalid email address: nobody@nowhere.example"),
    Trouble("TRANSFER_REQUIRES_READ", "The new owner must have read permission"),
]


@pytest.fixture
def thousand(tmp_path, install_in, loops):
    """A Salesforce org with about a thousand people, and nothing else."""
    with Sandbox(small(2_300), loops.date, limits=False) as sandbox:
        loop = install_in(sandbox, tmp_path)
        text = loop.config_file.read_text()
        begin, end = text.index("[[hubspot]]"), text.index("[[salesforce]]")
        loop.config_file.write_text(text[:begin] + text[end:])
        loop.config = load(loop.config_file)
        yield loop


def segments(loop) -> dict[str, str]:
    """Who on Salesforce is in which segment, by what the org itself holds."""
    kinds = loop.sandbox.snapshot()["salesforce"]
    rows = {**kinds["Contact"], **kinds["Lead"]}
    return {id_: row["FT_Segment__c"] for id_, row in rows.items() if row.get("FT_Segment__c")}


@pytest.mark.slow
def test_of_a_thousand_ten_are_refused_and_named_and_delivered_once_mended(thousand):
    org = thousand.sandbox.platform("salesforce").org
    mended = sorted(org.records.tables["Contact"])[::40][: len(TROUBLES)]
    for id_, trouble in zip(mended, TROUBLES, strict=True):
        org.troubles.add(id_, trouble)
    outcome = thousand.run()
    planned = {change.id for change in outcome.plan.changes["salesforce"]}
    assert len(planned) >= 1_000
    assert set(mended) <= planned
    assert set(segments(thousand)) == planned - set(mended)
    (applied,) = outcome.applied
    assert (applied.written, applied.failed.total()) == (len(planned) - 10, 10)

    line = ["--config", str(thousand.config_file), "runs", "show", str(outcome.number), "--failed", "--json"]
    shown = json.loads(CliRunner().invoke(cli.main, line).output)
    reasons = {each["id"]: each["reason"] for each in shown}
    assert reasons.keys() == set(mended)
    for id_, trouble in zip(mended, TROUBLES, strict=True):
        assert trouble.code in reasons[id_] or trouble.message in reasons[id_]
    assert "nobody@nowhere.example" not in json.dumps(shown)

    at_once = thousand.run()
    assert at_once.plan.size == 0, "they wait before they are tried again"
    for id_ in mended:
        org.troubles.mend(id_)
    thousand.sandbox.advance(thousand.now + timedelta(hours=2))
    delivered = thousand.run()
    assert delivered.verdict == "ok"
    assert set(segments(thousand)) >= planned
    thousand.run()
    assert thousand.writes() == {}
