import pytest


def describe(sf, name="Contact"):
    return {field["name"]: field for field in sf.get(f"sobjects/{name}/describe")["fields"]}


def test_a_new_field_is_invisible_until_a_permission_set_grants_it(sf):
    sf.add_field("Contact.Score__c", grant=False)
    assert "Score__c" not in describe(sf)
    assert sf.refusal("SELECT Score__c FROM Contact")[0] == "INVALID_FIELD"
    (found,) = sf.query(
        "SELECT Id, TableEnumOrId FROM CustomField WHERE DeveloperName = 'Score' AND TableEnumOrId = 'Contact'",
        "tooling/query",
    )
    assert found["attributes"]["url"].endswith(f"/tooling/sobjects/CustomField/{found['Id']}")
    sf.grant("Contact.Score__c")
    field = describe(sf)["Score__c"]
    assert (field["type"], field["precision"], field["scale"], field["updateable"]) == ("double", 5, 2, True)
    assert sf.query("SELECT Score__c FROM Contact LIMIT 1")[0]["Score__c"] is None


def test_a_field_that_may_only_be_read_is_shown_but_not_written(sf):
    sf.add_field("Contact.Score__c", grant=False)
    sf.grant("Contact.Score__c", edit=False)
    assert describe(sf)["Score__c"]["updateable"] is False
    ann = sf.id_of("Contact", "ann@shop.example")
    (result,) = sf.update({"attributes": {"type": "Contact"}, "id": ann, "Score__c": 1}).json()
    assert result["errors"][0]["statusCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert result["errors"][0]["fields"] == ["Score__c"]


@pytest.mark.parametrize(
    ("kind", "metadata", "told"),
    [
        ("Number", {"precision": 5, "scale": 0}, "double"),
        ("Percent", {"precision": 5, "scale": 2}, "percent"),
        ("Currency", {"precision": 18, "scale": 2}, "currency"),
        ("Text", {"length": 255}, "string"),
        ("LongTextArea", {"length": 2000, "visibleLines": 4}, "textarea"),
        ("DateTime", {}, "datetime"),
        ("Checkbox", {"defaultValue": False}, "boolean"),
    ],
)
def test_kinds_of_fields(sf, kind, metadata, told):
    field_id = sf.add_field("Lead.Ours__c", kind, **metadata)
    assert describe(sf, "Lead")["Ours__c"]["type"] == told
    known = sf.get(f"tooling/sobjects/CustomField/{field_id}")
    assert known["FullName"] == "Lead.Ours__c"
    assert metadata.items() <= known["Metadata"].items()
    if kind == "Checkbox":
        assert sf.query("SELECT Id FROM Lead WHERE Ours__c = true") == []
        assert sf.query("SELECT Ours__c FROM Lead LIMIT 1")[0]["Ours__c"] is False


def test_the_values_of_a_picklist_can_be_changed(sf):
    def body(*values):
        entries = [{"fullName": value} for value in values]
        return {"valueSet": {"restricted": True, "valueSetDefinition": {"value": entries}}}

    field_id = sf.add_field("Contact.Band__c", "Picklist", **body("hot"))
    assert [value["value"] for value in describe(sf)["Band__c"]["picklistValues"]] == ["hot"]
    metadata = {"type": "Picklist", "label": "Band", **body("hot", "cold")}
    answer = sf.call("PATCH", f"tooling/sobjects/CustomField/{field_id}", json={"Metadata": metadata})
    assert answer.status_code == 204
    field = describe(sf)["Band__c"]
    assert [value["value"] for value in field["picklistValues"]] == ["hot", "cold"]
    assert (field["restrictedPicklist"], field["updateable"]) == (True, True)
    wrong = {"Metadata": {"type": "Text", "label": "Band", "length": 3}}
    assert sf.call("PATCH", f"tooling/sobjects/CustomField/{field_id}", json=wrong).status_code == 400


def test_removing_a_field_takes_its_values_and_permissions_along(sf):
    field_id = sf.add_field("Contact.Score__c")
    ann = sf.id_of("Contact", "ann@shop.example")
    sf.update({"attributes": {"type": "Contact"}, "id": ann, "Score__c": 1})
    assert sf.call("DELETE", f"tooling/sobjects/CustomField/{field_id}").status_code == 204
    assert sf.refusal("SELECT Score__c FROM Contact")[0] == "INVALID_FIELD"
    assert sf.query("SELECT Id FROM FieldPermissions") == []
    sf.add_field("Contact.Score__c")
    assert sf.query("SELECT Id FROM Contact WHERE Score__c != null") == []
    assert sf.call("DELETE", f"tooling/sobjects/CustomField/{field_id}").status_code == 404


@pytest.mark.parametrize(
    ("name", "metadata", "code"),
    [
        ("Contact.Score__c", {"type": "Number", "label": "x", "precision": 5, "scale": 2}, "DUPLICATE_DEVELOPER_NAME"),
        ("Nope.Score__c", {"type": "Number", "label": "x", "precision": 5, "scale": 2}, "INVALID_FIELD"),
        (
            "Contact.Sco re__c",
            {"type": "Number", "label": "x", "precision": 5, "scale": 2},
            "FIELD_INTEGRITY_EXCEPTION",
        ),
        ("Contact.Score", {"type": "Number", "label": "x", "precision": 5, "scale": 2}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Contact.New__c", {"type": "Number", "label": "x", "precision": 5}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Contact.New__c", {"type": "Number", "label": "x", "precision": 19, "scale": 2}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Contact.New__c", {"type": "Number", "precision": 5, "scale": 2}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Contact.New__c", {"type": "Text", "label": "x", "length": 256}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Contact.New__c", {"type": "Hologram", "label": "x"}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Contact.New__c", {"type": "Picklist", "label": "x"}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Contact.New__c", None, "JSON_PARSER_ERROR"),
    ],
)
def test_fields_that_cannot_be_made(sf, name, metadata, code):
    sf.add_field("Contact.Score__c")
    answer = sf.call("POST", "tooling/sobjects/CustomField", json={"FullName": name, "Metadata": metadata})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


def test_permissions_are_checked(sf):
    made = sf.call("POST", "sobjects/PermissionSet", json={"Name": "Scores", "Label": "Scores"})
    assert made.status_code == 201
    parent = made.json()["id"]

    def code(kind, **body):
        return sf.call("POST", f"sobjects/{kind}", json=body).json()[0]["errorCode"]

    assert code("PermissionSet", Name="Scores", Label="Scores") == "DUPLICATE_DEVELOPER_NAME"
    assert code("PermissionSet", Name="Other") == "REQUIRED_FIELD_MISSING"
    about = {"ParentId": parent, "SobjectType": "Contact", "Field": "Contact.Nope__c", "PermissionsRead": True}
    assert code("FieldPermissions", **about) == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    about |= {"Field": "Contact.HasOptedOutOfEmail"}
    assert code("FieldPermissions", **{**about, "PermissionsRead": False, "PermissionsEdit": True}) == (
        "FIELD_INTEGRITY_EXCEPTION"
    )
    assert sf.call("POST", "sobjects/FieldPermissions", json=about).status_code == 201
    assert code("FieldPermissions", **about) == "DUPLICATE_VALUE"
    assert code("FieldPermissions", **{**about, "ParentId": parent[:-4] + "zAAA"}) in (
        "MALFORMED_ID",
        "INVALID_CROSS_REFERENCE_KEY",
    )


def test_taking_the_permission_set_away_hides_its_fields_again(sf):
    sf.add_field("Contact.Score__c")
    (permission,) = sf.query("SELECT ParentId, PermissionsEdit FROM FieldPermissions WHERE Parent.Name = 'Scores'")
    assert permission["PermissionsEdit"] is True
    assert sf.call("DELETE", f"sobjects/PermissionSet/{permission['ParentId']}").status_code == 204
    assert sf.query("SELECT Id FROM FieldPermissions") == []
    assert sf.query("SELECT Id FROM PermissionSetAssignment") == []
    assert "Score__c" not in describe(sf)


def test_field_definitions_are_found_by_their_object(sf):
    names = sf.query(
        "SELECT QualifiedApiName, DataType, EntityDefinition.Label FROM FieldDefinition "
        "WHERE EntityDefinition.QualifiedApiName = 'Contact' AND QualifiedApiName IN ('Email', 'HasOptedOutOfEmail')",
        "tooling/query",
    )
    assert [(row["QualifiedApiName"], row["DataType"]) for row in names] == [
        ("Email", "email"),
        ("HasOptedOutOfEmail", "boolean"),
    ]
    assert names[0]["EntityDefinition"]["Label"] == "Contact"
    assert len(sf.query("SELECT DurableId FROM EntityDefinition WHERE QualifiedApiName = 'Lead'", "tooling/query")) == 1


def test_objects_are_listed(sf):
    listed = {each["name"]: each for each in sf.get("sobjects")["sobjects"]}
    assert {"Contact", "Lead", "Opportunity", "Task", "Case", "Event"} <= set(listed)
    assert listed["Contact"]["urls"]["describe"] == "/services/data/v60.0/sobjects/Contact/describe"
    assert sf.query("SELECT Id FROM Case") == sf.query("SELECT Id FROM Event") == []
    assert sf.get("sobjects/Contact")["objectDescribe"]["keyPrefix"] == "003"
    assert sf.call("GET", "sobjects/Nope/describe").status_code == 404


def test_setup_records_cannot_be_made_by_hand(sf):
    answer = sf.call("POST", "sobjects/User", json={"Name": "Eve"})
    assert answer.json()[0]["errorCode"] == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    (user,) = sf.query("SELECT Id FROM User WHERE Name = 'Shop Admin'")
    assert sf.call("PATCH", f"sobjects/User/{user['Id']}", json={"Name": "Eve"}).json()[0]["errorCode"] == (
        "INVALID_FIELD_FOR_INSERT_UPDATE"
    )
    assert sf.call("DELETE", f"sobjects/User/{user['Id']}").json()[0]["errorCode"] == "INSUFFICIENT_ACCESS_OR_READONLY"
