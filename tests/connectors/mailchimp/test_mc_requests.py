"""What leaves the machine, and how answers are read, on made-up answers."""

import json
from base64 import b64decode
from threading import Event, Lock

import pytest
from responses import matchers

from connectors.contract import Change, Result
from connectors.errors import (
    NotAllowed,
    NotAuthorised,
    NotPermitted,
    Rejected,
    SchemaDrift,
    Stop,
    Throttled,
    Unavailable,
)

LIST = "a1"


def row(email, status="subscribed", **merge):
    return {"email_address": email, "status": status, "merge_fields": {"FNAME": "", **merge}}


def answer(*updated, errors=(), new=()):
    return {"updated_members": list(updated), "errors": list(errors), "new_members": list(new)}


def change(id_, email, after=None, before=None, audience=LIST):
    return Change(audience, id_, email, after or {"buy_score": 73.456}, before or {})


def written(connector, *changes):
    return {o.id: (o.result, o.reason) for batch in connector.write(changes) for o in batch}


@pytest.fixture
def sample(web, api):
    """The look at the first member before the first write."""
    return web.get(f"{api}/lists/{LIST}/members/c1", json={"status": "subscribed"})


def test_the_key_names_the_host_and_is_sent_as_basic_credentials(web, api, connect):
    web.get(f"{api}/", json={"account_name": "Shop", "role": "owner"})
    web.get(f"{api}/lists", status=401, json={"detail": "no"})
    web.get(f"{api}/ecommerce/stores", status=401, json={"detail": "no"})
    findings = connect().check()
    assert [finding.level for finding in findings] == ["ok", "fail", "fail"]
    scheme, _, credentials = web.calls[0].request.headers["Authorization"].partition(" ")
    assert (scheme, b64decode(credentials).decode().partition(":")[2]) == ("Basic", f"{'0123456789abcdef' * 2}-us1")
    assert web.calls[0].request.headers["User-Agent"] == "foretag"


@pytest.mark.parametrize("key", ["abc", "abc-", "abc-evil.example/", "x-us6.evil.example", "abc-us6@evil.example"])
def test_a_key_cannot_choose_a_foreign_host(key, connect):
    with pytest.raises(NotAuthorised, match="data centre"):
        connect(token=key)


def test_trap_the_word_server_in_an_id_stays_as_it_is(web, api, connect, date):
    web.get(f"{api}/ecommerce/stores/myserver/orders", json={"orders": [], "total_items": 0})
    list(connect(stores=["myserver"]).pull("orders", None, date))
    assert "/stores/myserver/orders" in web.calls[0].request.url


def test_members_are_asked_for_in_the_order_of_change_and_with_few_fields(web, api, connect, date, drain):
    page = web.get(f"{api}/lists/{LIST}/members", json={"members": [], "total_items": 0})
    drain(connect(audiences=[LIST]), "members")
    query = page.calls[0].request.params
    assert (query["sort_field"], query["sort_dir"], query["count"]) == ("last_changed", "ASC", "1000")
    assert query["before_last_changed"] == "2017-08-01T00:00:01+00:00"
    assert "since_last_changed" not in query
    asked = query["fields"].split(",")
    assert "members.contact_id" in asked
    assert not {"members.stats", "members.member_rating", "members.vip"} & set(asked)  # they know the outcome already
    assert "%2B00%3A00" in page.calls[0].request.url
    assert {call.request.params.get("status") for call in page.calls} == {None, "archived"}


def test_a_write_holds_addresses_as_given_and_values_as_mailchimp_takes_them(web, api, connect, sample):
    after = {"buy_score": 73.456, "segment": "Lost", "why": None, "scored_on": "2017-08-01", "control": True}
    sent = {"FT_BUY": 73.46, "FT_SEGMENT": "Lost", "FT_WHY": "", "FT_ON": "2017-08-01", "FT_CTRL": "Yes"}
    post = web.post(
        f"{api}/lists/{LIST}",
        json=answer(row("ada@post.example", **sent)),
        match=[matchers.query_param_matcher({"skip_merge_validation": "true"})],
    )
    assert written(connect(), change("c1", "Ada@Post.example", after)) == {"c1": (Result.WRITTEN, "")}
    assert json.loads(post.calls[0].request.body) == {
        "members": [{"email_address": "Ada@Post.example", "merge_fields": sent}],
        "update_existing": True,
    }


def test_five_hundred_go_into_a_call_and_the_calls_are_foreseen(web, api, connect, sample):
    def echo(request):
        members = json.loads(request.body)["members"]
        return 200, {}, json.dumps(answer(*(row(m["email_address"], FT_BUY=73.46) for m in members)))

    web.add_callback("POST", f"{api}/lists/{LIST}", echo, content_type="application/json")
    changes = [change(f"c{n}", f"p{n}@post.example") for n in range(1, 1002)]
    connector = connect()
    assert connector.predict_calls(changes) == 4
    outcomes = list(connector.write(changes))
    assert [len(batch) for batch in outcomes] == [5, 500, 496]
    assert connector.calls == {"member": 1, "members update": 3}


def test_the_first_call_holds_one_of_each_status_that_is_known(web, api, connect):
    statuses = ["subscribed", "subscribed", "unsubscribed", "transactional"] * 3

    def member(number, status):
        known = {"contact_id": f"c{number}", "email_address": f"p{number}@post.example", "status": status}
        return known | {"merge_fields": {}, "tags": []}

    rows = [member(number, status) for number, status in enumerate(statuses, 1)]
    web.get(f"{api}/lists/{LIST}/members", json={"members": rows, "total_items": len(rows)})
    post = web.post(f"{api}/lists/{LIST}", json=answer(row("p4@post.example", "subscribed", FT_BUY=73.46)))
    changes = [change(f"c{n}", f"p{n}@post.example") for n in range(1, len(rows) + 1)]
    connector = connect()
    list(connector.held(changes))
    assert connector.predict_calls(changes) == 2
    with pytest.raises(Stop, match="c4: its status went from transactional to subscribed"):
        list(connector.write(changes))
    (call,) = post.calls
    sent = [m["email_address"] for m in json.loads(call.request.body)["members"]]
    assert sorted(sent) == [f"p{n}@post.example" for n in (1, 2, 3, 4, 5)]


def test_the_first_call_goes_alone_and_the_others_side_by_side(web, api, connect, sample):
    lock, meeting, under_way = Lock(), Event(), []

    def echo(request):
        with lock:
            first = not under_way
            under_way.append(request)
            if len(under_way) == 3:
                meeting.set()
        if not first:
            assert meeting.wait(5)
        members = json.loads(request.body)["members"]
        return 200, {}, json.dumps(answer(*(row(m["email_address"], FT_BUY=73.46) for m in members)))

    web.add_callback("POST", f"{api}/lists/{LIST}", echo, content_type="application/json")
    outcomes = list(connect().write([change(f"c{n}", f"p{n}@post.example") for n in range(1, 1006)]))
    assert [batch[0].id for batch in outcomes] == ["c1", "c6", "c506"]
    assert len(under_way) == 3


def test_two_contacts_with_one_address_do_not_meet_in_a_call(web, api, connect, sample):
    post = web.post(f"{api}/lists/{LIST}", json=answer(row("ada@post.example", FT_BUY=73.46)))
    changes = (change("c1", "ada@post.example"), change("c2", "Ada@post.example"))
    assert set(written(connect(), *changes)) == {"c1", "c2"}
    assert post.call_count == 2


def test_two_changes_of_one_contact_become_one(web, api, connect, sample):
    post = web.post(f"{api}/lists/{LIST}", json=answer(row("ada@post.example", FT_BUY=73.46, FT_WHY="x")))
    changes = (change("c1", "ada@post.example"), change("c1", "ada@post.example", {"why": "x"}))
    assert written(connect(), *changes) == {"c1": (Result.WRITTEN, "")}
    assert json.loads(post.calls[0].request.body)["members"][0]["merge_fields"] == {"FT_BUY": 73.46, "FT_WHY": "x"}


def test_each_row_has_its_own_outcome(web, api, connect, sample):
    errors = [
        {"email_address": "gone@post.example", "error": "Invalid", "field": "status", "field_message": "blank"},
        {"email_address": "forgotten@post.example", "error": "x was permanently deleted and cannot be re-imported."},
        {"email_address": "bad@post.example", "error": "Your merge fields were invalid.", "field": "FT_BUY"},
    ]
    updated = [row("ada@post.example", FT_BUY=73.46), {**row("other@post.example", FT_BUY=73.46), "contact_id": "c9"}]
    web.post(f"{api}/lists/{LIST}", json=answer(*updated, errors=errors))
    names = {"c1": "ada", "c2": "gone", "c3": "forgotten", "c4": "bad", "c5": "silent", "c6": "other"}
    outcomes = written(connect(), *(change(id_, f"{name}@post.example") for id_, name in names.items()))
    results = {id_: result for id_, (result, _) in outcomes.items()}
    assert results == {
        "c1": Result.WRITTEN,
        "c2": Result.GONE,
        "c3": Result.GONE,
        "c4": Result.REJECTED,
        "c5": Result.UNKNOWN,
        "c6": Result.GONE,
    }
    assert "FT_BUY" in outcomes["c4"][1]


@pytest.mark.parametrize(("named", "calls"), [(True, 3), (False, 8)])
def test_trap_one_bad_row_fails_the_whole_call(web, api, connect, sample, named, calls):
    """It is found by its number where Mailchimp tells that, else by halving."""

    def fussy(request):
        members = [m["email_address"] for m in json.loads(request.body)["members"]]
        if "p7@post.example" in members:
            field = f"members.item:{members.index('p7@post.example')}.merge_fields"
            problem = {
                "title": "Invalid Resource",
                "errors": [{"field": field, "message": "is poison"}] if named else [],
            }
            return 400, {}, json.dumps(problem | {"detail": "is poison"})
        members = json.loads(request.body)["members"]
        return 200, {}, json.dumps(answer(*(row(m["email_address"], FT_BUY=73.46) for m in members)))

    web.add_callback("POST", f"{api}/lists/{LIST}", fussy, content_type="application/json")
    connector = connect()
    outcomes = written(connector, *(change(f"c{n}", f"p{n}@post.example") for n in range(1, 17)))
    result, reason = outcomes.pop("c7")
    assert (result, "is poison" in reason) == (Result.REJECTED, True)
    assert set(outcomes.values()) == {(Result.WRITTEN, "")}
    assert len(outcomes) == 15
    assert connector.calls["members update"] == calls


def test_a_fault_that_is_not_the_rows_is_not_looked_for_in_each_of_them(web, api, connect, sample):
    web.get(f"{api}/lists/{LIST}/members/c6", json={"status": "subscribed"})
    web.post(f"{api}/lists/{LIST}", status=400, json={"detail": "We are closed."})
    connector = connect()
    with pytest.raises(Rejected, match="audience a1: Mailchimp refuses everybody: We are closed"):
        written(connector, *(change(f"c{n}", f"p{n}@post.example") for n in range(1, 501)))
    assert connector.calls["members update"] < 70


def test_trap_http_200_is_not_yet_success(web, api, connect, sample):
    rows = [row("a@post.example", FT_BUY=12.0), row("b@post.example", FT_BUY=""), row("c@post.example", FT_BUY="73.46")]
    web.post(f"{api}/lists/{LIST}", json=answer(*rows))
    outcomes = written(connect(), *(change(f"c{n}", f"{name}@post.example") for n, name in enumerate("abc", 1)))
    assert [result for result, _ in outcomes.values()] == [Result.UNKNOWN, Result.UNKNOWN, Result.WRITTEN]
    assert "another value of FT_BUY" in outcomes["c1"][1]


def test_a_value_that_json_does_not_have_is_refused_before_it_spoils_a_call(web, api, connect):
    web.get(f"{api}/lists/{LIST}/members/c2", json={"status": "subscribed"})
    web.post(f"{api}/lists/{LIST}", json=answer(row("b@post.example", FT_BUY=73.46)))
    changes = (change("c1", "a@post.example", {"buy_score": float("nan")}), change("c2", "b@post.example"))
    assert [result for result, _ in written(connect(), *changes).values()] == [Result.REJECTED, Result.WRITTEN]


def test_trap_a_status_that_moves_at_a_write_stops_the_run_at_its_first_call(web, api, connect, sample):
    post = web.post(f"{api}/lists/{LIST}", json=answer(row("p1@post.example", "unsubscribed", FT_BUY=73.46)))
    changes = [change(f"c{n}", f"p{n}@post.example") for n in range(1, 1001)]
    with pytest.raises(Stop, match="c1: its status went from subscribed to unsubscribed"):
        written(connect(), *changes)
    assert post.call_count == 1


def test_the_status_is_looked_at_once_for_each_audience_and_connector(web, api, connect, sample):
    web.post(f"{api}/lists/{LIST}", json=answer(row("p1@post.example", FT_BUY=73.46)))
    connector, one = connect(), change("c1", "p1@post.example")
    assert connector.predict_calls([one]) == 2
    written(connector, one)
    assert connector.predict_calls([one]) == 1
    written(connector, one)
    assert connector.calls == {"member": 1, "members update": 2}
    written(fresh := connect(), one)
    assert fresh.calls["member"] == 1


def test_a_status_that_was_not_confirmed_is_looked_at_again(web, api, connect, sample):
    web.post(f"{api}/lists/{LIST}", json=answer(errors=[{"email_address": "p1@post.example", "error": "no"}]))
    connector, one = connect(), change("c1", "p1@post.example")
    written(connector, one)
    written(connector, one)
    assert connector.calls["member"] == 2


def test_a_contact_that_was_created_stops_the_run(web, api, connect, sample):
    web.post(f"{api}/lists/{LIST}", json=answer(new=[row("p1@post.example")]))
    with pytest.raises(Stop, match="created a contact"):
        written(connect(), change("c1", "p1@post.example"))


def test_trap_a_merge_field_that_is_dropped_without_a_word_is_noticed(web, api, connect, sample):
    web.post(f"{api}/lists/{LIST}", json=answer(row("p1@post.example")))
    with pytest.raises(SchemaDrift, match="FT_BUY is gone"):
        written(connect(), change("c1", "p1@post.example"))


def test_the_sample_is_the_first_member_that_is_there(web, api, connect):
    web.get(f"{api}/lists/{LIST}/members/c1", status=404, json={"detail": "not found"})
    web.get(f"{api}/lists/{LIST}/members/c2", json={"status": "transactional"})
    web.post(f"{api}/lists/{LIST}", json=answer(row("p2@post.example", "subscribed", FT_BUY=73.46)))
    with pytest.raises(Stop, match="from transactional to subscribed"):
        written(connect(), change("c1", "p1@post.example"), change("c2", "p2@post.example"))


def test_nothing_leaves_for_a_contact_without_an_address_or_a_key_that_is_not_ours(web, connect):
    assert written(connect(), change("c1", None)) == {"c1": (Result.REJECTED, "has no e-mail address")}
    with pytest.raises(NotAllowed, match="'owner' is not one"):
        written(connect(), change("c1", "ada@post.example", {"owner": "Bob"}))


def test_tags_are_added_and_taken_off_by_the_difference(web, api, connect, sample):
    web.post(f"{api}/lists/{LIST}", json=answer(row("ada@post.example"), row("ben@post.example")))
    segments = [
        {"id": n, "name": name, "type": "static", "list_id": LIST}
        for n, name in enumerate(("FT: Control", "ft: loyal", "FT: New", "Loyal"), 1)
    ]
    web.get(f"{api}/lists/{LIST}/segments", json={"segments": segments, "total_items": 4})
    error = {"email_addresses": ["Ben@post.example"], "error": "is invalid"}
    loyal = web.post(f"{api}/lists/{LIST}/segments/2", json={"errors": []})
    new = web.post(f"{api}/lists/{LIST}/segments/3", json={"errors": [error]})
    changes = (
        change("c1", "Ada@post.example", {"tags": ("Control", "Loyal")}, {"tags": ("Control", "New", "Forgotten")}),
        change("c2", "ben@post.example", {"tags": ("New",)}),
    )
    connector = connect()
    assert connector.predict_calls(changes) == 6  # counting "Forgotten", a tag which is gone
    assert written(connector, *changes) == {
        "c1": (Result.WRITTEN, ""),
        "c2": (Result.REJECTED, "tag: is invalid"),
    }
    assert json.loads(loyal.calls[0].request.body) == {"members_to_add": ["Ada@post.example"], "members_to_remove": []}
    assert json.loads(new.calls[0].request.body) == {
        "members_to_add": ["ben@post.example"],
        "members_to_remove": ["Ada@post.example"],
    }


@pytest.fixture
def loyal(web, api):
    """An audience that has the tag."""
    segments = [{"id": 2, "name": "FT: Loyal", "type": "static", "list_id": LIST}]
    web.get(f"{api}/lists/{LIST}/segments", json={"segments": segments, "total_items": 1})
    web.post(f"{api}/lists/{LIST}", json=answer(*(row(f"p{n}@post.example") for n in range(1, 9))))
    return f"{api}/lists/{LIST}/segments/2"


def tagging(n, *, on=True):
    before, after = ((), ("Loyal",)) if on else (("Loyal",), ())
    return change(f"c{n}", f"p{n}@post.example", {"tags": after}, {"tags": before})


def test_one_bad_address_does_not_keep_the_others_from_their_tag(web, connect, sample, loyal):
    def fussy(request):
        emails = [email for side in json.loads(request.body).values() for email in side]
        status = 400 if "p3@post.example" in emails else 200
        return status, {}, json.dumps({"detail": "is poison"} if status == 400 else {"errors": []})

    web.add_callback("POST", loyal, fussy, content_type="application/json")
    outcomes = written(connect(), *(tagging(n, on=n % 2 == 1) for n in range(1, 9)))
    assert outcomes.pop("c3") == (Result.REJECTED, "tag: is poison")
    assert set(outcomes.values()) == {(Result.WRITTEN, "")}
    assert len(outcomes) == 7


def test_a_tag_that_is_deleted_while_we_write_is_named_as_such(web, connect, sample, loyal):
    web.post(loyal, status=404, json={"detail": "The requested resource could not be found."})
    with pytest.raises(SchemaDrift, match="a tag was deleted just now"):
        written(connect(), tagging(1))


def test_a_tag_that_is_missing_is_not_passed_over(web, api, connect, sample):
    web.post(f"{api}/lists/{LIST}", json=answer(row("ada@post.example")))
    web.get(f"{api}/lists/{LIST}/segments", json={"segments": [], "total_items": 0})
    with pytest.raises(SchemaDrift, match="FT: New is missing"):
        written(connect(), change("c1", "ada@post.example", {"tags": ("New",)}))


def test_trap_a_bodiless_403_is_throttling(web, api, connect, drain, fake_time):
    web.get(f"{api}/lists", status=403, body="")
    web.get(f"{api}/lists", status=403, body="<html>Forbidden</html>", content_type="text/html")
    web.get(f"{api}/lists", status=429, body="")
    web.get(f"{api}/lists", json={"lists": [], "total_items": 0})
    contacts, _, _ = drain(connect(), "members")
    assert contacts == []
    assert len(fake_time.slept) == 3


def test_an_answer_that_is_not_mailchimps_is_asked_for_again_and_then_given_up(web, api, connect, drain):
    web.get(f"{api}/lists", body="<html>Log in to the network</html>", content_type="text/html")
    with pytest.raises(Unavailable, match="something between"):
        drain(connect(), "members")


@pytest.mark.parametrize(
    ("status", "detail", "error", "text"),
    [
        (403, "The API key provided is linked to datacenter 'us6'", NotAuthorised, 'server = "us6"'),
        (403, "Your plan does not include this.", NotPermitted, "plan"),
        (401, "Your API key may be invalid", NotAuthorised, "foretag secret set shop"),
        (404, "The requested resource could not be found.", Rejected, "could not be found"),
    ],
)
def test_failures_say_what_to_do(web, api, connect, drain, status, detail, error, text):
    problem = json.dumps({"title": "No", "detail": detail, "status": status})
    web.get(f"{api}/lists", status=status, body=problem, content_type="application/problem+json")
    with pytest.raises(error, match=text):
        drain(connect(), "members")


def test_trap_an_empty_object_is_no_answer(web, api, connect, drain):
    web.get(f"{api}/lists", json={})
    with pytest.raises(Rejected, match="answered with nothing"):
        drain(connect(), "members")


def test_too_many_calls_end_in_a_typed_error(web, api, connect, drain, fake_time):
    web.get(f"{api}/lists", status=429, body="")
    with pytest.raises(Throttled):
        drain(connect(), "members")
    assert len(fake_time.slept) == 7
