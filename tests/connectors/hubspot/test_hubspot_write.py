"""What became of each change, whatever HubSpot answers."""

import json
from pathlib import Path
from threading import Barrier

import pytest

from connectors.contract import Change, Result
from connectors.errors import Rejected, SchemaDrift, Unavailable

UPDATE = "https://api.hubapi.com/crm/v3/objects/contacts/batch/update"
READ = "https://api.hubapi.com/crm/v3/objects/contacts/batch/read"
RECORDED = Path("../shared/fixtures/hubspot")


def changes(*ids, **after):
    return [Change("contacts", str(id_), None, after or {"buy_score": 1.0}) for id_ in ids]


def done(connector, given):
    return {outcome.id: (outcome.result, outcome.reason) for batch in connector.write(given) for outcome in batch}


def answered(*ids, errors=()):
    answer = {"status": "COMPLETE", "results": [{"id": str(id_), "properties": {}} for id_ in ids]}
    return answer | ({"errors": list(errors), "numErrors": len(errors)} if errors else {})


def test_a_thousand_contacts_are_ten_calls_in_their_order(web, connect):
    web.add_callback("POST", UPDATE, lambda r: (200, {}, json.dumps(echo(r))), content_type="application/json")
    connector, given = connect(), changes(*range(1_000))
    batches = list(connector.write(given))
    assert connector.predict_calls(given) == len(batches) == connector.calls["contacts update"] == 10
    assert [outcome.id for batch in batches for outcome in batch] == [change.id for change in given]


def echo(request):
    """An answer that has written everybody, in another order than they were given."""
    return answered(*(row["id"] for row in reversed(json.loads(request.body)["inputs"])))


def test_a_contact_is_never_twice_in_one_call(web, connect):
    web.add_callback("POST", UPDATE, lambda r: (200, {}, json.dumps(echo(r))), content_type="application/json")
    given = [*changes(1, 2), *changes(1, 3, buy_score=2.0)]
    connector = connect()
    assert connector.predict_calls(given) == 2
    assert [[outcome.id for outcome in batch] for batch in connector.write(given)] == [["1", "2"], ["1", "3"]]


@pytest.mark.parametrize("status", [200, 207])
def test_trap_a_200_with_errors_is_a_partial_answer_too(web, connect, status):
    error = {"category": "OBJECT_NOT_FOUND", "message": "...", "context": {"ids": ["2"], "objectWriteTraceId": ["2"]}}
    web.post(UPDATE, status=status, json=answered(1, 3, errors=[error]))
    outcomes = done(connect(), changes(1, 2, 3))
    assert outcomes == {
        "1": (Result.WRITTEN, ""),
        "2": (Result.GONE, "deleted"),
        "3": (Result.WRITTEN, ""),
    }


def test_a_refused_value_is_told_by_its_trace_id(web, connect):
    error = {"category": "VALIDATION_ERROR", "message": "Huge is no option", "context": {"objectWriteTraceId": ["2"]}}
    web.post(UPDATE, status=207, json=answered(1, errors=[error]))
    assert done(connect(), changes(1, 2)) == {
        "1": (Result.WRITTEN, ""),
        "2": (Result.REJECTED, "Huge is no option"),
    }


def test_trap_a_merged_contact_is_passed_over_in_silence_and_looked_up(web, connect):
    web.post(UPDATE, json=answered(1))
    survivor = {"id": "90", "properties": {"hs_merged_object_ids": "2;5"}}
    error = {"category": "OBJECT_NOT_FOUND", "message": "...", "context": {"ids": ["3"]}}
    web.post(READ, status=207, json={"results": [survivor, {"id": "4", "properties": {}}], "errors": [error]})
    outcomes = done(connect(), changes(1, 2, 3, 4, 6))
    assert outcomes["2"] == (Result.GONE, "merged into 90")
    assert outcomes["3"] == (Result.GONE, "deleted")
    assert outcomes["4"][0] is Result.UNKNOWN
    assert outcomes["6"][0] is Result.UNKNOWN


def test_trap_a_silent_contact_that_holds_what_was_sent_was_written(web, connect):
    """The answer came out shorter than what was asked; nobody is taken for written without having been read again."""
    web.post(UPDATE, json=answered())
    rows = [{"id": "1", "properties": {"ft_buy_score": "1.0"}}, {"id": "2", "properties": {"ft_buy_score": "7"}}]
    web.post(READ, json={"results": rows})
    outcomes = done(connect(), changes(1, 2))
    assert outcomes["1"] == (Result.WRITTEN, "")
    assert outcomes["2"][0] is Result.UNKNOWN


@pytest.mark.parametrize("code", ["READ_ONLY_VALUE", "PROPERTY_DOESNT_EXIST"])
def test_trap_a_fault_of_the_property_is_not_looked_for_in_each_contact(web, connect, code):
    web.post(
        UPDATE, status=400, json={"message": "no", "errors": [{"message": "the property ft_buy_score", "code": code}]}
    )
    with pytest.raises(SchemaDrift, match="ft_buy_score"):
        done(connect(), changes(*range(100)))
    assert len(web.calls) == 1


def test_trap_a_hundred_refused_out_of_a_hundred_stop_the_rest(web, connect):
    refuse_all = refusing(*map(str, range(1_000)))
    web.add_callback("POST", UPDATE, refuse_all, content_type="application/json")
    with pytest.raises(SchemaDrift, match="refused 100 contacts out of 100: INVALID_OPTION"):
        done(connect(), changes(*range(1_000)))
    assert len(web.calls) < 4 * 200 + 4


def test_calls_overlap_and_their_outcomes_keep_the_order(web, connect):
    both = Barrier(2)

    def answer(request):
        both.wait(5)
        return 200, {}, json.dumps(echo(request))

    web.add_callback("POST", UPDATE, answer, content_type="application/json")
    batches = list(connect().write(changes(*range(200))))
    assert [outcome.id for batch in batches for outcome in batch] == [str(n) for n in range(200)]


def refusing(*bad):
    """Refuses a whole call, naming nobody, while it holds one of the bad contacts."""

    def answer(request):
        ids = [row["id"] for row in json.loads(request.body)["inputs"]]
        if set(ids) & set(bad):
            return 400, {}, json.dumps({"category": "VALIDATION_ERROR", "message": "INVALID_OPTION"})
        return 200, {}, json.dumps(answered(*ids))

    return answer


@pytest.mark.parametrize("bad", [["0"], ["57"], ["99"], ["3", "4"], ["0", "99"]])
def test_trap_a_call_refused_as_a_whole_is_halved_until_the_bad_stand_alone(web, connect, bad):
    web.add_callback("POST", UPDATE, refusing(*bad), content_type="application/json")
    outcomes = done(connect(), changes(*range(100)))
    assert sorted(id_ for id_, (result, _) in outcomes.items() if result is Result.REJECTED) == sorted(bad)
    assert sum(result is Result.WRITTEN for result, _ in outcomes.values()) == 100 - len(bad)
    assert outcomes[bad[0]][1] == "INVALID_OPTION"
    assert len(web.calls) <= 1 + 14 * len(bad)


def test_a_refusal_that_names_the_bad_needs_no_halving(web, connect):
    error = {"message": "too long", "context": {"objectWriteTraceId": ["2"]}}
    web.post(UPDATE, status=400, json={"category": "VALIDATION_ERROR", "message": "no", "errors": [error]})
    web.post(UPDATE, json=answered(1, 3))
    assert done(connect(), changes(1, 2, 3))["2"] == (Result.REJECTED, "too long")
    assert len(web.calls) == 2


def test_a_property_that_is_gone_stops_everything(web, connect):
    message = 'Property "ft_buy_score" does not exist'
    error = {"message": message, "code": "PROPERTY_DOESNT_EXIST", "context": {"propertyName": ["ft_buy_score"]}}
    web.post(UPDATE, status=400, json={"message": "Property values were not valid", "errors": [error]})
    with pytest.raises(SchemaDrift, match="ft_buy_score"):
        done(connect(), changes(*range(100)))
    assert len(web.calls) == 1


def test_other_refusals_are_not_halved(web, connect):
    web.post(UPDATE, status=405, json={"message": "no"})
    with pytest.raises(Rejected):
        done(connect(), changes(*range(100)))
    assert len(web.calls) == 1


def test_an_outage_in_the_middle_leaves_the_first_outcomes(web, connect):
    web.post(UPDATE, json=answered(*range(100)))
    web.post(UPDATE, status=502, body="<html>")
    batches = connect().write(changes(*range(150)))
    assert len(next(batches)) == 100
    with pytest.raises(Unavailable):
        next(batches)


def test_nothing_to_write_is_no_call(web, connect):
    assert list(connect().write([])) == []
    assert connect().predict_calls([]) == 0


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded answers are not here")
def test_a_recorded_partial_answer_is_understood(web, connect):
    answer = json.loads((RECORDED / "amp_batch_update_contacts_207_not_found.json").read_text())
    written = [row["id"] for row in answer["results"]]
    web.post(UPDATE, status=207, json=answer)
    missing = {"category": "OBJECT_NOT_FOUND", "context": {"ids": ["1"]}}
    web.post(READ, status=207, json={"results": [], "errors": [missing]})
    outcomes = done(connect(), changes(*written, 1))
    assert {outcomes[id_][0] for id_ in written} == {Result.WRITTEN}
    assert outcomes["1"] == (Result.GONE, "deleted")


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded answers are not here")
def test_a_recorded_refusal_of_unknown_properties_is_drift(web, connect):
    answer = json.loads((RECORDED / "amp_batch_update_contacts_400_property_doesnt_exist.json").read_text())
    web.post(UPDATE, status=400, json=answer)
    with pytest.raises(SchemaDrift):
        done(connect(), changes(1))
