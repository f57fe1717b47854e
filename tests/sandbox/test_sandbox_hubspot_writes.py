"""Writing to the pretended HubSpot: what it takes, refuses, and passes over in silence."""

from typing import Any

import pytest

CONTACTS = "/crm/v3/objects/contacts"
SCORE = {"name": "score", "label": "Score", "type": "number", "fieldType": "number"}
SEEN = {"name": "seen_at", "label": "Seen", "type": "datetime", "fieldType": "date"}
DAY = {"name": "day", "label": "Day", "type": "date", "fieldType": "date"}
NOTE = {"name": "note", "label": "Note", "type": "string", "fieldType": "textarea"}
TAGS = {
    "name": "tags",
    "label": "Tags",
    "type": "enumeration",
    "fieldType": "checkbox",
    "options": [{"label": name.upper(), "value": name} for name in ("a", "b", "c")],
}


@pytest.fixture
def ids(hubspot) -> list[str]:
    """Three contacts, with properties to write to."""
    hubspot.provision(SCORE, SEEN, DAY, NOTE, TAGS)
    return [row["id"] for row in hubspot.get(CONTACTS, limit=3)["results"]]


def row(id_: str, trace: str | None = None, **properties: Any) -> dict[str, Any]:
    return {"id": id_, "properties": properties, **({"objectWriteTraceId": trace} if trace else {})}


def values(hubspot, id_: str) -> dict[str, Any]:
    names = "score,seen_at,day,note,tags,lastmodifieddate,hs_object_id"
    return hubspot.get(f"{CONTACTS}/{id_}", properties=names)["properties"]


def test_a_batch_of_good_values_is_written(hubspot, ids) -> None:
    answer = hubspot.update(row(ids[1], score="12.5"), row(ids[0], score=7))
    assert answer["status"] == "COMPLETE"
    assert [each["id"] for each in answer["results"]] == sorted(ids[:2], key=int)
    assert values(hubspot, ids[1])["score"] == "12.5"
    assert values(hubspot, ids[0])["score"] == "7"
    assert "errors" not in answer


def test_a_write_bumps_the_last_modified_date_only_when_something_changed(hubspot, ids) -> None:
    before = values(hubspot, ids[0])["lastmodifieddate"]
    hubspot.update(row(ids[0], score="1"))
    written = values(hubspot, ids[0])["lastmodifieddate"]
    assert written > before
    hubspot.update(row(ids[0], score="1", tags=None))
    assert values(hubspot, ids[0])["lastmodifieddate"] == written
    hubspot.update(row(ids[0], score="2"))
    assert values(hubspot, ids[0])["lastmodifieddate"] > written


def test_an_unknown_id_is_reported_and_the_others_are_written(hubspot, ids) -> None:
    answer = hubspot.update(row(ids[0], "r1", score="1"), row("999999", "r2", score="1"), status=207)
    assert [each["id"] for each in answer["results"]] == [ids[0]]
    (error,) = answer["errors"]
    assert error["category"] == "OBJECT_NOT_FOUND"
    assert error["context"] == {"ids": ["999999"], "objectWriteTraceId": ["r2"]}


def test_the_dated_version_says_200_to_a_partial_success(hubspot, ids) -> None:
    sent = {"inputs": [row(ids[0], score="1"), row("999999", score="1")]}
    answer = hubspot.post("/crm/objects/2026-09/contacts/batch/update", sent, 200)
    assert (len(answer["results"]), answer["numErrors"]) == (1, 1)


def test_a_merged_id_is_passed_over_in_silence(hubspot, ids) -> None:
    hubspot.post(f"{CONTACTS}/merge", {"primaryObjectId": ids[0], "objectIdToMerge": ids[1]})
    answer = hubspot.update(row(ids[1], "r1", score="1"), row(ids[2], "r2", score="1"))
    assert [each["id"] for each in answer["results"]] == [ids[2]]
    assert "errors" not in answer
    assert values(hubspot, ids[1])["hs_object_id"] == ids[0]
    assert values(hubspot, ids[0])["score"] is None


def test_the_same_id_twice_fails_the_batch(hubspot, ids) -> None:
    answer = hubspot.update(row(ids[0], "a", score="1"), row(ids[0], "b", score="2"), status=400)
    assert answer["message"] == f"Duplicate IDs found in batch input: [{ids[0]}]. IDs must be unique"
    assert values(hubspot, ids[0])["score"] is None


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("no_such", "1", "PROPERTY_DOESNT_EXIST"),
        ("score", "many", "INVALID_INTEGER"),
        ("score", "1,000", "INVALID_INTEGER"),
        ("score", "nan", "INVALID_INTEGER"),
        ("seen_at", "yesterday", "INVALID_DATE"),
        ("day", "2017-07-01T10:00:00Z", "INVALID_DATE"),
        ("tags", "a;z", "INVALID_OPTION"),
        ("lifecyclestage", "friend", "INVALID_OPTION"),
        ("hs_email_click", "5", "READ_ONLY_VALUE"),
        ("note", "x" * 65_537, "VALUE_TOO_LONG"),
        ("note", ["x"], "INVALID_TYPE"),
    ],
)
def test_one_bad_value_fails_the_whole_batch(hubspot, ids, name: str, value: Any, code: str) -> None:
    answer = hubspot.update(row(ids[0], score="1"), row(ids[1], **{name: value}), status=400)
    assert answer["category"] == "VALIDATION_ERROR"
    assert answer["message"].startswith("Property values were not valid: [{")
    assert [error["code"] for error in answer["errors"]] == [code]
    assert answer["errors"][0]["context"] == {"propertyName": [name]}
    assert ids[1] not in answer["message"]
    assert values(hubspot, ids[0])["score"] is None


def test_trace_ids_confine_a_bad_value_to_its_row(hubspot, ids) -> None:
    rows = [row(ids[0], "r1", score="1"), row(ids[1], "r2", score="many"), row(ids[2], "r3", tags="a")]
    answer = hubspot.update(*rows, status=207)
    assert {each["id"] for each in answer["results"]} == {ids[0], ids[2]}
    (error,) = answer["errors"]
    assert error["context"]["objectWriteTraceId"] == ["r2"]
    assert error["category"] == "VALIDATION_ERROR"


def test_trace_ids_that_are_not_unique_confine_nothing(hubspot, ids) -> None:
    hubspot.update(row(ids[0], "r1", score="1"), row(ids[1], "r1", score="many"), status=400)
    assert values(hubspot, ids[0])["score"] is None


@pytest.mark.parametrize(
    ("before", "sent", "after"),
    [
        (None, "a;b", "a;b"),
        ("a", "b;c", "b;c"),
        ("a", ";c", "a;c"),
        ("a;c", ";c", "a;c"),
        ("a;b", "", None),
        ("a;b", None, "a;b"),
        (None, ";b", "b"),
    ],
)
def test_tags_overwrite_append_clear(hubspot, ids, before: str | None, sent: str | None, after: str | None) -> None:
    hubspot.update(row(ids[0], tags=before or ""))
    hubspot.update(row(ids[0], tags=sent))
    assert values(hubspot, ids[0])["tags"] == after


def test_dates_are_kept_in_one_form(hubspot, ids) -> None:
    hubspot.update(row(ids[0], seen_at="1498867200000", day="1498867200000"))
    assert values(hubspot, ids[0])["seen_at"] == "2017-07-01T00:00:00.000Z"
    assert values(hubspot, ids[0])["day"] == "2017-07-01"
    hubspot.update(row(ids[0], seen_at="2017-07-01T02:00:00+02:00", day="2017-07-02"))
    assert values(hubspot, ids[0])["seen_at"] == "2017-07-01T00:00:00.000Z"
    assert values(hubspot, ids[0])["day"] == "2017-07-02"


def test_other_keys_than_the_record_id_are_refused(hubspot, ids) -> None:
    for key in ("email", "hs_object_id"):
        answer = hubspot.update({**row(ids[0], score="1"), "idProperty": key}, status=400)
        assert key in answer["message"]
    email = hubspot.get(f"{CONTACTS}/{ids[0]}", properties="email")["properties"]["email"]
    assert hubspot.update(row(email, score="1"))["results"] == []
    assert values(hubspot, ids[0])["score"] is None


def test_a_batch_holds_a_hundred(hubspot, ids) -> None:
    hubspot.update(*[row(str(n), score="1") for n in range(101)], status=400)
    hubspot.post(f"{CONTACTS}/batch/update", ["no object"], 400)
    hubspot.post(f"{CONTACTS}/batch/update", {"rows": []}, 400)


def test_creating_a_contact_creates_it_and_a_taken_address_is_refused(small_sandbox, hubspot, ids) -> None:
    sent = {"properties": {"email": "New.Person@Example.org", "firstname": "New"}}
    made = hubspot.post(CONTACTS, sent, 201)
    assert small_sandbox.snapshot()["hubspot"]["contacts"][made["id"]]["email"] == "new.person@example.org"
    refused = hubspot.post(CONTACTS, sent, 409)
    assert refused["message"] == f"Contact already exists. Existing ID: {made['id']}"
    assert small_sandbox.platform("hubspot").find("new.person@example.org")
    hubspot.post(CONTACTS, {"properties": {"no_such": "1"}}, 400)


def test_batch_create_names_the_one_that_exists(hubspot, ids) -> None:
    email = hubspot.get(f"{CONTACTS}/{ids[0]}", properties="email")["properties"]["email"]
    rows = [
        {"properties": {"email": email}, "objectWriteTraceId": "0"},
        {"properties": {"email": "fresh@example.org"}, "objectWriteTraceId": "1"},
    ]
    answer = hubspot.post(f"{CONTACTS}/batch/create", {"inputs": rows}, 207)
    assert answer["errors"][0]["context"] == {"objectWriteTraceId": ["0"], "existingId": [ids[0]]}
    assert [each["properties"]["email"] for each in answer["results"]] == ["fresh@example.org"]
    hubspot.post(f"{CONTACTS}/batch/create", {"inputs": [{"properties": {"email": email}}]}, 409)


def test_upsert_creates_whom_it_does_not_find(small_sandbox, hubspot, ids) -> None:
    before = len(small_sandbox.snapshot()["hubspot"]["contacts"])
    email = hubspot.get(f"{CONTACTS}/{ids[0]}", properties="email")["properties"]["email"]
    rows = [{"id": each, "idProperty": "email", "properties": {"score": "5"}} for each in (email, "who@example.org")]
    hubspot.post(f"{CONTACTS}/batch/upsert", {"inputs": rows})
    assert values(hubspot, ids[0])["score"] == "5"
    assert len(small_sandbox.snapshot()["hubspot"]["contacts"]) == before + 1


def test_changing_an_address_to_one_that_is_taken_is_refused(hubspot, ids) -> None:
    email = hubspot.get(f"{CONTACTS}/{ids[0]}", properties="email")["properties"]["email"]
    answer = hubspot.call("PATCH", f"{CONTACTS}/{ids[1]}", 400, json={"properties": {"email": email.upper()}})
    assert answer["errors"][0]["code"] == "CONFLICTING_UNIQUE_VALUE"
    hubspot.call("PATCH", f"{CONTACTS}/{ids[1]}", json={"properties": {"email": "Else@Example.org"}})
    assert hubspot.get(f"{CONTACTS}/else@example.org", idProperty="email")["id"] == ids[1]


def test_a_merge_keeps_deals_and_addresses_and_follows_old_ids(small_sandbox, hubspot, ids) -> None:
    snapshot = small_sandbox.snapshot()["hubspot"]["contacts"]
    emails = [snapshot[id_]["email"] for id_ in ids[:2]]
    merged = hubspot.post(f"{CONTACTS}/merge", {"primaryObjectId": ids[0], "objectIdToMerge": ids[1]})
    assert merged["id"] == ids[0]
    names = "hs_merged_object_ids,hs_additional_emails"
    found = hubspot.get(f"{CONTACTS}/{ids[1]}", properties=names)
    assert found["id"] == ids[0]
    assert found["properties"]["hs_merged_object_ids"] == ids[1]
    assert found["properties"]["hs_additional_emails"] == emails[1]
    assert hubspot.get(f"{CONTACTS}/{emails[1]}", idProperty="email")["id"] == ids[0]
    assert ids[1] not in {each["id"] for each in hubspot.everything(CONTACTS, limit=100)}
    hubspot.post(f"{CONTACTS}/merge", {"primaryObjectId": ids[0], "objectIdToMerge": ids[1]}, 404)


def test_a_merged_contact_gets_the_later_orders_of_both(small_sandbox, hubspot) -> None:
    from datetime import UTC, datetime

    path = "/crm/v4/associations/contacts/deals/batch/read"
    answer = hubspot.post(path, {"inputs": [{"id": row["id"]} for row in hubspot.everything(CONTACTS)]}, 207)
    first, second = [each["from"]["id"] for each in answer["results"]][:2]
    hubspot.post(f"{CONTACTS}/merge", {"primaryObjectId": first, "objectIdToMerge": second})
    small_sandbox.advance(datetime(2017, 12, 31, tzinfo=UTC))
    (both,) = hubspot.post(path, {"inputs": [{"id": first}]})["results"]
    households = {int(first) // 50, int(second) // 50}
    deals = small_sandbox.snapshot()["hubspot"]["deals"]
    assert {str(tie["toObjectId"]) for tie in both["to"]} == {id_ for id_ in deals if int(id_) // 10_000 in households}


def test_an_erased_contact_is_gone_and_stays_gone(small_sandbox, hubspot, ids) -> None:
    from datetime import UTC, datetime

    hubspot.post(f"{CONTACTS}/gdpr-delete", {"objectId": ids[0]}, 204)
    small_sandbox.advance(datetime(2017, 12, 31, tzinfo=UTC))
    hubspot.get(f"{CONTACTS}/{ids[0]}", 404)
    assert hubspot.get(CONTACTS, archived="true")["results"] == []


def test_lists_take_members_that_exist(small_sandbox, hubspot, ids) -> None:
    wanted = {"name": "Picked", "objectTypeId": "0-1", "processingType": "MANUAL"}
    list_id = hubspot.post("/crm/v3/lists", wanted)["list"]["listId"]
    hubspot.post("/crm/v3/lists", wanted, 400)
    answer = hubspot.call("PUT", f"/crm/v3/lists/{list_id}/memberships/add", json=[ids[0], "424242"])
    assert (answer["recordsIdsAdded"], answer["recordIdsMissing"]) == ([ids[0]], ["424242"])
    assert small_sandbox.snapshot()["hubspot"]["lists"][list_id]["members"] == [ids[0]]
    hubspot.call("DELETE", f"/crm/v3/lists/{list_id}", 204)
    hubspot.get(f"/crm/v3/lists/{list_id}", 404)


def test_members_of_a_list_come_by_record_id_page_by_page(small_sandbox, hubspot, ids) -> None:
    wanted = {"name": "Picked", "objectTypeId": "0-1", "processingType": "MANUAL"}
    path = f"/crm/v3/lists/{hubspot.post('/crm/v3/lists', wanted)['list']['listId']}/memberships"
    ids += [hubspot.post(CONTACTS, {"properties": {"firstname": name}}, 201)["id"] for name in ("Ada", "Ben")]
    hubspot.call("PUT", f"{path}/add", json=ids)
    hubspot.call("DELETE", f"{CONTACTS}/{ids[0]}", 204)
    hubspot.post(f"{CONTACTS}/merge", {"primaryObjectId": ids[2], "objectIdToMerge": ids[1]})
    first = hubspot.get(path, limit=2)
    rest = hubspot.get(path, limit=2, after=first["paging"]["next"]["after"])
    shown = [row["recordId"] for page in (first, rest) for row in page["results"]]
    assert shown == sorted({ids[2], ids[3], ids[4]}, key=int)
    assert (first["total"], "paging" in rest) == (3, False)
    hubspot.get(path, 400, limit=251)
    hubspot.get("/crm/v3/lists/77/memberships", 404)
    hubspot.post("/crm/v3/lists/search", {"count": 501}, 400)
    small_sandbox.platform("hubspot").scopes.discard("crm.lists.read")
    assert hubspot.get(path, 403)["context"]["requiredGranularScopes"] == ["crm.lists.read"]
