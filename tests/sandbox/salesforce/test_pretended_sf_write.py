from datetime import timedelta


def contact(record_id, **fields):
    return {"attributes": {"type": "Contact"}, "id": record_id, **fields}


def lead(record_id, **fields):
    return {"attributes": {"type": "Lead"}, "id": record_id, **fields}


def code_of(result):
    assert result["success"] is False
    assert "id" not in result
    return result["errors"][0]["statusCode"]


def test_results_stand_in_the_order_of_the_rows_and_failures_carry_no_id(sf):
    ann, ben, cleo = (sf.id_of("Contact", email) for email in ("ann@shop.example", "ben@x.example", "c@x.example"))
    answer = sf.update(contact(ann, Title="A"), contact(cleo, LastName=None), contact(ben, Title="B"))
    assert answer.status_code == 200
    first, second, third = answer.json()
    assert (first, third) == ({"id": ann, "success": True, "errors": []}, {"id": ben, "success": True, "errors": []})
    assert second["errors"] == [
        {
            "statusCode": "REQUIRED_FIELD_MISSING",
            "message": "Required fields are missing: [LastName]",
            "fields": ["LastName"],
        }
    ]
    assert [row["Title"] for row in sf.query("SELECT Title FROM Contact WHERE Title != null ORDER BY Title")] == [
        "A",
        "B",
    ]


def test_a_write_moves_the_stamps_to_now_and_names_the_integration_user(sf):
    ann = sf.id_of("Contact", "ann@shop.example")
    sf.clock.set(sf.clock.date + timedelta(days=3))
    sf.update(contact(ann, Title="A"))
    (row,) = sf.query(f"SELECT SystemModstamp, LastModifiedDate, LastModifiedBy.Name FROM Contact WHERE Id = '{ann}'")
    assert row["SystemModstamp"] == row["LastModifiedDate"] == "2017-04-18T00:00:00.000+0000"
    assert row["LastModifiedBy"]["Name"] == "Integration User"


def test_null_clears_and_a_15_character_id_will_do(sf):
    ann = sf.id_of("Contact", "ann@shop.example")
    assert sf.update(contact(ann[:15], Title="A")).json()[0]["id"] == ann
    assert sf.update(contact(ann, Title=None)).json()[0]["success"] is True
    assert sf.query("SELECT Id FROM Contact WHERE Title != null") == []


def test_an_unknown_or_hidden_field_refuses_the_whole_request(sf):
    ann = sf.id_of("Contact", "ann@shop.example")
    for name in ("Nope__c", "HasOptedOutOfEmail"):
        answer = sf.update(contact(ann, Title="A"), contact(ann, **{name: True}))
        assert answer.status_code == 400
        assert answer.json() == [
            {"message": f"No such column '{name}' on sobject of type Contact", "errorCode": "INVALID_FIELD"}
        ]
    assert sf.query("SELECT Id FROM Contact WHERE Title != null") == []


def test_a_value_of_the_wrong_kind_refuses_the_whole_request(sf):
    sf.add_field("Contact.Score__c")
    sf.add_field("Contact.Seen__c", "DateTime")
    sf.add_field("Contact.Yes__c", "Checkbox", defaultValue=False)
    ann = sf.id_of("Contact", "ann@shop.example")
    for fields in ({"Score__c": "much"}, {"Score__c": True}, {"Seen__c": "today"}, {"Yes__c": "perhaps"}, {"Title": 5}):
        answer = sf.update(contact(ann, **fields))
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR"), fields


def test_rows_are_refused_one_by_one_with_the_real_codes(sf):
    values = {"restricted": True, "valueSetDefinition": {"value": [{"fullName": "hot"}, {"fullName": "cold"}]}}
    sf.add_field("Contact.Score__c")
    sf.add_field("Contact.Band__c", "Picklist", valueSet=values)
    sf.add_field("Contact.Why__c", "Text", length=5)
    sf.add_field("Contact.Yes__c", "Checkbox", defaultValue=False)
    ann, gone = sf.id_of("Contact", "ann@shop.example"), sf.id_of("Contact", "c@x.example")
    sf.salesforce.delete(gone)
    wanted = {
        "NUMBER_OUTSIDE_VALID_RANGE": contact(ann, Score__c=1000),
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": contact(ann, Band__c="warm"),
        "STRING_TOO_LONG": contact(ann, Why__c="longer"),
        "INVALID_EMAIL_ADDRESS": contact(ann, Email="nobody"),
        "INVALID_CROSS_REFERENCE_KEY": contact(ann, AccountId=ann),
        "INVALID_FIELD_FOR_INSERT_UPDATE": contact(ann, CreatedDate="2017-01-01T00:00:00Z"),
        "INVALID_TYPE_ON_FIELD_IN_RECORD": contact(ann, Yes__c=None),
        "ENTITY_IS_DELETED": contact(gone, Title="x"),
        "MALFORMED_ID": contact("not an id", Title="x"),
        "MISSING_ARGUMENT": {"attributes": {"type": "Contact"}, "Title": "x"},
    }
    assert [code_of(sf.update(record).json()[0]) for record in wanted.values()] == list(wanted)
    (result,) = sf.update(contact(ann, Score__c=12.999, Band__c="hot", Why__c="short")).json()
    assert result["success"] is True
    (row,) = sf.query(f"SELECT Score__c, Band__c, Why__c, Title FROM Contact WHERE Id = '{ann}'")
    assert (row["Score__c"], row["Band__c"], row["Why__c"], row["Title"]) == (12.99, "hot", "short", None)


def test_an_id_that_comes_twice_is_refused_the_second_time(sf):
    ann = sf.id_of("Contact", "ann@shop.example")
    first, second = sf.update(contact(ann, Title="A"), contact(ann[:15], Title="B")).json()
    assert (first["success"], code_of(second)) == (True, "DUPLICATE_VALUE")
    assert [row["Title"] for row in sf.query("SELECT Title FROM Contact WHERE Title != null")] == ["A"]


def test_objects_that_alternate_too_often_are_refused(sf):
    ann, row = sf.id_of("Contact", "ann@shop.example"), sf.query("SELECT Id FROM Lead WHERE IsConverted = false")[0]
    answer = sf.update(*[contact(ann, Title="A"), lead(row["Id"], Title="A")] * 6)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "LIMIT_EXCEEDED")


def test_the_parts_of_a_composite_have_to_forbid_assignment_themselves(sf):
    row = sf.query("SELECT Id, OwnerId FROM Lead WHERE IsConverted = false")[0]
    header = {"Sforce-Auto-Assign": "FALSE"}

    def owner_after(**more):
        body = {"records": [lead(row["Id"], Title="x")]}
        url = "/services/data/v60.0/composite/sobjects"
        part = {"method": "PATCH", "url": url, "referenceId": "a", "body": body, **more}
        sf.call("POST", "composite", json={"compositeRequest": [part]}, headers=header)
        return sf.query(f"SELECT OwnerId FROM Lead WHERE Id = '{row['Id']}'")[0]["OwnerId"]

    assert owner_after(httpHeaders=header) == row["OwnerId"]
    assert owner_after() != row["OwnerId"]


def test_a_converted_lead_takes_no_writes(sf):
    (row,) = sf.query("SELECT Id FROM Lead WHERE IsConverted = true")
    (result,) = sf.update(lead(row["Id"], Title="x")).json()
    assert result["errors"] == [
        {"statusCode": "CANNOT_UPDATE_CONVERTED_LEAD", "message": "cannot reference converted lead", "fields": []}
    ]


def test_assignment_rules_take_leads_away_unless_told_not_to(sf):
    row = sf.query("SELECT Id, OwnerId FROM Lead WHERE IsConverted = false")[0]

    def owner():
        return sf.query(f"SELECT OwnerId FROM Lead WHERE Id = '{row['Id']}'")[0]["OwnerId"]

    sf.update(lead(row["Id"], Title="x"), headers={"Sforce-Auto-Assign": "FALSE"})
    assert owner() == row["OwnerId"]
    sf.update(lead(row["Id"], Title="x"))
    assert owner() != row["OwnerId"]
    ann = sf.query("SELECT Id, OwnerId FROM Contact WHERE FirstName = 'Ann'")[0]
    sf.update(contact(ann["Id"], Title="x"))
    assert sf.query("SELECT OwnerId FROM Contact WHERE FirstName = 'Ann'")[0]["OwnerId"] == ann["OwnerId"]


def test_all_or_none_takes_everything_back(sf):
    ann, ben = sf.id_of("Contact", "ann@shop.example"), sf.id_of("Contact", "ben@x.example")
    before = sf.salesforce.snapshot()
    results = sf.update(contact(ann, Title="A"), contact(ben, LastName=None), all_or_none=True).json()
    assert [code_of(result) for result in results] == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert sf.salesforce.snapshot() == before


def test_more_than_200_rows_or_an_unknown_type_are_refused(sf):
    ann = sf.id_of("Contact", "ann@shop.example")
    answer = sf.update(*[contact(ann, Title="A")] * 201)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "EXCEEDED_ID_LIMIT")
    answer = sf.update({"attributes": {"type": "Nope"}, "id": ann})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_TYPE")
    answer = sf.call("PATCH", "composite/sobjects", data="{")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


def test_records_are_made_and_deleted_as_on_the_real_one(sf):
    record = {"attributes": {"type": "Lead"}, "LastName": "New", "Company": "New Co"}
    made, failed = sf.call("POST", "composite/sobjects", json={"records": [record, {**record, "Company": None}]}).json()
    assert code_of(failed) == "REQUIRED_FIELD_MISSING"
    (row,) = sf.query(f"SELECT Name, Status, IsConverted FROM Lead WHERE Id = '{made['id']}'")
    assert (row["Name"], row["Status"], row["IsConverted"]) == ("New", "Open - Not Contacted", False)
    deleted, again = sf.call("DELETE", f"composite/sobjects?ids={made['id']},{made['id']}").json()
    assert deleted == {"id": made["id"], "success": True, "errors": []}
    assert code_of(again) == "ENTITY_IS_DELETED"
    assert sf.query(f"SELECT Id FROM Lead WHERE Id = '{made['id']}'") == []


def test_single_records(sf):
    ann = sf.id_of("Contact", "ann@shop.example")
    assert sf.call("PATCH", f"sobjects/Contact/{ann}", json={"Title": "A"}).status_code == 204
    assert sf.get(f"sobjects/Contact/{ann}", fields="Title,Name") == {
        "attributes": {"type": "Contact", "url": f"/services/data/v60.0/sobjects/Contact/{ann}"},
        "Title": "A",
        "Name": "Ann Arden",
    }
    refused = sf.call("PATCH", f"sobjects/Contact/{ann}", json={"LastName": ""})
    assert refused.status_code == 400
    assert refused.json() == [
        {
            "message": "Required fields are missing: [LastName]",
            "errorCode": "REQUIRED_FIELD_MISSING",
            "fields": ["LastName"],
        }
    ]
    assert sf.call("DELETE", f"sobjects/Contact/{ann}").status_code == 204
    missing = sf.call("GET", f"sobjects/Contact/{ann}")
    assert missing.status_code == 404
    assert missing.json() == [{"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}]


def test_several_records_are_read_in_one_call_with_null_for_the_missing(sf):
    ann = sf.id_of("Contact", "ann@shop.example")
    body = {"ids": [ann, ann[:-4] + "zAAA"], "fields": ["Title"]}
    found, missing = sf.call("POST", "composite/sobjects/Contact", json=body).json()
    assert (found["Id"], found["Title"], missing) == (ann, None, None)


def test_what_was_written_stays_when_the_world_goes_on(sf):
    sf.add_field("Contact.Score__c")
    ann = sf.id_of("Contact", "ann@shop.example")
    sf.update(contact(ann, Score__c=7))
    sf.advance(sf.clock.date + timedelta(days=120))
    (row,) = sf.query(f"SELECT Score__c, Email FROM Contact WHERE Id = '{ann}'")
    assert (row["Score__c"], row["Email"]) == (7.0, "ann.arden@mail.example")


def test_a_cursor_shows_rows_even_after_a_rollback(sf):
    ann = sf.id_of("Contact", "ann@shop.example")
    record = sf.salesforce.org.records.tables["Contact"][ann]
    sf.update(contact(ann, Title="A"), contact("x"), all_or_none=True)
    assert sf.salesforce.org.records.tables["Contact"][ann] is record
    assert "Title" not in record
