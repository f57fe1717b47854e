import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from requests import PreparedRequest

from connectors.contract import Page
from connectors.errors import NotPermitted, Rejected
from connectors.records import ActivityKind, Consent
from connectors.salesforce.pull import Cursor

UNTIL = datetime(2017, 6, 1, 12, 0, 0, 400_000, tzinfo=UTC)
BASIC = ["Id", "IsDeleted", "Email", "CreatedDate", "SystemModstamp"]
STAMP = "2017-05-01T10:00:00.000+0000"


def person(number: int, **more: object) -> dict[str, object]:
    basic = {"Id": f"003{number:015d}", "IsDeleted": False, "Email": "a@example.org", "CreatedDate": STAMP}
    return {"attributes": {"type": "Contact", "url": "/x"}, **basic, "SystemModstamp": STAMP, **more}


def rows(*records: dict[str, object], more: str = "", total: int | None = None) -> dict[str, Any]:
    answer = {"totalSize": len(records) if total is None else total, "done": not more, "records": list(records)}
    return {**answer, "nextRecordsUrl": more} if more else answer


def queries(org) -> list[str]:
    found = (call.request.params.get("q") for call in org.calls if "queryAll" in call.request.url)
    return [query for query in found if query]


@pytest.fixture
def contacts(connect, org, data: str, described) -> Callable[..., list[Page]]:
    """Pull contacts of an org with these fields (and of its Individual, when there is one)."""

    def pull(*names: str, individual: list[str] | None = None, cursor: str | None = None, **options: Any) -> list[Page]:
        org.post(f"{data}/composite/batch", json=described([*BASIC, *names], individual, log=[]))
        return list(connect(objects=["Contact"], **options).pull("contacts", cursor, UNTIL))

    return pull


def test_only_readable_columns_are_asked_for(contacts, org, data: str) -> None:
    org.get(f"{data}/queryAll/", json=rows())
    contacts("LastName", "FT_Segment__c", "Hidden_From_Nobody__c", properties=["Age__c"])
    (query,) = queries(org)
    assert query == (
        "SELECT Id,IsDeleted,Email,CreatedDate,SystemModstamp,LastName,FT_Segment__c FROM Contact "
        "WHERE SystemModstamp < 2017-06-01T12:00:00+00:00 ORDER BY Id"
    )


def test_asked_for_properties_are_read_and_ours_are_kept_apart(contacts, org, data: str) -> None:
    row = person(
        1, LastName="Å", Age__c=44, FT_Buy_Score__c=12.5, FT_Tags__c="Loyal;Control", FT_Control_Group__c=False
    )
    org.get(f"{data}/queryAll/", json=rows({**row, "FT_Segment__c": None, "FT_Scored_On__c": "2017-05-01"}))
    ours = [f"FT_{name}__c" for name in ("Buy_Score", "Tags", "Control_Group", "Segment", "Scored_On")]
    (page,) = contacts("LastName", "Age__c", *ours, properties=["Age__c"])
    (contact,) = page.contacts
    assert contact.properties == {"LastName": "Å", "Age__c": 44}
    assert contact.owned == {
        "buy_score": 12.5,
        "tags": ("Control", "Loyal"),
        "control_group": False,
        "scored_on": "2017-05-01",
    }
    assert contact.created_at == datetime(2017, 5, 1, 10, tzinfo=UTC)
    assert contact.writable


@pytest.mark.parametrize(
    ("fields", "row", "consent"),
    [
        ([], {}, Consent.UNKNOWN),
        (["HasOptedOutOfEmail"], {"HasOptedOutOfEmail": False}, Consent.GRANTED),
        (["HasOptedOutOfEmail"], {"HasOptedOutOfEmail": True}, Consent.OPTED_OUT),
        (["HasOptedOutOfEmail"], {"HasOptedOutOfEmail": None}, Consent.UNKNOWN),
        (["HasOptedOutOfEmail"], {"HasOptedOutOfEmail": False, "Individual": None}, Consent.GRANTED),
        (
            ["HasOptedOutOfEmail"],
            {"HasOptedOutOfEmail": True, "Individual": {"HasOptedOutProfiling": True}},
            Consent.NO_PROFILING,
        ),
        ([], {"Individual": {"HasOptedOutProfiling": False}}, Consent.UNKNOWN),
        ([], {"Individual": {"ShouldForget": True}}, Consent.NO_PROFILING),
        ([], {"Individual": {"HasOptedOutSolicit": True}}, Consent.OPTED_OUT),
    ],
)
def test_consent_is_read_strictly(contacts, org, data: str, fields, row, consent: Consent) -> None:
    org.get(f"{data}/queryAll/", json=rows(person(1, **row)))
    individual = ["HasOptedOutProfiling", "ShouldForget", "HasOptedOutSolicit", "SystemModstamp"]
    (page,) = contacts("IndividualId", *fields, individual=individual)
    assert page.contacts[0].consent is consent


def test_a_changed_privacy_record_brings_the_contact_back(contacts, org, data: str) -> None:
    org.get(f"{data}/queryAll/", json=rows())
    since = Cursor(datetime(2017, 5, 1, tzinfo=UTC)).text()
    contacts("IndividualId", individual=["HasOptedOutProfiling", "SystemModstamp"], cursor=since)
    assert queries(org)[0].endswith(
        "WHERE ((SystemModstamp >= 2017-04-30T23:45:00+00:00 AND SystemModstamp < 2017-06-01T12:00:00+00:00) OR "
        "(Individual.SystemModstamp >= 2017-04-30T23:45:00+00:00 AND "
        "Individual.SystemModstamp < 2017-06-01T12:00:00+00:00)) ORDER BY Id"
    )


def test_deleted_and_merged_contacts_are_told(contacts, org, data: str) -> None:
    deleted = person(1, IsDeleted=True)
    merged = person(2, IsDeleted=True, MasterRecordId="003000000000000003")
    org.get(f"{data}/queryAll/", json=rows(deleted, merged))
    (page,) = contacts("MasterRecordId")
    assert [(c.deleted, c.writable, c.merged_into) for c in page.contacts] == [
        (True, False, None),
        (True, False, "003000000000000003"),
    ]


def test_a_converted_lead_is_kept_but_not_written_to(connect, org, data: str, described) -> None:
    org.post(f"{data}/composite/batch", json=described([*BASIC, "IsConverted", "ConvertedContactId"], None, log=[]))
    row = person(1, Id="00Q000000000000001", IsConverted=True, ConvertedContactId="003000000000000003")
    org.get(f"{data}/queryAll/", json=rows(row))
    (page,) = connect(objects=["Lead"]).pull("leads", None, UNTIL)
    (lead,) = page.contacts
    assert (lead.object, lead.deleted, lead.writable, lead.merged_into) == ("Lead", False, False, "003000000000000003")


def test_pages_follow_one_another_and_each_cursor_resumes_by_id(contacts, connect, org, data: str, described) -> None:
    following = "/services/data/v62.0/query/01g5g0000000001AAA-1"
    org.get(f"{data}/queryAll/", json=rows(person(1), more=following, total=2))
    org.get(f"{data}/query/01g5g0000000001AAA-1", json=rows(person(2), total=2))
    first, last = contacts()
    assert (first.total, last.total) == (2, 2)
    assert [contact.id for contact in last.contacts] == ["003000000000000002"]

    org.get(f"{data}/queryAll/", json=rows(person(2)))
    org.get(f"{data}/queryAll/", json=rows(person(7)))
    resumed = list(connect(objects=["Contact"]).pull("contacts", first.cursor, UNTIL + timedelta(hours=1)))
    assert [contact.id for page in resumed for contact in page.contacts] == ["003000000000000002", "003000000000000007"]
    rest, news = queries(org)[1:]
    assert rest.endswith("WHERE SystemModstamp < 2017-06-01T12:00:00+00:00 AND Id > '003000000000000001' ORDER BY Id")
    assert "SystemModstamp >= 2017-06-01T11:45:00+00:00 AND SystemModstamp < 2017-06-01T13:00:00+00:00" in news
    assert Cursor.of(resumed[-1].cursor) == Cursor(datetime(2017, 6, 1, 13, tzinfo=UTC))


def test_a_query_the_server_forgot_is_asked_again_behind_the_last_row(contacts, org, data: str) -> None:
    following = "/services/data/v62.0/query/01g5g0000000001AAA-1"
    dead = [{"errorCode": "INVALID_QUERY_LOCATOR", "message": "invalid query locator"}]
    org.get(f"{data}/queryAll/", json=rows(person(1), more=following, total=2))
    org.get(f"{data}/query/01g5g0000000001AAA-1", json=dead, status=400)
    org.get(f"{data}/queryAll/", json=rows(person(2)))
    pages = contacts()
    assert [contact.id for page in pages for contact in page.contacts] == ["003000000000000001", "003000000000000002"]
    assert queries(org)[1].endswith("AND Id > '003000000000000001' ORDER BY Id")


def test_another_refusal_while_paging_is_raised(contacts, org, data: str) -> None:
    following = "/services/data/v62.0/query/01g5g0000000001AAA-1"
    org.get(f"{data}/queryAll/", json=rows(person(1), more=following, total=2))
    org.get(f"{data}/query/01g5g0000000001AAA-1", json=[{"errorCode": "MALFORMED_QUERY", "message": "x"}], status=400)
    with pytest.raises(Rejected, match="x"):
        contacts()


def test_an_object_that_may_not_be_read_is_named(connect, org, data: str, described) -> None:
    org.post(f"{data}/composite/batch", json=described(None, None, log=[]))
    with pytest.raises(NotPermitted, match="read CreatedDate, Email, Id, IsDeleted, SystemModstamp of Lead"):
        list(connect(objects=["Lead"]).pull("leads", None, UNTIL))


ROLE = ["Id", "IsDeleted", "OpportunityId", "ContactId", "SystemModstamp"]
DEAL = ["IsWon", "IsClosed", "CloseDate", "CreatedDate", "IsDeleted", "SystemModstamp", "Amount"]
WON = {
    "IsWon": True,
    "IsClosed": True,
    "CloseDate": "2017-05-03",
    "CreatedDate": STAMP,
    "IsDeleted": False,
    "Amount": 19.99,
}


def role(number: int, deal: dict[str, object] | None, **more: object) -> dict[str, object]:
    basic = {"Id": f"00K{number:015d}", "IsDeleted": False, "ContactId": "003A", "SystemModstamp": STAMP}
    return {"attributes": {"type": "OpportunityContactRole"}, **basic, "Opportunity": deal, **more}


@pytest.fixture
def deals(connect, org, data: str, described) -> Callable[..., Any]:
    def pull(*records: dict[str, object], cursor: str | None = None, more: tuple[str, ...] = ()) -> Any:
        org.post(f"{data}/composite/batch", json=described(ROLE, [*DEAL, *more], None, None))
        org.get(f"{data}/queryAll/", json=rows(*records))
        (page,) = connect().pull("opportunities", cursor, UNTIL)
        return page.activities

    return pull


def test_won_and_lost_opportunities(deals) -> None:
    lost = {**WON, "IsWon": False, "Amount": None}
    won_activity, lost_activity = deals(role(1, WON), role(2, lost))
    assert won_activity.kind is ActivityKind.ORDER
    assert won_activity.amount == 1999
    assert won_activity.at == datetime(2017, 5, 3, 12, tzinfo=UTC)
    assert won_activity.contact_id == "003A"
    assert lost_activity.kind is ActivityKind.DEAL_LOST
    assert lost_activity.amount is None


def test_a_deal_made_and_won_on_one_day_is_not_won_before_it_was_made(deals) -> None:
    (activity,) = deals(role(1, {**WON, "CreatedDate": "2017-05-03T17:30:00.000+0000"}))
    assert activity.at == datetime(2017, 5, 3, 17, 30, tzinfo=UTC)


def test_the_currency_is_told_where_the_org_has_several(deals) -> None:
    (activity,) = deals(role(1, {**WON, "CurrencyIsoCode": "SEK"}), more=("CurrencyIsoCode",))
    assert activity.currency == "SEK"


def test_a_changed_role_and_a_changed_opportunity_are_both_noticed(deals, org) -> None:
    deals(cursor=Cursor(datetime(2017, 5, 1, tzinfo=UTC)).text())
    assert "(SystemModstamp >= 2017-04-30T23:45:00+00:00 AND " in queries(org)[0]
    assert " OR (Opportunity.SystemModstamp >= 2017-04-30T23:45:00+00:00 AND " in queries(org)[0]


GONE = [
    role(1, {**WON, "IsWon": False, "IsClosed": False}),
    role(2, WON, IsDeleted=True),
    role(3, {**WON, "IsDeleted": True}),
    role(4, WON, ContactId=None),
    role(5, None),
]


def test_what_is_no_longer_won_is_removed(deals) -> None:
    activities = deals(*GONE, cursor=Cursor(datetime(2017, 5, 1, tzinfo=UTC)).text())
    assert [activity.removed for activity in activities] == [True] * len(GONE)


def test_the_first_pull_leaves_out_what_is_gone(deals) -> None:
    assert [activity.id for activity in deals(*GONE, role(9, WON))] == [role(9, WON)["Id"]]


def test_campaign_members_are_mailed_and_may_respond(connect, org, data: str, described) -> None:
    names = ["Id", "IsDeleted", "CampaignId", "ContactId", "LeadId", "HasResponded", "FirstRespondedDate"]
    org.post(f"{data}/composite/batch", json=described([*names, "CreatedDate", "SystemModstamp"]))
    member = {"IsDeleted": False, "CampaignId": "701A", "CreatedDate": STAMP, "SystemModstamp": STAMP, "attributes": {}}
    answered = {**member, "Id": "00v1", "ContactId": "003A", "LeadId": "00QA", "HasResponded": True}
    silent = {**member, "Id": "00v2", "ContactId": None, "LeadId": "00QB", "HasResponded": False}
    org.get(f"{data}/queryAll/", json=rows({**answered, "FirstRespondedDate": "2017-05-04"}, silent))
    (page,) = connect().pull("campaigns", None, UNTIL)
    assert [(each.id, each.kind, each.contact_id, each.campaign, each.at.day) for each in page.activities] == [
        ("00v1:send", ActivityKind.SEND, "003A", "701A", 1),
        ("00v1:response", ActivityKind.RESPONSE, "003A", "701A", 4),
        ("00v2:send", ActivityKind.SEND, "00QB", "701A", 1),
    ]


def test_done_tasks_and_events_are_touches_read_side_by_side(connect, org, data: str, described) -> None:
    common = ["Id", "IsDeleted", "WhoId", "ActivityDate", "CreatedDate", "SystemModstamp", "IsRecurrence"]
    task, event = [*common, "IsClosed", "CompletedDateTime"], [*common, "ActivityDateTime"]
    org.post(f"{data}/composite/batch", json=described(task, event))
    basic = {"IsDeleted": False, "WhoId": "003A", "ActivityDate": "2017-05-02", "CreatedDate": STAMP, "attributes": {}}
    done = {**basic, "SystemModstamp": STAMP, "IsClosed": True, "IsRecurrence": False}
    tasks = [
        {**done, "Id": "00T1", "CompletedDateTime": "2017-05-09T08:00:00.000+0000"},
        {**done, "Id": "00T2", "CompletedDateTime": None},
        {**done, "Id": "00T3", "IsClosed": False},
        {**done, "Id": "00T4", "IsRecurrence": True},
        {**done, "Id": "00T5", "WhoId": None},
    ]
    meeting = {**basic, "SystemModstamp": STAMP, "Id": "00U1", "ActivityDateTime": "2017-05-06T07:30:00.000+0000"}
    both = Barrier(2, timeout=20)

    def answer(request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        both.wait()  # breaks unless both queries are under way at once
        return 200, {}, json.dumps(rows(*tasks) if "FROM+Task" in str(request.url) else rows(meeting))

    query = org.add_callback("GET", f"{data}/queryAll/", callback=answer, content_type="application/json")
    connector = connect()
    pages = list(connector.pull("activities", None, UNTIL))
    org.remove(query)
    assert [(each.id, each.at) for page in pages for each in page.activities] == [
        ("00T1", datetime(2017, 5, 9, 8, tzinfo=UTC)),
        ("00T2", datetime(2017, 5, 2, 12, tzinfo=UTC)),
        ("00U1", datetime(2017, 5, 6, 7, 30, tzinfo=UTC)),
    ]
    assert connector.calls == {"describe": 1, "query": 2}
    assert [page.total for page in pages] == [None, None]

    org.get(f"{data}/queryAll/", json=rows(meeting))
    resumed = next(connect().pull("activities", pages[0].cursor, UNTIL))
    assert [each.id for each in resumed.activities] == ["00U1"]
