"""What really happens on Salesforce while records are read. docs/explain/platforms.md lists these tests by name."""

import json
from datetime import UTC, datetime, timedelta
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
import responses

from connectors import open_connector
from connectors.contract import Account
from connectors.errors import NotPermitted, Stop, Unavailable
from connectors.records import ActivityKind, Consent
from connectors.salesforce.currencies import Rates
from connectors.salesforce.cursor import Cursor
from sandbox.faults import Fault
from sandbox.salesforce import Options
from sandbox.server import Sandbox
from sandbox.world import small

UNTIL = datetime(2017, 6, 1, 12, tzinfo=UTC)
BASIC = ["Id", "IsDeleted", "Email", "CreatedDate", "SystemModstamp"]
STAMP = "2017-05-01T10:00:00.000+0000"
TIMEOUT = '[{"errorCode":"QUERY_TIMEOUT","message":"Your query request was running for too long."}]'


def ids(pages: list[Any]) -> list[str]:
    return [contact.id for page in pages for contact in page.contacts]


def told(pages: list[Any]) -> dict[str, Any]:
    return {contact.id: contact for page in pages for contact in page.contacts}


def person(number: int) -> dict[str, Any]:
    basic = {"Id": f"003{number:015d}", "IsDeleted": False, "Email": "a@example.org", "CreatedDate": STAMP}
    return {"attributes": {"type": "Contact"}, **basic, "SystemModstamp": STAMP}


def page(*numbers: int, more: str | None = None, done: bool = True) -> dict[str, Any]:
    answer = {"totalSize": 9, "done": done, "records": [person(number) for number in numbers]}
    return {**answer, "nextRecordsUrl": f"/services/data/v62.0/query/{more}"} if more else answer


def later(box: SimpleNamespace, hours: float = 1) -> None:
    box.sandbox.clock.set(box.sandbox.clock.date + timedelta(hours=hours))


def test_trap_records_that_left_the_recycle_bin_are_told(box) -> None:
    connector = box.connect()
    first = box.pull(connector, "contacts")
    purged, binned = ids(first)[:2]
    later(box)
    box.platform.purge(purged)
    box.platform.delete(binned)
    before = connector.calls.total()
    news = told(box.pull(connector, "contacts", first[-1].cursor))
    assert {id_: (each.deleted, each.writable) for id_, each in news.items()} == {
        purged: (True, False),
        binned: (True, False),
    }
    assert connector.calls.total() - before == 3
    later(box)
    assert ids(box.pull(connector, "contacts", first[-1].cursor)) == [binned, purged]


def test_trap_a_merged_record_stands_in_the_log_of_deletions_too(box) -> None:
    connector = box.connect()
    first = box.pull(connector, "contacts")
    loser, winner = ids(first)[:2]
    later(box)
    box.platform.merge(loser, winner)
    for cursor in (first[-1].cursor, None):
        news = [c for p in box.pull(connector, "contacts", cursor) for c in p.contacts if c.id == loser]
        assert [each.merged_into for each in news] == [winner]


def test_trap_a_log_that_cannot_be_read_stops_nothing(box) -> None:
    connector = box.connect()
    cursor = box.pull(connector, "contacts")[-1].cursor
    later(box, hours=24 * 40)  # the log reaches back 15 days only
    assert box.pull(connector, "contacts", cursor)[-1].contacts == ()


def test_trap_rows_that_show_late_are_read_next_time(box) -> None:
    """A transaction of ten minutes shows its rows when it ends, with the stamp of when it began."""
    connector = box.connect()
    first = box.pull(connector, "contacts")
    org = box.platform.org
    stamp = org.now()
    later(box, hours=1 / 6)
    second = box.pull(connector, "contacts", first[-1].cursor)
    id_ = ids(first)[0]
    org.records.change("Contact", id_, {"FirstName": "Late", "SystemModstamp": stamp})
    later(box)
    news = told(box.pull(connector, "contacts", second[-1].cursor))
    assert news[id_].properties["FirstName"] == "Late"


@pytest.mark.parametrize("stream", ["contacts", "opportunities", "activities"])
@pytest.mark.parametrize("times", [1, 3])
def test_trap_a_query_that_takes_too_long_is_read_in_pieces(box, stream: str, times: int) -> None:
    box.sandbox.advance(datetime(2018, 3, 1, tzinfo=UTC))
    whole = box.pull(box.connect(), stream)
    everything = {each.id for p in whole for each in (*p.contacts, *p.activities)}
    assert everything
    slow = Fault("salesforce", "GET .*/queryAll", "status", times=times, status=400, body=TIMEOUT)
    box.sandbox.inject(slow)
    pieces = box.pull(box.connect(), stream)
    seen = [each.id for p in pieces for each in (*p.contacts, *p.activities)]
    assert slow.times == 0
    assert (len(pieces) > len(whole), set(seen), len(seen)) == (True, everything, len(everything))
    assert pieces[-1].cursor == whole[-1].cursor
    for stop in range(1, len(pieces)):
        rest = box.pull(box.connect(), stream, pieces[stop - 1].cursor)
        read = {each.id for p in [*pieces[:stop], *rest] for each in (*p.contacts, *p.activities)}
        assert read == everything


def test_trap_a_window_that_cannot_be_halved_any_more_ends_the_stream(box) -> None:
    box.sandbox.inject(Fault("salesforce", "GET .*/queryAll", "status", times=99, status=400, body=TIMEOUT))
    connector = box.connect()
    with pytest.raises(Unavailable, match="Not even"):
        box.pull(connector, "contacts")
    assert connector.calls["query"] < 25


def privacy(box: SimpleNamespace, **boxes: bool) -> dict[str, Consent]:
    """Consents of contacts: the first has a data-protection record with these boxes ticked, the others have none."""
    org = box.platform.org
    for name in ("Contact", "Lead"):
        org.schema.find(name).fields["HasOptedOutOfEmail"].open = True
    org.permissions.forget()
    individual = {"Id": "0PK5g0000000001AAA", "LastName": "X", "IsDeleted": False, "SystemModstamp": org.now(), **boxes}
    org.records.add("Individual", individual)
    first = min(org.records.tables["Contact"])
    org.records.change("Contact", first, {"IndividualId": individual["Id"], "HasOptedOutOfEmail": False})
    told_ = told(box.pull(box.connect(), "contacts"))
    return {"first": told_.pop(first).consent, **{id_: each.consent for id_, each in told_.items()}}


@pytest.mark.parametrize(
    ("ticked", "consent"),
    [
        ("HasOptedOutProfiling", Consent.NO_PROFILING),
        ("HasOptedOutProcessing", Consent.NO_PROFILING),
        ("HasOptedOutTracking", Consent.NO_PROFILING),
        ("ShouldForget", Consent.NO_PROFILING),
        ("HasOptedOutSolicit", Consent.OPTED_OUT),
        ("CanStorePiiElsewhere", Consent.GRANTED),
    ],
)
def test_trap_objections_stand_in_another_object(box, ticked: str, consent: Consent) -> None:
    found = privacy(box, **{ticked: True})
    assert found.pop("first") is consent
    assert Consent.GRANTED in found.values()
    assert Consent.NO_PROFILING not in found.values()


def test_trap_an_objection_that_may_not_be_read_is_no_yes(box) -> None:
    box.platform.org.schema.find("Individual").fields["HasOptedOutProfiling"].open = False
    found = privacy(box, HasOptedOutProfiling=True)
    assert found.pop("first") is Consent.UNKNOWN
    assert Consent.GRANTED in found.values()


def test_trap_a_hidden_link_to_the_objections_leaves_everybody_unknown(box) -> None:
    box.platform.org.schema.find("Contact").fields["IndividualId"].open = False
    assert Consent.GRANTED not in privacy(box).values()


def test_trap_a_hidden_opt_out_box_is_no_yes(box) -> None:
    assert {each.consent for each in told(box.pull(box.connect(), "contacts")).values()} == {Consent.UNKNOWN}


def test_trap_amounts_are_turned_into_the_corporate_currency(monkeypatch: pytest.MonkeyPatch) -> None:
    several = Options(currencies={"EUR": 1.0, "SEK": 10.0})
    monkeypatch.setattr("sandbox.salesforce.salesforce.Options", lambda: several)
    with Sandbox(small(40), datetime(2017, 6, 1, tzinfo=UTC), platforms=["salesforce"]) as sandbox:
        platform = sandbox.platform("salesforce")
        deals = platform.org.records.tables["Opportunity"]
        codes = dict(zip(deals, ["SEK", "EUR", "XXX", None], strict=False))
        for id_, code in codes.items():
            deals[id_] |= {"Amount": 99.9, "CurrencyIsoCode": code}
        roles = {
            row["OpportunityId"]: id_ for id_, row in platform.org.records.tables["OpportunityContactRole"].items()
        }
        address = {"instance_url": f"{sandbox.url}/salesforce"}
        account = Account("salesforce", "sf", platform.token, options=address)
        connector = open_connector(account, sleep=lambda _: None, monotonic=lambda: 0.0)
        pages = list(connector.pull("opportunities", None, sandbox.clock.date + timedelta(minutes=5)))
        found = {each.id: (each.amount, each.currency) for p in pages for each in p.activities}
    wanted = {"SEK": (999, "EUR"), "EUR": (9990, "EUR"), "XXX": (9990, "XXX"), None: (9990, None)}
    assert {code: found[roles[id_]] for id_, code in codes.items()} == wanted
    assert connector.calls["query"] == 2


def test_trap_a_dated_rate_counts_for_its_days() -> None:
    rates = Rates("EUR", {"SEK": 10.0}, [("SEK", "2017-01-01", "2017-02-01", 8.0)])
    assert rates.cents(80, "SEK", "2017-01-31") == (1000, "EUR")
    assert rates.cents(80, "SEK", "2017-02-01") == (800, "EUR")


def test_a_won_deal_below_zero_is_a_refund(box) -> None:
    org = box.platform.org
    role = next(iter(org.records.tables["OpportunityContactRole"].values()))
    org.records.change("Opportunity", role["OpportunityId"], {"Amount": -12.5})
    found = {each.id: each for p in box.pull(box.connect(), "opportunities") for each in p.activities}
    assert (found[role["Id"]].kind, found[role["Id"]].amount) == (ActivityKind.REFUND, 1250)


@pytest.fixture
def scripted(connect, org, data: str, described) -> SimpleNamespace:
    """An org that answers by script: `.contacts()` pulls them."""
    org.post(f"{data}/composite/batch", json=described(BASIC, None, log=[]))
    return SimpleNamespace(
        mock=org,
        first=lambda **answer: org.get(f"{data}/queryAll/", **answer),
        more=lambda name, **answer: org.get(f"{data}/query/{name}", **answer),
        contacts=lambda **options: list(connect(objects=["Contact"], **options).pull("contacts", None, UNTIL)),
        connect=connect,
    )


def asked(org: responses.RequestsMock) -> list[str]:
    return [call.request.params["q"] for call in org.calls if "q" in call.request.params]


def test_trap_an_object_without_rights_looks_as_if_there_were_none(box) -> None:
    """It is named; the other objects are read."""
    for name in ("Lead", "Opportunity"):
        box.platform.close(name)
    connector = box.connect()
    assert ids(box.pull(connector, "contacts"))
    for stream, name in (("leads", "Lead"), ("opportunities", "Opportunity.")):
        with pytest.raises(NotPermitted, match=name):
            box.pull(connector, stream)
    told_ = {finding.text: finding.level for finding in connector.check()}
    assert (told_["Lead may not be read"], told_["Opportunity may not be read"]) == ("fail", "warn")


def test_trap_an_empty_page_need_not_be_the_last(scripted) -> None:
    scripted.first(json=page(1, more="a", done=False))
    scripted.more("a", json=page(more="b", done=False))
    scripted.more("b", json=page(2))
    assert ids(scripted.contacts()) == [person(1)["Id"], person(2)["Id"]]


def test_trap_pages_that_lead_in_a_circle_are_asked_anew(scripted) -> None:
    scripted.first(json=page(1, more="a", done=False))
    scripted.more("a", json=page(2, more="a", done=False))
    scripted.first(json=page(3))
    assert ids(scripted.contacts()) == [person(number)["Id"] for number in (1, 2, 3)]
    assert f"Id > '{person(2)['Id']}'" in asked(scripted.mock)[1]


def test_trap_a_circle_without_rows_ends_the_stream(scripted) -> None:
    scripted.first(json=page(1, more="a", done=False))
    scripted.more("a", json=page(more="a", done=False))
    with pytest.raises(Unavailable, match="circle"):
        scripted.contacts()


def test_trap_the_clock_here_is_ahead_of_the_platforms(scripted) -> None:
    scripted.mock.replace(
        "POST",
        scripted.mock.registered()[0].url,
        json=json.loads(scripted.mock.registered()[0].body),
        headers={"Date": "Thu, 01 Jun 2017 09:30:00 GMT"},
    )
    scripted.first(json=page())
    (only,) = scripted.contacts()
    assert "SystemModstamp < 2017-06-01T09:30:00+00:00" in asked(scripted.mock)[0]
    assert Cursor.of(only.cursor).since == datetime(2017, 6, 1, 9, 30, tzinfo=UTC)


def test_trap_too_many_fields_make_a_query_too_long(connect, org, data: str, described) -> None:
    names = [f"A_Field_With_A_Rather_Long_Name_{number}__c" for number in range(400)]
    org.post(f"{data}/composite/batch", json=described([*BASIC, *names], None, log=[]))
    with pytest.raises(Stop, match="shorten `properties`"):
        list(connect(objects=["Contact"], properties=names).pull("contacts", None, UNTIL))
    assert len(org.calls) == 1


def test_trap_a_batch_with_parts_missing_is_no_missing_right(connect, org, data: str, described) -> None:
    org.post(f"{data}/composite/batch", json=described(BASIC))
    with pytest.raises(Unavailable, match="answered 1 of 3 parts"):
        list(connect(objects=["Contact"]).pull("contacts", None, UNTIL))


def test_trap_a_describe_that_failed_for_now_is_no_missing_right(connect, org, data: str, described) -> None:
    """Else a passing failure of Individual would turn an objection into a yes."""
    answer = described(BASIC, None, log=[])
    answer["results"][1] = {"statusCode": 503, "result": [{"errorCode": "SERVER_UNAVAILABLE", "message": "x"}]}
    org.post(f"{data}/composite/batch", json=answer)
    with pytest.raises(Unavailable, match="describe of Individual"):
        list(connect(objects=["Contact"]).pull("contacts", None, UNTIL))


def test_the_next_page_is_fetched_while_this_one_is_used(connect, org, data: str, described) -> None:
    fetched = Event()

    def second(_: Any) -> tuple[int, dict[str, str], str]:
        fetched.set()
        return 200, {"Content-Type": "application/json"}, json.dumps(page(2))

    org.post(f"{data}/composite/batch", json=described(BASIC, None, log=[]))
    org.get(f"{data}/queryAll/", json=page(1, more="a", done=False))
    org.add_callback("GET", f"{data}/query/a", second)
    pull = connect(objects=["Contact"]).pull("contacts", None, UNTIL)
    assert ids([next(pull)]) == [person(1)["Id"]]
    assert fetched.wait(5)
    assert ids(list(pull)) == [person(2)["Id"]]


def test_a_cursor_from_before_pieces_still_resumes() -> None:
    cursor = Cursor.of('["2017-05-01T00:00:00+00:00", "2017-06-01T00:00:00+00:00", 1, "00T1"]')
    assert (cursor.source, cursor.after, cursor.low, cursor.high) == (1, "00T1", None, None)
    piece = Cursor(cursor.since, cursor.until, 1, "00T1", high=UNTIL)
    assert Cursor.of(piece.text()) == piece
