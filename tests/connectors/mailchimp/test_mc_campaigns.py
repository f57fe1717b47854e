"""The activity of campaigns on the sandbox over real HTTP, and archives that are not what they should be."""

import gzip
import io
import json
import tarfile
from collections import Counter
from datetime import datetime, timedelta

import pytest

from connectors.errors import NotAllowed, Unavailable
from connectors.records import ActivityKind
from sandbox.faults import Fault
from sandbox.mailchimp.records import Event


@pytest.fixture
def mailings(sandbox):
    return sandbox.platform("mailchimp")._account.mail.mailings


def packed(*files, whole=True):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for n, entries in enumerate(files):
            content = json.dumps(entries).encode()
            info = tarfile.TarInfo(f"{n}.json")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        folder = tarfile.TarInfo("batch/")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        archive.addfile(tarfile.TarInfo("batch/empty.json"))
    return gzip.compress(raw.getvalue() if whole else raw.getvalue()[:512])


def entry(campaign, emails=(), status=200):
    return {"operation_id": campaign, "status_code": status, "response": json.dumps({"emails": list(emails)})}


def sent(email, *activity):
    return {"email_id": email[:3], "email_address": email, "activity": list(activity)}


def test_everything_that_happened_to_every_mail_is_brought(chimp, mailings, drain):
    activities = drain(chimp, "campaigns")[1]
    counts = Counter((a.campaign, a.kind) for a in activities)
    assert len(mailings) >= 2
    for mailing in mailings.values():
        events = Counter(e.action for done in mailing.recipients.values() for e in done)
        assert counts[mailing.id, ActivityKind.SEND] == len(mailing.recipients)
        recognised = sum(e.machine for done in mailing.recipients.values() for e in done)
        assert counts[mailing.id, ActivityKind.OPEN] == events["open"] - recognised
        assert counts[mailing.id, ActivityKind.CLICK] == events["click"] > 0
        assert counts[mailing.id, ActivityKind.UNSUBSCRIBE] == len(mailing.unsubscribes)
    assert counts.total() == len(activities) == len({a.id for a in activities})
    assert chimp.calls == {"reports": 1, "batch start": 1, "batch status": 2, "result file": 1}


def test_trap_opens_by_proxies_are_left_out_and_those_by_scanners_marked(chimp, mailings, drain):
    opens = [a for a in drain(chimp, "campaigns")[1] if a.kind is ActivityKind.OPEN]
    by_machine = Counter(a.campaign for a in opens if a.machine)
    for mailing in mailings.values():
        events = [e for done in mailing.recipients.values() for e in done]
        quick = [e for e in events if not e.machine and e.at[:16] == mailing.sent_at[:16]]
        assert any(e.machine for e in events)
        assert by_machine[mailing.id] == len(quick)
    assert sum(not a.machine for a in opens) > sum(a.machine for a in opens) > 0


def test_an_open_by_a_proxy_alone_is_no_reason_to_read_a_campaign_again(chimp, mailings, drain):
    mailing = max(mailings.values(), key=lambda mailing: mailing.sent_at)
    later = datetime.fromisoformat(mailing.sent_at) + timedelta(days=1)
    cursor = drain(chimp, "campaigns", None, later)[2]
    events = next(iter(mailing.recipients.values()))
    events.append(Event("open", later.isoformat(), "192.0.2.1", machine=True))
    chimp.calls.clear()
    drain(chimp, "campaigns", cursor, later)
    assert chimp.calls == {"reports": 1}
    events.append(Event("open", later.isoformat(), "192.0.2.1"))
    assert {a.campaign for a in drain(chimp, "campaigns", cursor, later)[1]} == {mailing.id}


def test_with_nothing_changed_a_pull_costs_one_call(chimp, drain, date):
    cursor = drain(chimp, "campaigns")[2]
    chimp.calls.clear()
    assert drain(chimp, "campaigns", cursor, date)[1] == []
    assert chimp.calls == {"reports": 1}


def test_the_next_pull_reads_only_the_campaigns_whose_report_changed(chimp, sandbox, mailings, drain, store, date):
    _, activities, cursor = drain(chimp, "campaigns")
    held = store(activities)
    before = {id_: len(mailing.recipients) for id_, mailing in mailings.items()}
    later = date + timedelta(days=30)
    sandbox.advance(later)
    _, news, _ = drain(chimp, "campaigns", cursor, later)
    touched = {a.campaign for a in news}
    assert touched
    assert touched != set(mailings)
    assert any(id_ not in before or len(mailings[id_].recipients) > before[id_] for id_ in touched)
    # what a pull from scratch would bring is just what the two pulls brought
    assert store(news, held) == store(drain(chimp, "campaigns", None, later)[1])


def test_reports_are_watched_for_sixty_days_from_the_last_pull(chimp, sandbox, drain, date):
    cursor = drain(chimp, "campaigns")[2]
    recent = date - timedelta(days=60)
    known = json.loads(cursor)["known"]
    mails = sandbox.platform("mailchimp")._account.mail.mailings.values()
    assert set(known) == {m.id for m in mails if m.sent_at > recent.isoformat()}


def test_a_stop_after_any_page_loses_nothing(chimp, drain, monkeypatch, store, date):
    monkeypatch.setattr("connectors.mailchimp.campaigns.CHUNK", 2)
    monkeypatch.setattr("sandbox.mailchimp.batches.PAGE_ROWS", 5)
    monkeypatch.setattr("sandbox.mailchimp.batches.ENTRIES_PER_FILE", 2)
    pages = list(chimp.pull("campaigns", None, date))
    whole = store(a for page in pages for a in page.activities)
    assert len(pages) > 10
    for stop in range(1, len(pages), 4):
        before = [a for page in pages[:stop] for a in page.activities]
        after = drain(chimp, "campaigns", pages[stop - 1].cursor, date)[1]
        assert store(before + after) == whole
        assert len(before) + len(after) == len(whole)


def test_batches_are_under_way_side_by_side(chimp, mailings, drain, monkeypatch, store, date):
    whole = store(drain(chimp, "campaigns")[1])
    monkeypatch.setattr("connectors.mailchimp.campaigns.CHUNK", 1)
    monkeypatch.setattr("connectors.mailchimp.campaigns.BATCHES", 2)
    pages = list(chimp.pull("campaigns", None, date))
    under_way = [len(json.loads(page.cursor)["jobs"]) for page in pages]
    assert (max(under_way), under_way[-1]) == (2, 0)
    assert len(mailings) == 2
    assert store(a for page in pages for a in page.activities) == whole


def test_trap_a_batch_that_expired_is_started_anew(chimp, sandbox, drain, store, date):
    whole = store(drain(chimp, "campaigns")[1])
    started = next(iter(chimp.pull("campaigns", None, date))).cursor
    state = json.loads(started)
    state["jobs"][0]["id"] = "lost"
    assert store(drain(chimp, "campaigns", json.dumps(state))[1]) == whole
    state["jobs"][0]["begun"] = (date - timedelta(days=2)).isoformat()
    chimp.calls.clear()
    assert store(drain(chimp, "campaigns", json.dumps(state))[1]) == whole
    assert chimp.calls["batch status"] == 2  # not asked for the one that is too old


@pytest.mark.parametrize("kind", ["truncate", "reset_before", "reset_after", "status"])
def test_faults_lose_nothing(chimp, sandbox, drain, store, kind):
    whole = store(drain(chimp, "campaigns")[1])
    routes = ("GET /3.0/reports", "POST /3.0/batches", "GET /3.0/batches/", "GET /batch-results")
    sandbox.inject(*(Fault("mailchimp", route, kind, status=503) for route in routes))
    activities = drain(chimp, "campaigns")[1]
    assert len(activities) == len(whole)
    assert store(activities) == whole


def test_failed_downloads_give_their_connections_back(chimp, sandbox, drain, store):
    whole = store(drain(chimp, "campaigns")[1])
    sandbox.inject(Fault("mailchimp", "GET /batch-results", "status", times=8, status=503))
    cursor = None
    with pytest.raises(Unavailable, match="result file"):
        for page in chimp.pull("campaigns", None, date := sandbox.clock.date):
            cursor = page.cursor
    chimp.calls.clear()
    assert store(drain(chimp, "campaigns", cursor, date)[1]) == whole
    assert chimp.calls["batch start"] == 0  # the one that was under way is gone on with


@pytest.fixture
def campaign(web, api):
    """A campaign with a batch that finishes; gives the archive that the test wants."""
    report = {"id": "c1", "list_id": "a1", "send_time": "2017-07-01T09:00:00+00:00", "emails_sent": 1}
    web.get(f"{api}/reports", json={"reports": [report], "total_items": 1})
    web.post(f"{api}/batches", json={"id": "b1", "status": "pending"})
    url = "https://storage.example/b1?signature=1"
    web.get(f"{api}/batches/b1", json={"status": "finished", "response_body_url": url})

    def give(*archives):
        for archive in archives:
            web.get(url, body=archive, content_type="application/x-gzip")
        return web

    return give


def test_trap_several_entries_of_one_campaign_are_all_read(campaign, connect, drain):
    opened = {"action": "open", "timestamp": "2017-07-02T10:00:00+00:00"}
    clicks = [{"action": "click", "timestamp": opened["timestamp"], "url": f"https://s.example/{n}"} for n in "ab"]
    web = campaign(
        packed([entry("c1", [sent("ada@post.example", opened, *clicks)])], [entry("c1", [sent("ben@post.example")])])
    )
    activities = drain(connect(), "campaigns")[1]
    assert Counter((a.email, a.kind) for a in activities) == {
        ("ada@post.example", ActivityKind.SEND): 1,
        ("ada@post.example", ActivityKind.OPEN): 1,
        ("ada@post.example", ActivityKind.CLICK): 2,
        ("ben@post.example", ActivityKind.SEND): 1,
    }
    assert len({a.id for a in activities}) == 5
    download = next(call for call in web.calls if "storage" in call.request.url)
    assert "Authorization" not in download.request.headers


def test_bounces_and_marked_opens(campaign, connect, drain):
    at = "2017-07-02T10:00:00+00:00"
    events = [
        {"action": "bounce", "type": "hard", "timestamp": "2017-07-01T09:00:01+00:00"},
        {"action": "open", "timestamp": at, "is_proxy_open": True},
        {"action": "printed", "timestamp": at},
        {"action": "click", "timestamp": ""},
    ]
    campaign(packed([entry("c1", [sent("ada@post.example", *events)])]))
    activities = drain(connect(), "campaigns")[1]
    assert [(a.kind, a.machine) for a in activities] == [
        (ActivityKind.SEND, False),
        (ActivityKind.BOUNCE, False),
        (ActivityKind.OPEN, True),
    ]


@pytest.mark.parametrize(
    "broken",
    [
        packed([entry("c1")])[:40],
        packed([entry("c1", [sent("ada@post.example")])])[:-9],
        packed([entry("c1")], whole=False),
        b"no archive",
        packed({"not": "a list"}),
        packed([{"operation_id": "c1"}]),
    ],
    ids=["cut short", "cut at the end", "half a file", "no archive", "no list", "no answer"],
)
def test_trap_a_broken_archive_is_fetched_again(campaign, connect, drain, broken):
    campaign(broken, packed([entry("c1", [sent("ada@post.example")])]))
    activities = drain(connect(), "campaigns")[1]
    assert {a.email for a in activities} == {"ada@post.example"}


def test_an_archive_that_stays_broken_stops_the_stream(campaign, connect, drain):
    campaign(b"no archive")
    with pytest.raises(Unavailable, match="could not be read"):
        drain(connect(), "campaigns")


def test_trap_a_finished_batch_may_have_no_address_yet(web, api, connect, drain, campaign):
    archive = packed([entry("c1", [sent("ada@post.example")])])
    web.remove("GET", f"{api}/batches/b1")
    web.get(f"{api}/batches/b1", json={"status": "finished", "response_body_url": ""})
    web.get(f"{api}/batches/b1", json={"status": "finished", "response_body_url": "https://storage.example/b1?new=1"})
    web.get("https://storage.example/b1?new=1", body=archive, content_type="application/x-gzip")
    assert {a.email for a in drain(connect(), "campaigns")[1]} == {"ada@post.example"}


def test_trap_an_address_is_good_for_a_short_while_only(web, api, connect, drain, campaign):
    archive = packed([entry("c1", [sent("ada@post.example")])])
    web.get("https://storage.example/b1?signature=1", status=403, body="<Error>expired</Error>")
    campaign(archive)
    connector = connect()
    assert {a.email for a in drain(connector, "campaigns")[1]} == {"ada@post.example"}
    assert connector.calls["batch status"] == 2


def test_trap_several_things_in_one_second_are_several(campaign, connect, drain):
    at = "2017-07-02T10:00:00+00:00"
    events = [{"action": "open", "timestamp": at}]
    events += [{"action": "click", "timestamp": at, "url": f"https://s.example/{n}"} for n in range(3)]
    campaign(packed([entry("c1", [sent("ada@post.example", *events), sent("ben@post.example", *events)])]))
    activities = drain(connect(), "campaigns")[1]
    assert len({a.id for a in activities}) == len(activities) == 10


@pytest.mark.parametrize("limit", ["FILE_LIMIT", "TOTAL_LIMIT", "FILES_LIMIT"])
def test_trap_an_archive_that_grows_without_end_is_not_read(campaign, connect, drain, monkeypatch, limit):
    monkeypatch.setattr(f"connectors.mailchimp.jobs.{limit}", 1)
    campaign(packed([entry("c1")], [entry("c1")]))
    with pytest.raises(NotAllowed, match="larger than any"):
        drain(connect(), "campaigns")


def test_a_read_that_failed_is_tried_again_and_one_with_nothing_to_give_is_not(campaign, connect, drain):
    campaign(packed([entry("c1", status=500)]), packed([entry("c1", [sent("ada@post.example")])]))
    connector = connect()
    assert [a.kind for a in drain(connector, "campaigns")[1]] == [ActivityKind.SEND]
    assert connector.calls["batch start"] == 2


def test_a_campaign_that_is_gone_is_done_with(campaign, connect, drain):
    campaign(packed([entry("c1", status=404)]))
    connector = connect()
    assert drain(connector, "campaigns")[1] == []
    assert connector.calls["batch start"] == 1


def test_a_campaign_that_stays_unreadable_is_reported(campaign, connect, drain):
    campaign(packed([entry("c1", status=500)]))
    connector = connect()
    with pytest.raises(Unavailable, match="1 campaigns, such as c1"):
        drain(connector, "campaigns")
    assert connector.calls["batch start"] == 3


def test_trap_a_batch_that_takes_too_long_is_left_for_the_next_pull(web, api, connect, date, fake_time):
    report = {"id": "c1", "list_id": "a1", "send_time": "2017-07-01T09:00:00+00:00", "emails_sent": 1}
    web.get(f"{api}/reports", json={"reports": [report], "total_items": 1})
    web.post(f"{api}/batches", json={"id": "b1", "status": "pending"})
    web.get(f"{api}/batches/b1", json={"status": "started", "response_body_url": ""})
    pages = connect().pull("campaigns", None, date)
    assert json.loads(next(pages).cursor)["jobs"][0]["id"] == "b1"
    with pytest.raises(Unavailable, match="still at work"):
        next(pages)
    assert sum(fake_time.slept) > 1800


def test_campaigns_to_other_audiences_are_left_out(web, api, connect, drain):
    report = {"id": "c1", "list_id": "other", "send_time": "2017-07-01T09:00:00+00:00", "emails_sent": 1}
    web.get(f"{api}/reports", json={"reports": [report], "total_items": 1})
    assert drain(connect(audiences=["a1"]), "campaigns")[1] == []
