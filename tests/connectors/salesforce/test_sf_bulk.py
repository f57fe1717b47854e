"""Many rows, against the pretended org: bulk jobs, and collections beside them."""

import csv
import io
from types import SimpleNamespace
from typing import Any

import pytest

from connectors.contract import Change, Outcome, Result
from connectors.errors import SchemaDrift
from sandbox.faults import Fault
from sandbox.salesforce.ids import make_id
from sandbox.salesforce.org import ADMIN_USER
from sandbox.salesforce.troubles import Trouble

FULL = {
    "buy_score": 41.37,
    "segment": "Loyal",
    "tags": ("Control", "Loyal"),
    "reasons": 'Ordered "3" times,\nlast in June – å',
    "scored_on": "2017-06-01",
    "control_group": True,
}


@pytest.fixture
def crowd(box: SimpleNamespace, fields, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The sandbox with our fields and a thousand leads more; above 20 rows of one object a bulk job is used."""
    monkeypatch.setattr("connectors.salesforce.write.BULK_FROM", 20)
    box.connect().provision(fields)
    org = box.platform.org
    now = org.now()
    for number in range(1000):
        lead = {
            "Id": make_id("00Q", 20_000_000 + number), "IsDeleted": False, "LastName": f"L{number}", "Company": "C",
            "Status": "Open - Not Contacted", "IsConverted": False, "OwnerId": ADMIN_USER, "CreatedDate": now,
            "LastModifiedDate": now, "SystemModstamp": now, "Email": f"l{number}@x.example",
        }  # fmt: skip
        org.records.add("Lead", lead)
    box.ids = [make_id("00Q", 20_000_000 + number) for number in range(1000)]
    box.leads = org.records.tables["Lead"]
    return box


def changes(ids: list[str], **after: Any) -> list[Change]:
    return [Change("Lead", id_, None, after or FULL) for id_ in ids]


def write(connector: Any, asked: list[Change]) -> dict[str, Outcome]:
    outcomes = [outcome for batch in connector.write(asked) for outcome in batch]
    assert len(outcomes) == len(asked)
    return {outcome.id: outcome for outcome in outcomes}


def results(outcomes: dict[str, Outcome]) -> set[Result]:
    return {outcome.result for outcome in outcomes.values()}


def test_many_rows_go_by_one_bulk_job(crowd) -> None:
    connector = crowd.connect()
    asked = changes(crowd.ids)
    predicted = connector.predict_calls(asked)
    assert results(write(connector, asked)) == {Result.WRITTEN}
    assert connector.calls == {
        "bulk jobs there are": 1, "bulk job": 1, "bulk rows": 1, "bulk start": 1, "bulk state": 2, "bulk results": 1,
    }  # fmt: skip
    assert connector.calls.total() == predicted - 1  # nothing was refused, so that result is not read
    lead = crowd.leads[crowd.ids[7]]
    assert (lead["FT_Buy_Score__c"], lead["FT_Segment__c"], lead["FT_Control_Group__c"]) == (41.37, "Loyal", True)
    assert (lead["FT_Tags__c"], lead["FT_Reasons__c"]) == ("Control;Loyal", FULL["reasons"])


def test_trap_assignment_rules_take_no_lead_away(crowd) -> None:
    write(crowd.connect(), changes(crowd.ids))
    write(crowd.connect(), changes(crowd.ids[:15]))
    assert {crowd.leads[id_]["OwnerId"] for id_ in crowd.ids} == {ADMIN_USER}


def test_trap_a_blank_cell_leaves_and_na_empties(crowd) -> None:
    write(crowd.connect(), changes(crowd.ids))
    first, second = crowd.ids[:50], crowd.ids[50:100]
    asked = [*changes(first, reasons=None, tags=(), control_group=None), *changes(second, buy_score=1.0)]
    assert results(write(crowd.connect(), asked)) == {Result.WRITTEN}
    one, other = crowd.leads[first[0]], crowd.leads[second[0]]
    assert (one["FT_Reasons__c"], one["FT_Tags__c"], one["FT_Control_Group__c"]) == (None, None, False)
    assert (one["FT_Buy_Score__c"], other["FT_Buy_Score__c"]) == (41.37, 1.0)
    assert other["FT_Reasons__c"] == FULL["reasons"]


def test_trap_a_text_that_reads_like_empty_goes_by_collections(crowd) -> None:
    asked = [*changes(crowd.ids[:30], reasons="why"), *changes([crowd.ids[30]], reasons="#N/A")]
    connector = crowd.connect()
    assert results(write(connector, asked)) == {Result.WRITTEN}
    assert crowd.leads[crowd.ids[30]]["FT_Reasons__c"] == "#N/A"
    assert (connector.calls["bulk job"], connector.calls["write scores"]) == (1, 1)


def test_trap_a_complete_job_is_not_a_successful_one(crowd) -> None:
    crowd.platform.delete(crowd.ids[3])
    crowd.platform.trouble(crowd.ids[5], Trouble("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Phone: must be given"))
    outcomes = write(crowd.connect(), changes(crowd.ids))
    assert outcomes.pop(crowd.ids[3]).result is Result.GONE
    assert outcomes.pop(crowd.ids[5]).reason == "FIELD_CUSTOM_VALIDATION_EXCEPTION: Phone: must be given"
    assert results(outcomes) == {Result.WRITTEN}


def test_trap_locked_rows_of_a_job_are_sent_again_alone(crowd) -> None:
    for id_ in crowd.ids[10:13]:
        crowd.platform.trouble(id_, Trouble("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access", times=2))
    connector = crowd.connect()
    assert results(write(connector, changes(crowd.ids))) == {Result.WRITTEN}
    assert (connector.calls["bulk job"], connector.calls["write scores"]) == (1, 2)


def test_trap_a_failed_job_is_made_good_by_collections(crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd.sandbox.inject(Fault("salesforce", "POST .*/jobs/ingest", "status", status=400, body="[]"))
    connector = crowd.connect()
    assert results(write(connector, changes(crowd.ids[:300]))) == {Result.WRITTEN}
    assert connector.calls["write scores"] == 1
    monkeypatch.setattr("sandbox.salesforce.bulk_ingest._problem", lambda *_: "InternalServerError : not today")
    connector = crowd.connect()
    assert results(write(connector, changes(crowd.ids[:300]))) == {Result.WRITTEN}
    assert (connector.calls["bulk job"], connector.calls["write scores"]) == (1, 1)


def test_a_job_for_a_field_that_is_missing_stops_the_write(crowd) -> None:
    del crowd.platform.org.schema.find("Lead").fields["FT_Reasons__c"]
    crowd.platform.org.permissions.forget()
    with pytest.raises(SchemaDrift, match=r"FT_Reasons__c.*foretag provision"):
        write(crowd.connect(), changes(crowd.ids))


def test_trap_a_job_that_never_ends_leaves_its_rows_unknown(crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.salesforce.bulk.PATIENCE", 0.0)
    outcomes = write(crowd.connect(), changes(crowd.ids))
    assert results(outcomes) == {Result.UNKNOWN}
    assert "still InProgress; the next run waits for it" in outcomes[crowd.ids[0]].reason


def test_trap_a_job_from_before_a_crash_cannot_overwrite_newer_values(crowd) -> None:
    """It is waited for; then the rows are sent again, as absolute values."""
    connector = crowd.connect()
    path = connector._writer._bulk._start("Lead", changes(crowd.ids, buy_score=1.0))
    again = crowd.connect()
    assert results(write(again, changes(crowd.ids, buy_score=2.0))) == {Result.WRITTEN}
    assert again.calls["who am I"] == 1
    assert again.calls["bulk state"] == 4
    assert crowd.platform.org.jobs[path.rsplit("/", 1)[1]].status["state"] == "JobComplete"
    assert {crowd.leads[id_]["FT_Buy_Score__c"] for id_ in crowd.ids} == {2.0}


@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "truncate", "status"])
@pytest.mark.parametrize("call", ["POST .*/ingest$", "PUT", "PATCH .*/jobs", r"GET .*/ingest/\w+$", "GET .*Results"])
def test_a_bulk_job_survives_faults(crowd, call: str, kind: Any) -> None:
    fault = Fault("salesforce", call, kind, status=503)
    crowd.sandbox.inject(fault)
    assert results(write(crowd.connect(), changes(crowd.ids[:60]))) == {Result.WRITTEN}
    assert fault.times == 0
    assert {crowd.leads[id_]["FT_Buy_Score__c"] for id_ in crowd.ids[:60]} == {41.37}


def test_trap_a_job_that_somebody_aborts_is_not_gone_round(crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    finish = crowd.connect()._writer._bulk._finished

    def aborted(self: Any, path: str) -> Any:
        job = crowd.platform.org.jobs[path.rsplit("/", 1)[1]]
        job.status |= {"state": "Aborted", "numberRecordsProcessed": 0}
        return finish(path)

    monkeypatch.setattr("connectors.salesforce.bulk.Bulk._finished", aborted)
    connector = crowd.connect()
    outcomes = write(connector, changes(crowd.ids[:30]))
    assert results(outcomes) == {Result.UNKNOWN}
    assert "Aborted" in outcomes[crowd.ids[0]].reason
    assert connector.calls["write scores"] == 0


HOSTILE = (
    "He said \"often\", she said 'never'",
    "a,b;c\td|e",
    "first\nsecond\r\nthird\rfourth",
    "x\u2028y\u2029z\x0bw\x85v",
    "Käufer 🛒 日本語 \u202eleft",
    "=1+1",
    "null",
    '""',
    "  spaces  ",
    "ä" * 255,
)


def test_any_text_survives_a_bulk_job(crowd) -> None:
    texts = dict(zip(crowd.ids, HOSTILE * 3, strict=False))
    connector = crowd.connect()
    asked = [Change("Lead", id_, None, {"reasons": text}) for id_, text in texts.items()]
    assert results(write(connector, asked)) == {Result.WRITTEN}
    assert connector.calls["bulk job"] == 1
    assert {id_: crowd.leads[id_]["FT_Reasons__c"] for id_ in texts} == texts


def test_rows_keep_the_order_they_are_given_in(crowd) -> None:
    """Neighbours of one account stand together then, and get in each other's way less."""
    order = crowd.ids[500:] + crowd.ids[:500]
    write(crowd.connect(), changes(order))
    (job,) = crowd.platform.org.jobs.values()
    assert [row[0] for row in job.results["successfulResults"]] == order


POISON = {
    "STRING_TOO_LONG": {"reasons": "x" * 300},
    "NUMBER_OUTSIDE_VALID_RANGE": {"buy_score": 1e12},
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": {"segment": "Unheard of"},
    "JSON_PARSER_ERROR": {"scored_on": "someday"},
}
TROUBLE = {
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": Trouble("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Phone must be given"),
    "UNABLE_TO_LOCK_ROW": Trouble("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record"),
    "CANNOT_EXECUTE_FLOW_TRIGGER": Trouble("CANNOT_EXECUTE_FLOW_TRIGGER", "flow failed", together=True),
}


@pytest.mark.parametrize("bulk_from", [20, 2000], ids=["bulk", "collections"])
def test_ten_rows_poisoned_in_ten_ways_cost_nobody_else_anything(crowd, monkeypatch, bulk_from: int) -> None:
    monkeypatch.setattr("connectors.salesforce.write.BULK_FROM", bulk_from)
    field = crowd.platform.org.schema.find("Lead").fields["FT_Segment__c"]
    field.restricted, field.values = True, ("Loyal", "Lost")
    victims = dict(zip([*POISON, *TROUBLE, "converted", "deleted", "foreign"], crowd.ids[::100], strict=True))
    asked = {change.id: change for change in changes(crowd.ids)}
    for name, after in POISON.items():
        asked[victims[name]] = Change("Lead", victims[name], None, {**FULL, **after})
    for name, trouble in TROUBLE.items():
        crowd.platform.trouble(victims[name], trouble)
    crowd.leads[victims["converted"]]["IsConverted"] = True
    crowd.platform.delete(victims["deleted"])
    del crowd.leads[victims["foreign"]]

    outcomes = write(crowd.connect(), list(asked.values()))
    refused = {name: outcomes.pop(id_) for name, id_ in victims.items()}
    assert results(outcomes) == {Result.WRITTEN}
    assert len(outcomes) == 990
    assert all(crowd.leads[id_]["FT_Buy_Score__c"] == 41.37 for id_ in outcomes)
    assert (refused.pop("deleted").result, refused.pop("foreign").result) == (Result.GONE, Result.GONE)
    assert refused.pop("converted").reason.startswith("CANNOT_UPDATE_CONVERTED_LEAD")
    for name, outcome in refused.items():
        in_a_job = name == "JSON_PARSER_ERROR" and bulk_from == 20
        told = "INVALID_TYPE_ON_FIELD_IN_RECORD" if in_a_job else name
        assert (outcome.result, outcome.reason.split(":")[0]) == (Result.REJECTED, told)

    mended = [victims[name] for name in (*POISON, *TROUBLE)]
    for id_ in mended:
        crowd.platform.trouble(id_, None)
    assert results(write(crowd.connect(), changes(mended))) == {Result.WRITTEN}


def test_trap_automation_that_is_broken_for_all_is_not_tried_row_by_row(crowd) -> None:
    for id_ in crowd.ids[:200]:
        crowd.platform.trouble(id_, Trouble("CANNOT_EXECUTE_FLOW_TRIGGER", "flow failed", together=True))
    connector = crowd.connect()
    outcomes = write(connector, [*changes(crowd.ids[:20]), *changes(crowd.ids[20:200], buy_score=1.0)][:20])
    assert results(outcomes) == {Result.REJECTED}
    assert connector.calls["write scores"] <= 17


def test_the_uploaded_rows_are_plain_csv(crowd) -> None:
    from connectors.salesforce.bulk import _table

    text = _table(changes(crowd.ids[:2]), crowd.connect()._writer._values)
    header, *rows = csv.reader(io.StringIO(text))
    assert header[0] == "Id"
    assert [row[0] for row in rows] == crowd.ids[:2]
    assert dict(zip(header, rows[0], strict=True))["FT_Reasons__c"] == FULL["reasons"]
