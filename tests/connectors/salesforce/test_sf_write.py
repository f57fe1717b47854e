import json
from collections.abc import Callable
from typing import Any

import pytest

from connectors.contract import Change, Outcome, Result
from connectors.errors import NotAllowed, QuotaSpent, Rejected, SchemaDrift
from connectors.salesforce.write import merged


def change(number: int, object_: str = "Contact", **after: Any) -> Change:
    prefix = "003" if object_ == "Contact" else "00Q"
    return Change(object_, f"{prefix}{number:012d}", None, after or {"buy_score": float(number)})


def refused(code: str, message: str = "no") -> dict[str, Any]:
    return {"success": False, "errors": [{"statusCode": code, "message": message, "fields": []}]}


@pytest.fixture
def answer(org, data: str) -> Callable[..., list[list[dict[str, Any]]]]:
    """Let the org answer by a function of one record; returns the list of collections it was sent."""

    def script(by: Callable[[dict[str, Any]], Any]) -> list[list[dict[str, Any]]]:
        sent: list[list[dict[str, Any]]] = []

        def collection(records: list[dict[str, Any]]) -> tuple[int, Any]:
            sent.append(records)
            said = [by(record) for record in records]
            broken = next((each for each in said if isinstance(each, str)), None)
            return (400, [{"errorCode": broken, "message": "cannot be read"}]) if broken else (200, said)

        def alone(request: Any) -> tuple[int, dict[str, str], str]:
            status, body = collection(json.loads(request.body)["records"])
            return status, {"Content-Type": "application/json"}, json.dumps(body)

        def together(request: Any) -> tuple[int, dict[str, str], str]:
            parts = []
            for part in json.loads(request.body)["compositeRequest"]:
                status, body = collection(part["body"]["records"])
                parts.append({"body": body, "httpStatusCode": status, "referenceId": part["referenceId"]})
            body = json.dumps({"compositeResponse": parts[::-1]})  # told by their references, in whatever order
            return 200, {"Content-Type": "application/json"}, body

        org.assert_all_requests_are_fired = False
        org.add_callback("PATCH", f"{data}/composite/sobjects", alone)
        org.add_callback("POST", f"{data}/composite", together)
        return sent

    return script


def good(record: dict[str, Any]) -> dict[str, Any]:
    return {"id": record["id"], "success": True, "errors": []}


def test_a_thousand_contacts_cost_one_call(connect, answer) -> None:
    sent = answer(good)
    connector = connect()
    changes = [change(n) for n in range(900)] + [change(n, "Lead") for n in range(100)]
    assert connector.predict_calls(changes) == 1
    outcomes = [outcome for batch in connector.write(changes) for outcome in batch]
    assert {outcome.result for outcome in outcomes} == {Result.WRITTEN}
    assert [(outcome.object, outcome.id) for outcome in outcomes] == [(each.object, each.id) for each in changes]
    assert [len(batch) for batch in sent] == [200] * 5
    assert connector.calls == {"write scores": 1}


def test_values_are_written_in_salesforces_way(connect, answer) -> None:
    sent = answer(good)
    after = {"buy_score": 12.345, "tags": ("Loyal", "Control"), "reasons": None, "scored_on": "2017-06-01"}
    list(connect().write([change(1, **after, control_group=True, segment="Lost")]))
    assert sent == [
        [
            {
                "attributes": {"type": "Contact"},
                "id": "003000000000001",
                "FT_Buy_Score__c": 12.35,
                "FT_Tags__c": "Control;Loyal",
                "FT_Reasons__c": None,
                "FT_Scored_On__c": "2017-06-01",
                "FT_Control_Group__c": True,
                "FT_Segment__c": "Lost",
            }
        ]
    ]


def test_emptied_fields_become_null_and_an_unticked_box(connect, answer) -> None:
    sent = answer(good)
    list(connect().write([change(1, buy_score=None, tags=(), reasons="", control_group=None)]))
    values = {name: value for name, value in sent[0][0].items() if name.startswith("FT_")}
    assert values == {
        "FT_Buy_Score__c": None,
        "FT_Tags__c": None,
        "FT_Reasons__c": None,
        "FT_Control_Group__c": False,
    }


def test_refusals_are_matched_by_place(connect, answer) -> None:
    said = {
        "003000000000001": refused("ENTITY_IS_DELETED", "entity is deleted"),
        "003000000000002": refused("INVALID_CROSS_REFERENCE_KEY", "invalid id"),
        "003000000000003": refused("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Phone must be given"),
        "00Q000000000004": refused("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead"),
    }
    answer(lambda record: said.get(record["id"]) or good(record))
    changes = [*(change(n) for n in range(1, 4)), change(4, "Lead"), change(5, "Lead")]
    (outcomes,) = connect().write(changes)
    assert [(outcome.id[-1], outcome.result) for outcome in outcomes] == [
        ("1", Result.GONE),
        ("2", Result.GONE),
        ("3", Result.REJECTED),
        ("4", Result.REJECTED),
        ("5", Result.WRITTEN),
    ]
    assert outcomes[2].reason == "FIELD_CUSTOM_VALIDATION_EXCEPTION: Phone must be given"


def test_locked_records_are_sent_again_by_themselves(connect, answer, slept: list[float]) -> None:
    tries = iter([1, 2])
    locked = refused("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access")
    sent = answer(lambda r: locked if r["id"].endswith("2") and next(tries, None) else good(r))
    (outcomes,) = connect().write([change(1), change(2), change(3)])
    assert [[record["id"][-1] for record in batch] for batch in sent] == [["1", "2", "3"], ["2"], ["2"]]
    assert {outcome.result for outcome in outcomes} == {Result.WRITTEN}
    assert len(outcomes) == 3
    assert len(slept) == 2


def test_a_record_that_stays_locked_is_rejected_in_the_end(connect, answer) -> None:
    sent = answer(lambda r: refused("UNABLE_TO_LOCK_ROW", "busy") if r["id"].endswith("2") else good(r))
    (outcomes,) = connect().write([change(1), change(2)])
    assert [len(batch) for batch in sent] == [2, 1, 1, 1]
    assert outcomes[1] == Outcome("Contact", "003000000000002", Result.REJECTED, "UNABLE_TO_LOCK_ROW: busy")


def test_a_poisoned_record_is_found_and_the_others_are_written(connect, answer) -> None:
    sent = answer(lambda r: "JSON_PARSER_ERROR" if r["id"].endswith("037") else good(r))
    (outcomes,) = connect().write([change(n) for n in range(200)])
    bad = [outcome for outcome in outcomes if outcome.result is not Result.WRITTEN]
    assert bad == [Outcome("Contact", change(37).id, Result.REJECTED, "JSON_PARSER_ERROR: cannot be read")]
    assert len(outcomes) == 200
    assert len(sent) <= 17


def test_an_answer_that_is_too_short_leaves_the_batch_unknown(connect, org, data: str) -> None:
    org.patch(f"{data}/composite/sobjects", json=[{"id": change(1).id, "success": True, "errors": []}])
    (outcomes,) = connect().write([change(1), change(2)])
    assert {outcome.result for outcome in outcomes} == {Result.UNKNOWN}


def test_an_answer_for_another_record_is_not_believed(connect, answer) -> None:
    answer(lambda record: {"id": change(9).id, "success": True, "errors": []})
    (outcomes,) = connect().write([change(1)])
    assert outcomes[0].result is Result.UNKNOWN


def test_a_missing_field_stops_the_write(connect, org, data: str) -> None:
    body = [{"errorCode": "INVALID_FIELD", "message": "No such column 'FT_Buy_Score__c' on sobject of type Contact"}]
    org.patch(f"{data}/composite/sobjects", json=body, status=400)
    with pytest.raises(SchemaDrift, match="FT_Buy_Score__c is not there"):
        list(connect().write([change(1)]))


def test_a_refusal_that_is_not_about_a_record_is_not_bisected(connect, org, data: str) -> None:
    org.patch(f"{data}/composite/sobjects", json=[{"errorCode": "METHOD_NOT_ALLOWED", "message": "x"}], status=405)
    with pytest.raises(Rejected):
        list(connect().write([change(1), change(2)]))
    assert len(org.calls) == 1


def test_foreign_keys_and_objects_are_refused_before_anything_is_sent(connect, org) -> None:
    with pytest.raises(NotAllowed, match="owner"):
        list(connect().write([change(1), change(2, owner="me")]))
    with pytest.raises(NotAllowed, match="Account"):
        list(connect().write([Change("Account", "001000000000001", None, {"buy_score": 1.0})]))


def test_two_changes_of_one_contact_become_one() -> None:
    batch = merged([change(1, buy_score=1.0, segment="Lost"), change(2), change(1, buy_score=2.0)])
    assert [(each.id[-1], dict(each.after)) for each in batch] == [
        ("1", {"buy_score": 2.0, "segment": "Lost"}),
        ("2", {"buy_score": 2.0}),
    ]


def test_no_changes_cost_no_call(connect, org) -> None:
    connector = connect()
    assert list(connector.write([])) == []
    assert connector.predict_calls([]) == 0


def composite(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"compositeResponse": list(parts)}


def part(number: int, status: int, body: Any) -> dict[str, Any]:
    return {"referenceId": f"part{number}", "httpStatusCode": status, "httpHeaders": {}, "body": body}


def test_trap_a_part_of_a_composite_without_an_answer_is_unknown(connect, org, data: str) -> None:
    first = [good({"id": change(n).id}) for n in range(200)]
    org.post(f"{data}/composite", json=composite(part(0, 200, first)))
    (outcomes,) = connect().write([change(n) for n in range(250)])
    assert [outcome.result for outcome in outcomes] == [Result.WRITTEN] * 200 + [Result.UNKNOWN] * 50


def test_trap_a_part_of_a_composite_that_failed_for_now_is_sent_again(connect, org, data: str, slept) -> None:
    first = [good({"id": change(n).id}) for n in range(200)]
    busy = [{"errorCode": "SERVER_UNAVAILABLE", "message": "later"}]
    org.post(f"{data}/composite", json=composite(part(1, 503, busy), part(0, 200, first)))
    org.patch(f"{data}/composite/sobjects", json=[good({"id": change(n).id}) for n in range(200, 250)])
    (outcomes,) = connect().write([change(n) for n in range(250)])
    assert {outcome.result for outcome in outcomes} == {Result.WRITTEN}
    assert len(slept) == 1


def test_trap_the_quota_ends_inside_a_composite(connect, org, data: str) -> None:
    spent = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]
    org.post(f"{data}/composite", json=composite(part(0, 403, spent), part(1, 403, spent)))
    with pytest.raises(QuotaSpent):
        list(connect().write([change(n) for n in range(250)]))


def test_trap_a_field_nobody_may_edit_stops_the_write(connect, answer) -> None:
    """One such row is that record's own matter; when all are refused so, it is the field's."""
    message = "Unable to create/update fields: FT_Buy_Score__c. Please check the security settings of this field"
    closed = refused("INVALID_FIELD_FOR_INSERT_UPDATE", message)
    bad = {change(1).id}
    answer(lambda record: closed if record["id"] in bad else good(record))
    (outcomes,) = connect().write([change(1), change(2)])
    assert [outcome.result for outcome in outcomes] == [Result.REJECTED, Result.WRITTEN]
    bad.add(change(2).id)
    with pytest.raises(SchemaDrift, match="FT_Buy_Score__c"):
        list(connect().write([change(1), change(2)]))


def test_trap_neighbouring_bad_records_do_not_hide_the_good_ones(connect, answer) -> None:
    bad = {change(n).id for n in range(40, 52)}
    answer(lambda r: "JSON_PARSER_ERROR" if r["id"] in bad else good(r))
    (outcomes,) = connect().write([change(n) for n in range(200)])
    assert {outcome.id for outcome in outcomes if outcome.result is not Result.WRITTEN} == bad


def test_trap_a_thousand_records_may_take_too_long_for_one_answer(connect, org, data: str) -> None:
    """Slow automation: smaller calls get through, and larger ones are not tried again."""
    org.post(f"{data}/composite", body="<html>gateway timeout</html>", status=504, content_type="text/html")
    for first, count in ((0, 200), (200, 50), (0, 200), (200, 50)):
        body = [good({"id": change(n).id}) for n in range(first, first + count)]
        org.patch(f"{data}/composite/sobjects", json=body)
    connector, large = connect(), []
    for _ in range(2):
        (outcomes,) = connector.write([change(n) for n in range(250)])
        assert {outcome.result for outcome in outcomes} == {Result.WRITTEN}
        large.append(sum(call.request.method == "POST" for call in org.calls))
    assert large[0] == large[1]
