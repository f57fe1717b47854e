"""Campaigns, reports and who did what with a mailing."""

from datetime import UTC, datetime

import pytest
import requests

from sandbox.server import Sandbox
from sandbox.world import small


def spring_id(api):
    return api.get("/campaigns")["campaigns"][0]["id"]


def test_campaigns_that_were_sent_are_listed(api):
    page = api.get("/campaigns", status="sent", sort_field="send_time", sort_dir="DESC")
    assert [c["settings"]["title"] for c in page["campaigns"]] == ["Summer", "Spring"]
    assert [c["emails_sent"] for c in page["campaigns"]] == [2, 4]
    assert page["campaigns"][1]["send_time"] == "2017-06-01T09:00:00+00:00"
    assert api.get("/campaigns", since_send_time="2017-06-01T09:00:00+00:00")["total_items"] == 1
    assert api.get("/campaigns", before_send_time="2017-06-01T09:00:00+00:00")["total_items"] == 0
    assert api.get("/campaigns", status="save")["total_items"] == 0
    assert api.get("/campaigns", list_id="other")["total_items"] == 0
    assert api.get("/campaigns", type="absplit")["total_items"] == 0
    assert api.get("/campaigns", member_id=api.member("dee@post.example")["id"])["total_items"] == 1
    assert api.get(f"/campaigns/{spring_id(api)}")["settings"]["title"] == "Spring"


def test_every_recipient_is_in_the_activity_also_with_nothing_done(api):
    page = api.get(f"/reports/{spring_id(api)}/email-activity", count=1000)
    assert page["total_items"] == 4
    activity = {line["email_address"]: line["activity"] for line in page["emails"]}
    assert set(activity) == {"Ada@Post.example", "ben@post.example", "cyd@new.example", "dee@post.example"}
    clicks = [event for event in activity["Ada@Post.example"] if event["action"] == "click"]
    assert [(c["timestamp"], c["url"]) for c in clicks] == [
        ("2017-06-05T12:00:00+00:00", "https://shop.example/coupons/1")
    ]
    opens = [event for event in activity["Ada@Post.example"] if event["action"] == "open"]
    assert any("2017-06-05T11:40" < event["timestamp"] < "2017-06-05T12:00" for event in opens)
    assert all("url" not in event for event in opens)


def test_since_trims_events_but_never_recipients(api):
    path = f"/reports/{spring_id(api)}/email-activity"
    later = api.get(path, count=1000, since="2017-06-05T12:00:00+00:00")
    assert (len(later["emails"]), later["total_items"]) == (4, 4)
    ada = next(line for line in later["emails"] if line["email_address"] == "Ada@Post.example")
    assert ada["activity"] == []
    just_before = api.get(path, count=1000, since="2017-06-05T11:59:59Z")
    ada = next(line for line in just_before["emails"] if line["email_address"] == "Ada@Post.example")
    assert [event["action"] for event in ada["activity"]] == ["click"]


def test_who_left_gets_no_further_mail_and_is_booked_to_the_last_one(api):
    summer = api.get("/campaigns", sort_field="send_time", sort_dir="DESC")["campaigns"][0]["id"]
    sent = {line["email_address"] for line in api.get(f"/reports/{summer}/sent-to")["sent_to"]}
    assert sent == {"Ada@Post.example", "cyd@new.example"}
    left = api.get(f"/reports/{spring_id(api)}/unsubscribed")
    assert [(u["email_address"], u["timestamp"]) for u in left["unsubscribes"]] == [
        ("ben@post.example", "2017-06-05T09:00:00+00:00")
    ]
    assert api.get(f"/reports/{summer}/unsubscribed")["total_items"] == 0


def test_what_was_written_decides_who_is_mailed_next(api):
    body = {"email_address": "eli@post.example", "status": "unsubscribed"}
    api.sandbox.advance(datetime(2017, 11, 2, tzinfo=UTC))
    api.batch(body)
    api.sandbox.advance(datetime(2017, 12, 31, tzinfo=UTC))
    assert api.get("/campaigns")["total_items"] == 2


@pytest.fixture(scope="module")
def crowd():
    """A year of 300 invented people."""
    with Sandbox(small(300), datetime(2017, 12, 31, tzinfo=UTC), platforms=["mailchimp"]) as sandbox:
        session = requests.Session()
        session.auth = ("x", sandbox.platform("mailchimp").token)

        def get(path, **params):
            answer = session.get(f"{sandbox.url}/mailchimp/3.0{path}", params=params)
            assert answer.status_code == 200, answer.text
            return answer.json()

        yield get
        session.close()


def test_reports_agree_with_the_activity(crowd):
    reports = crowd("/reports", count=1000)["reports"]
    assert len(reports) == 4
    for report in reports:
        emails = crowd(f"/reports/{report['id']}/email-activity", count=1000)["emails"]
        events = [event for line in emails for event in line["activity"]]
        opens = [event["timestamp"] for event in events if event["action"] == "open"]
        clicks = [event["timestamp"] for event in events if event["action"] == "click"]
        assert report["emails_sent"] == len(emails)
        assert (report["opens"]["opens_total"], report["opens"]["last_open"]) == (len(opens), max(opens))
        assert (report["clicks"]["clicks_total"], report["clicks"]["last_click"]) == (len(clicks), max(clicks))
        assert report["opens"]["open_rate"] == report["opens"]["unique_opens"] / report["emails_sent"]
        assert report["clicks"]["unique_subscriber_clicks"] <= report["clicks"]["clicks_total"]
        assert crowd(f"/reports/{report['id']}") == report
        sent_to = crowd(f"/reports/{report['id']}/sent-to", count=1000)["sent_to"]
        assert sum(line["open_count"] for line in sent_to) == len(opens)


def test_the_first_day_is_told_hour_by_hour(crowd):
    for report in crowd("/reports", count=1000)["reports"]:
        hours = report["timeseries"]
        assert len(hours) == 24
        assert [hour["emails_sent"] for hour in hours] == [report["emails_sent"]] + [0] * 23
        assert 0 < sum(hour["unique_opens"] for hour in hours) <= report["opens"]["unique_opens"]


def test_some_opens_are_made_by_machines_and_can_be_left_out(crowd):
    from_machines = []
    for report in crowd("/reports", count=1000)["reports"]:
        whole = crowd(f"/reports/{report['id']}/email-activity", count=1000)["emails"]
        human = crowd(f"/reports/{report['id']}/email-activity", count=1000, filter_bots="true")["emails"]
        assert [line["email_id"] for line in whole] == [line["email_id"] for line in human]
        for all_events, kept in zip(whole, human, strict=True):
            dropped = [event for event in all_events["activity"] if event not in kept["activity"]]
            from_machines += [(report["send_time"], event["timestamp"]) for event in dropped]
            assert all(event["action"] == "open" for event in dropped)
        opens = sum(event["action"] == "open" for line in human for event in line["activity"])
        assert report["opens"]["proxy_excluded_opens"] == opens
    assert from_machines
    seconds = [
        (datetime.fromisoformat(at) - datetime.fromisoformat(sent)).total_seconds() for sent, at in from_machines
    ]
    assert all(0 < gap < 10 for gap in seconds)


def test_about_a_quarter_of_the_mails_is_opened(crowd):
    reports = crowd("/reports", count=1000)["reports"]
    sent = sum(report["emails_sent"] for report in reports)
    openers = sum(report["opens"]["proxy_excluded_unique_opens"] for report in reports)
    assert 0.2 < openers / sent < 0.6


def test_ratings_and_rates_follow_the_answers(crowd):
    list_id = crowd("/lists")["lists"][0]["id"]
    members = crowd(f"/lists/{list_id}/members", count=1000)["members"]
    assert {m["member_rating"] for m in members if m["stats"]["avg_open_rate"] == 0} == {2}
    assert any(m["member_rating"] > 3 for m in members if m["stats"]["avg_click_rate"] > 0)
    assert all(0 <= m["stats"]["avg_click_rate"] <= m["stats"]["avg_open_rate"] <= 1 for m in members)
