def test_a_contact_is_shown_with_the_fields_asked_for_and_its_address(sf):
    (ann,) = sf.query("SELECT Id, Name, email, Age_Band__c, Account.Name FROM Contact WHERE FirstName = 'ann'")
    assert ann.pop("attributes") == {"type": "Contact", "url": f"/services/data/v60.0/sobjects/Contact/{ann['Id']}"}
    account = ann.pop("Account")
    assert account["Name"] == "Arden Household"
    assert account["attributes"]["type"] == "Account"
    assert ann == {"Id": ann["Id"], "Name": "Ann Arden", "Email": "Ann@shop.example", "Age_Band__c": "45-54"}


def test_count_answers_a_number_and_no_records(sf):
    assert sf.get("query", q="SELECT COUNT() FROM Contact") == {"totalSize": 3, "done": True, "records": []}


def test_a_missing_parent_is_null(sf):
    assert (
        sf.query("SELECT Account.Name FROM Contact WHERE LastName = 'Cole'")[0]["Account"]["Name"] == "Cole Household"
    )
    assert (
        sf.query("SELECT ConvertedAccount.Name FROM Lead WHERE IsConverted = false LIMIT 1")[0]["ConvertedAccount"]
        is None
    )


def test_conditions(sf):
    def names(where):
        return [row["FirstName"] for row in sf.query(f"SELECT FirstName FROM Contact WHERE {where} ORDER BY FirstName")]

    assert names("FirstName IN ('Ann', 'Cleo', 'Nobody')") == ["Ann", "Cleo"]
    assert names("FirstName NOT IN ('Ann')") == ["Ben", "Cleo"]
    assert names("Email LIKE '%@x.example'") == ["Ben", "Cleo"]
    assert names("Email LIKE '_@x.example'") == ["Cleo"]
    assert names("Age_Band__c = null") == ["Ben", "Cleo"]
    assert names("Age_Band__c != null AND IsDeleted = FALSE") == ["Ann"]
    assert names("NOT FirstName = 'Ann'") == ["Ben", "Cleo"]
    assert names("(FirstName = 'Ann' OR LastName = 'Cole') AND CreatedDate >= 2017-01-05T00:00:00Z") == ["Cleo"]
    assert names("CreatedDate < 2017-01-03T10:00:00+01:00") == []
    assert names("CreatedDate <= 2017-01-03T10:00:00+01:00") == ["Ann"]
    assert names("Account.Name = 'Bold Household'") == ["Ben"]
    assert names("LastActivityDate > 2017-03-07") == ["Ann"]


def test_ids_are_found_by_their_15_characters_and_case_matters(sf):
    ann = sf.id_of("Contact", "ann@shop.example")
    assert sf.query(f"SELECT Id FROM Contact WHERE Id = '{ann[:15]}'")[0]["Id"] == ann
    code, _ = sf.refusal(f"SELECT Id FROM Contact WHERE Id = '{ann.lower()}'")
    assert code == "INVALID_QUERY_FILTER_OPERATOR"


def test_order_puts_nulls_first_unless_told_otherwise(sf):
    def names(order):
        return [row["FirstName"] for row in sf.query(f"SELECT FirstName FROM Contact ORDER BY {order}")]

    assert names("Age_Band__c, FirstName DESC") == ["Cleo", "Ben", "Ann"]
    assert names("Age_Band__c DESC NULLS LAST, FirstName") == ["Ann", "Ben", "Cleo"]
    assert names("FirstName LIMIT 1 OFFSET 1") == ["Ben"]


def test_a_hidden_field_fails_the_whole_query_and_is_named(sf):
    code, message = sf.refusal("SELECT Id, HasOptedOutOfEmail FROM Contact")
    assert code == "INVALID_FIELD"
    assert "No such column 'HasOptedOutOfEmail' on entity 'Contact'" in message
    assert "Row:1:Column:12" in message


def test_the_opt_out_can_be_shown(start):
    sf = start(show_opt_out=True)
    assert sf.query("SELECT HasOptedOutOfEmail FROM Contact WHERE FirstName = 'Ann'")[0]["HasOptedOutOfEmail"] is False
    sf.advance(sf.clock.date.replace(month=7))
    assert sf.query("SELECT HasOptedOutOfEmail FROM Contact WHERE FirstName = 'Ann'")[0]["HasOptedOutOfEmail"] is True


def test_mistakes_are_refused_with_the_real_codes(sf):
    assert sf.refusal("SELECT Id FROM Xyzzy")[0] == "INVALID_TYPE"
    assert sf.refusal("SELECT Id")[0] == "MALFORMED_QUERY"
    assert sf.refusal("SELECT Id FROM Contact WHERE A = 1 AND B = 2 OR C = 3")[0] == "MALFORMED_QUERY"
    assert sf.refusal("SELECT Id FROM Contact WHERE Nope = 1")[0] == "INVALID_FIELD"
    assert sf.refusal("SELECT Id FROM Contact ORDER BY Nope")[0] == "INVALID_FIELD"
    assert sf.refusal("SELECT Nope.Name FROM Contact")[0] == "INVALID_FIELD"
    assert sf.refusal("SELECT Id FROM Contact WHERE Email = Ann")[0] == "MALFORMED_QUERY"
    assert sf.refusal("")[0] == "MALFORMED_QUERY"


def test_values_must_fit_the_field(sf):
    quoted = sf.refusal("SELECT Id FROM Contact WHERE SystemModstamp >= '2017-01-01T00:00:00Z'")
    assert quoted[0] == "INVALID_FIELD"
    assert "must be of type dateTime and should not be enclosed in quotes" in quoted[1]
    assert sf.refusal("SELECT Id FROM Contact WHERE SystemModstamp >= 2017-01-01")[0] == "INVALID_FIELD"
    assert sf.refusal("SELECT Id FROM Contact WHERE Email = 5")[0] == "INVALID_FIELD"
    assert sf.refusal("SELECT Id FROM Opportunity WHERE Amount > '5'")[0] == "INVALID_FIELD"
    assert sf.refusal("SELECT Id FROM Contact WHERE Description = 'x'")[0] == "INVALID_FIELD"


def test_pages_follow_one_another_without_gap_or_repeat(sf):
    def pages(size):
        headers = {"Sforce-Query-Options": f"batchSize={size}"}
        answer = sf.call("GET", "tooling/query", params={"q": "SELECT DurableId FROM FieldDefinition"}, headers=headers)
        found = [answer.json()]
        while not found[-1]["done"]:
            path = found[-1]["nextRecordsUrl"].removeprefix("/services/data/v60.0/")
            found.append(sf.call("GET", path, headers=headers).json())
        return found

    cut = pages(1)  # the smallest page the platform gives is 200
    whole = pages(9999)
    assert [len(page["records"]) for page in cut[:-1]] == [200] * (len(cut) - 1)
    rows = [row["DurableId"] for page in cut for row in page["records"]]
    assert len(set(rows)) == len(rows) == cut[0]["totalSize"]
    assert rows == [row["DurableId"] for page in whole for row in page["records"]]


def test_a_locator_nobody_gave_is_refused(sf):
    answer = sf.call("GET", "query/01g5g0000000099AAA-2000")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


def test_query_hides_what_was_deleted_and_query_all_shows_it(sf):
    ann, cleo = sf.id_of("Contact", "ann@shop.example"), sf.id_of("Contact", "c@x.example")
    sf.salesforce.delete(cleo)
    assert sf.query(f"SELECT Id FROM Contact WHERE Id = '{cleo}'") == []
    assert sf.query(f"SELECT IsDeleted FROM Contact WHERE Id = '{cleo}'", "queryAll")[0]["IsDeleted"] is True
    ben = sf.id_of("Contact", "ben@x.example")
    sf.salesforce.merge(loser=ann, winner=ben)
    assert (
        sf.query("SELECT Id FROM Contact WHERE IsDeleted = true AND MasterRecordId != null", "queryAll")[0]["Id"] == ann
    )
    roles = sf.query("SELECT Opportunity.Amount FROM OpportunityContactRole WHERE ContactId = '" + ben + "'")
    assert sorted(row["Opportunity"]["Amount"] for row in roles) == [5.0, 10.5, 20.25]


def test_multi_select_values_are_asked_for_with_includes(sf):
    values = {"valueSetDefinition": {"value": [{"fullName": "a"}, {"fullName": "b"}, {"fullName": "c"}]}}
    sf.add_field("Contact.Tags__c", "MultiselectPicklist", visibleLines=4, valueSet=values)
    ann = sf.id_of("Contact", "ann@shop.example")
    sf.update({"attributes": {"type": "Contact"}, "id": ann, "Tags__c": "a;b"})

    def found(where):
        return [row["Id"] for row in sf.query(f"SELECT Id FROM Contact WHERE Tags__c {where}")]

    assert found("INCLUDES ('b;a', 'c')") == [ann]
    assert found("INCLUDES ('a;c')") == []
    assert len(found("EXCLUDES ('a')")) == 2
    assert sf.refusal("SELECT Id FROM Contact WHERE Tags__c LIKE 'a%' AND Tags__c > 'a'")[0] == "INVALID_FIELD"


def test_only_the_ten_newest_cursors_stay_open(sf):
    text = "SELECT DurableId FROM FieldDefinition"
    headers = {"Sforce-Query-Options": "batchSize=200"}

    def open_cursor():
        answer = sf.call("GET", "tooling/query", params={"q": text}, headers=headers).json()
        return answer["nextRecordsUrl"].removeprefix("/services/data/v60.0/")

    opened = [open_cursor() for _ in range(11)]
    assert [sf.call("GET", path).status_code for path in (opened[0], opened[1], opened[10])] == [400, 200, 200]
