"""Over real HTTP, against the pretended org."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from connectors.contract import Change, Result
from connectors.errors import NotAuthorised, QuotaSpent
from connectors.records import ActivityKind, Consent
from sandbox.faults import Fault

AFTER: dict[str, Any] = {
    "buy_score": 41.37,
    "segment": "Loyal",
    "tags": ("Control", "Loyal"),
    "reasons": "Ordered 3 times & \"often\" – 'å'; soon",
    "scored_on": "2017-06-01",
    "control_group": True,
}


@pytest.fixture
def ready(box: SimpleNamespace, fields) -> SimpleNamespace:
    """The sandbox with our fields made."""
    box.connect().provision(fields)
    return box


def ids(pages: list[Any]) -> list[str]:
    return [contact.id for page in pages for contact in page.contacts]


def activities(pages: list[Any]) -> list[Any]:
    return [activity for page in pages for activity in page.activities]


def test_a_full_pull_brings_everything(box) -> None:
    connector, there = box.connect(), box.sandbox.snapshot()["salesforce"]
    assert sorted(ids(box.pull(connector, "contacts"))) == sorted(there["Contact"])
    assert sorted(ids(box.pull(connector, "leads"))) == sorted(there["Lead"])
    orders = activities(box.pull(connector, "opportunities"))
    amounts = sorted(round(row["Amount"] * 100) for row in there["Opportunity"].values())
    assert sorted(activity.amount for activity in orders) == amounts
    assert {activity.kind for activity in orders} == {ActivityKind.ORDER}
    mailed = activities(box.pull(connector, "campaigns"))
    responded = [row for row in there["CampaignMember"].values() if row["HasResponded"]]
    assert responded
    assert [a.kind for a in mailed].count(ActivityKind.SEND) == len(there["CampaignMember"])
    assert [a.kind for a in mailed].count(ActivityKind.RESPONSE) == len(responded)
    assert len(activities(box.pull(connector, "activities"))) == len(there["Task"]) > 0


def test_trap_activities_older_than_a_year_are_archived(box) -> None:
    box.sandbox.advance(datetime(2018, 12, 1, tzinfo=UTC))
    tasks = box.sandbox.snapshot()["salesforce"]["Task"]
    assert any(task["IsArchived"] for task in tasks.values())
    assert {activity.id for activity in activities(box.pull(box.connect(), "activities"))} == set(tasks)


def test_contacts_and_leads_ask_for_their_rights_together(box) -> None:
    connector = box.connect()
    cursors = {stream: box.pull(connector, stream)[-1].cursor for stream in ("contacts", "leads")}
    assert connector.calls == {"describe": 1, "query": 2}
    box.sandbox.clock.set(box.sandbox.clock.date + timedelta(hours=1))
    for stream, cursor in cursors.items():
        box.pull(connector, stream, cursor)
    assert connector.calls == {"describe": 2, "query": 4}
    box.pull(connector, "leads")  # never by an old answer
    assert connector.calls["describe"] == 3


def test_with_nothing_changed_a_stream_costs_at_most_three_calls(box) -> None:
    connector = box.connect()
    cursors = {stream: box.pull(connector, stream)[-1].cursor for stream in connector.streams}
    box.sandbox.clock.set(box.sandbox.clock.date + timedelta(hours=1))
    for stream, cursor in cursors.items():
        before = connector.calls.total()
        assert not any(page.contacts or page.activities for page in box.pull(connector, stream, cursor))
        assert connector.calls.total() - before <= 3


def test_a_second_pull_brings_only_what_changed(box) -> None:
    connector = box.connect()
    cursors = {stream: box.pull(connector, stream)[-1].cursor for stream in connector.streams}
    before = box.sandbox.snapshot()["salesforce"]
    box.sandbox.advance(box.sandbox.clock.date + timedelta(days=30))
    after = box.sandbox.snapshot()["salesforce"]
    for stream, object_ in (("contacts", "Contact"), ("leads", "Lead")):
        changed = {key for key, row in after[object_].items() if before[object_].get(key) != row}
        assert set(ids(box.pull(connector, stream, cursors[stream]))) == changed
        assert changed or object_ == "Lead"
    new_roles = set(after["OpportunityContactRole"]) - set(before["OpportunityContactRole"])
    assert {a.id for a in activities(box.pull(connector, "opportunities", cursors["opportunities"]))} == new_roles
    assert new_roles


def test_an_opportunity_that_is_reopened_or_deleted_is_removed(box) -> None:
    connector, org = box.connect(), box.platform.org
    first = box.pull(connector, "opportunities")
    known = {activity.id for activity in activities(first)}
    box.sandbox.clock.set(box.sandbox.clock.date + timedelta(hours=1))
    roles = list(org.records.tables["OpportunityContactRole"].values())
    reopened, deleted = roles[0]["OpportunityId"], roles[1]["Id"]
    org.records.change(
        "Opportunity", reopened, {"StageName": "Open", "IsWon": False, "IsClosed": False, "SystemModstamp": org.now()}
    )
    box.platform.delete(deleted)
    news = activities(box.pull(connector, "opportunities", first[-1].cursor))
    assert {(activity.id, activity.removed) for activity in news} == {(roles[0]["Id"], True), (deleted, True)}
    assert {activity.id for activity in news} <= known


def test_merged_and_deleted_contacts_are_followed(box) -> None:
    connector = box.connect()
    first = box.pull(connector, "contacts")
    loser, winner, deleted = ids(first)[:3]
    orders = {a.id: a.contact_id for a in activities(box.pull(connector, "opportunities"))}
    cursor = box.pull(connector, "opportunities")[-1].cursor
    box.sandbox.clock.set(box.sandbox.clock.date + timedelta(hours=1))
    box.platform.merge(loser, winner)
    box.platform.delete(deleted)
    told = {
        contact.id: contact for page in box.pull(connector, "contacts", first[-1].cursor) for contact in page.contacts
    }
    assert (told[loser].deleted, told[loser].merged_into) == (True, winner)
    assert (told[deleted].deleted, told[deleted].merged_into) == (True, None)
    assert not told[winner].deleted
    moved = activities(box.pull(connector, "opportunities", cursor))
    assert {a.id for a in moved} == {key for key, owner in orders.items() if owner == loser}
    assert {a.contact_id for a in moved} <= {winner}


def small_pages(box) -> Any:
    connector = box.connect()
    connector._sf.session.headers["Sforce-Query-Options"] = "batchSize=200"
    return connector


def test_a_pull_resumes_after_any_page(box) -> None:
    box.sandbox.advance(datetime(2017, 12, 31, tzinfo=UTC))
    roles = box.platform.org.records.tables["OpportunityContactRole"]
    everything = set(roles)
    assert len(everything) > 400
    for stop in range(3):
        connector = small_pages(box)
        seen: list[str] = []
        for page in connector.pull("opportunities", None, box.sandbox.clock.date + timedelta(minutes=5)):
            seen += [activity.id for activity in page.activities]
            cursor = page.cursor
            if len(seen) > 200 * stop:
                break
        box.sandbox.clock.set(box.sandbox.clock.date + timedelta(hours=1))
        touched = seen[0]
        box.platform.org.records.change("OpportunityContactRole", touched, {"SystemModstamp": box.platform.org.now()})
        rest = [activity.id for activity in activities(box.pull(small_pages(box), "opportunities", cursor))]
        assert set(seen) | set(rest) == everything
        assert touched in rest
        assert len(seen) + len(rest) == len(everything) + 1


def test_provisioning_twice_changes_nothing(box, fields) -> None:
    connector = box.connect()
    (missing_contact, missing_lead) = connector.drift(fields)
    assert "FT_Buy_Score__c" in missing_contact
    assert missing_lead.startswith("Lead: ")
    done = connector.provision(fields)
    assert len(done) == 2 * 2 * len(fields) + 1
    assert connector.drift(fields) == []
    before = box.sandbox.snapshot()
    assert connector.provision(fields) == []
    assert box.sandbox.snapshot() == before


def test_provisioning_goes_on_where_it_was_interrupted(box, fields) -> None:
    box.sandbox.inject(Fault("salesforce", "POST .*/FieldPermissions", "status", times=1, after=3, status=400))
    with pytest.raises(Exception, match="400"):
        box.connect().provision(fields)
    done = box.connect().provision(fields)
    assert not any("created" in line for line in done)
    assert box.connect().drift(fields) == []


def test_a_changed_field_is_noticed(ready, fields) -> None:
    contact = ready.platform.org.schema.find("Contact").fields
    contact["FT_Buy_Score__c"].type = "string"
    contact["FT_Reasons__c"].length = 80
    contact["FT_Segment__c"].restricted, contact["FT_Segment__c"].values = True, ("Loyal",)
    del contact["FT_Scored_On__c"]
    ready.platform.org.permissions.forget()
    told = ready.connect().drift(fields)
    assert [line.split()[0] for line in told] == [
        "Contact:",
        "Contact.FT_Buy_Score__c",
        "Contact.FT_Segment__c",
        "Contact.FT_Reasons__c",
    ]


def test_what_is_written_is_read_back_and_nothing_else_changes(ready) -> None:
    connector = ready.connect()
    cursors = {stream: ready.pull(connector, stream)[-1].cursor for stream in ("contacts", "leads")}
    people = [c for stream in cursors for page in ready.pull(connector, stream) for c in page.contacts if c.writable]
    assert {contact.object for contact in people} == {"Contact", "Lead"}
    before = ready.sandbox.snapshot()["salesforce"]
    ready.sandbox.clock.set(ready.sandbox.clock.date + timedelta(hours=1))
    changes = [Change(contact.object, contact.id, contact.email, AFTER) for contact in people]
    outcomes = [outcome for batch in connector.write(changes) for outcome in batch]
    assert {outcome.result for outcome in outcomes} == {Result.WRITTEN}

    news = [c for stream, at in cursors.items() for page in ready.pull(connector, stream, at) for c in page.contacts]
    assert {contact.id: contact.owned for contact in news} == {contact.id: AFTER for contact in people}
    after = ready.sandbox.snapshot()["salesforce"]
    stamps = ("LastModifiedDate", "LastModifiedById", "SystemModstamp")
    for object_, rows in after.items():
        for key, row in rows.items():
            for name, value in row.items():
                if not name.startswith("FT_") and name not in stamps:
                    assert value == before[object_][key][name], (object_, key, name)

    emptied = [Change(c.object, c.id, c.email, dict.fromkeys(AFTER)) for c in people]
    assert {o.result for batch in connector.write(emptied) for o in batch} == {Result.WRITTEN}
    news = [c for stream in cursors for page in ready.pull(connector, stream) for c in page.contacts if c.writable]
    assert all(contact.owned == {"control_group": False} for contact in news)


def test_writing_to_people_who_are_gone_harms_nobody(ready) -> None:
    connector = ready.connect()
    people = [contact for page in ready.pull(connector, "contacts") for contact in page.contacts]
    lead_id = ids(ready.pull(connector, "leads"))[0]
    ready.platform.org.records.change("Lead", lead_id, {"IsConverted": True, "ConvertedContactId": people[3].id})
    (converted,) = [each for page in ready.pull(connector, "leads") for each in page.contacts if not each.writable]
    loser, winner, deleted = people[:3]
    ready.platform.merge(loser.id, winner.id)
    ready.platform.delete(deleted.id)
    targets = [*people, converted]
    changes = [Change(each.object, each.id, each.email, {"buy_score": 1.0}) for each in targets]
    changes.append(Change("Contact", "003000000000001AAA", None, {"buy_score": 1.0}))
    (outcomes,) = connector.write(changes)
    results = {outcome.id: outcome.result for outcome in outcomes}
    for gone in (loser.id, deleted.id, "003000000000001AAA"):
        assert results.pop(gone) is Result.GONE
    assert results.pop(converted.id) is Result.REJECTED
    assert set(results.values()) == {Result.WRITTEN}


@pytest.mark.parametrize(
    "fault",
    [
        Fault("salesforce", "query", "status", times=2, status=429, retry_after=1),
        Fault("salesforce", "query", "status", times=2, status=429),
        Fault("salesforce", "query", "status", times=2, status=503),
        Fault("salesforce", "query", "status", times=1, status=403),
        Fault("salesforce", "query", "reset_before"),
        Fault("salesforce", "query", "reset_after"),
        Fault("salesforce", "query", "truncate"),
        Fault("salesforce", "batch", "truncate"),
    ],
    ids=lambda fault: f"{fault.route} {fault.kind} {fault.status} {fault.retry_after}",
)
def test_a_pull_survives_faults(box, fault: Fault) -> None:
    box.sandbox.inject(fault)
    assert len(ids(box.pull(box.connect(), "contacts"))) == len(box.sandbox.snapshot()["salesforce"]["Contact"])
    assert fault.times == 0


@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "truncate", "status"])
def test_a_write_survives_faults(ready, kind: Any) -> None:
    connector = ready.connect()
    people = [contact for page in ready.pull(connector, "contacts") for contact in page.contacts]
    ready.sandbox.inject(Fault("salesforce", "PATCH", kind, status=503))
    changes = [Change(contact.object, contact.id, contact.email, AFTER) for contact in people]
    outcomes = [outcome for batch in connector.write(changes) for outcome in batch]
    assert [outcome.result for outcome in outcomes] == [Result.WRITTEN] * len(people)
    assert all(contact.owned == AFTER for page in ready.pull(connector, "contacts") for contact in page.contacts)


def test_an_expired_token_is_renewed_where_it_can_be(box) -> None:
    from sandbox.salesforce import CLIENT_ID, CLIENT_SECRET

    connector = box.connect(f"{CLIENT_ID}:{CLIENT_SECRET}")
    before = ids(box.pull(connector, "contacts"))
    box.platform.expire_token()
    assert ids(box.pull(connector, "contacts")) == before
    assert connector.calls["access token"] == 2

    stale = box.connect()
    box.platform.expire_token()
    with pytest.raises(NotAuthorised, match="foretag secret set"):
        box.pull(stale, "contacts")


def test_a_spent_quota_stops_the_pull_at_once(box) -> None:
    connector = box.connect()
    box.platform.org.session.daily_quota = 1
    with pytest.raises(QuotaSpent, match="try again later"):
        box.pull(connector, "contacts")
    assert connector.calls.total() == 2


def test_a_shown_opt_out_is_read(box) -> None:
    for object_ in ("Contact", "Lead"):
        box.platform.org.schema.find(object_).fields["HasOptedOutOfEmail"].open = True
    box.platform.org.permissions.forget()
    rows = box.sandbox.snapshot()["salesforce"]["Contact"]
    told = {c.id: c.consent for page in box.pull(box.connect(), "contacts") for c in page.contacts}
    wanted = {True: Consent.OPTED_OUT, False: Consent.GRANTED}
    assert told == {key: wanted[bool(row["HasOptedOutOfEmail"])] for key, row in rows.items()}


def test_check_tells_who_we_are_and_what_is_missing(box, fields) -> None:
    connector = box.connect()
    before = {finding.text: finding for finding in connector.check()}
    assert next(iter(before)).startswith("signed in as ")
    assert sum("Email Opt Out" in text for text in before) == 2
    assert sum("2 of our fields and tags are missing" in text for text in before) == 1
    connector.provision(fields)
    after = connector.check()
    assert "all our fields and tags are in place" in [finding.text for finding in after]
    assert after[-1].level == "ok"
    assert "100000 calls" in after[-1].text
    box.platform.org.session.daily_quota = box.platform.org.session.used + 10
    assert connector.check()[-1].level == "warn"
    box.platform.org.session.daily_quota = 1
    assert [finding.level for finding in connector.check()] == ["fail"]


def test_check_says_when_objections_cannot_be_known(box) -> None:
    assert not any("objections" in finding.text for finding in box.connect().check())
    box.platform.org.schema.find("Lead").fields["IndividualId"].open = False
    box.platform.org.permissions.forget()
    (finding,) = [each for each in box.connect().check() if "objections" in each.text]
    assert (finding.level, finding.text.split(":")[0]) == ("warn", "Lead")


def test_check_fails_for_a_wrong_token_without_raising(box) -> None:
    (finding,) = box.connect("wrong-token").check()
    assert finding.level == "fail"
    assert "foretag secret set" in finding.text
