"""POST /lists/{id}: up to 500 members at once."""

import pytest

NOW = "2017-09-30T09:00:00+00:00"


def test_merge_values_are_laid_over_and_nothing_else_moves(api):
    api.add_field("SCORE", "number")
    before = api.member("ada@post.example")
    done = api.batch({"email_address": "ADA@post.example", "merge_fields": {"SCORE": 73.25}})
    after = api.member("ada@post.example")
    assert (done["total_updated"], done["total_created"], done["error_count"]) == (1, 0, 0)
    assert after["merge_fields"] == before["merge_fields"] | {"SCORE": 73.25}
    assert after["last_changed"] == NOW
    differing = {name for name in after if after[name] != before[name]}
    assert differing == {"merge_fields", "last_changed"}


def test_writing_the_same_again_does_not_move_last_changed(api):
    before = api.member("ada@post.example")
    done = api.batch({"email_address": "ada@post.example", "merge_fields": {"FNAME": "Ada"}})
    assert done["updated_members"][0]["last_changed"] == before["last_changed"]
    assert api.member("ada@post.example") == before


def test_status_counts_only_when_it_is_sent(api):
    api.batch({"email_address": "ben@post.example", "merge_fields": {"FNAME": "Benny"}})
    assert api.member("ben@post.example")["status"] == "unsubscribed"
    api.batch({"email_address": "ada@post.example", "status": "unsubscribed"})
    assert api.member("ada@post.example")["unsubscribe_reason"] == "N/A (Unsubscribed by admin)"
    api.batch({"email_address": "ada@post.example", "status": "subscribed"})
    assert api.member("ada@post.example")["status"] == "subscribed"
    assert "unsubscribe_reason" not in api.member("ada@post.example")


def test_who_left_by_themselves_cannot_be_subscribed(api):
    [error] = api.batch({"email_address": "ben@post.example", "status": "subscribed"})["errors"]
    assert "compliance state" in error["error"]
    assert error["error_code"] == "ERROR_GENERIC"
    assert api.member("ben@post.example")["status"] == "unsubscribed"


def test_without_update_existing_a_known_member_is_an_error_with_http_200(api):
    done = api.batch({"email_address": "ada@post.example", "merge_fields": {"FNAME": "X"}}, update=False)
    assert [e["error_code"] for e in done["errors"]] == ["ERROR_CONTACT_EXISTS"]
    assert done["error_count"] == 1
    assert api.member("ada@post.example")["merge_fields"]["FNAME"] == "Ada"


def test_a_new_address_needs_a_status(api):
    done = api.batch(
        {"email_address": "new@post.example"}, {"email_address": "new2@post.example", "status": "subscribed"}
    )
    assert [e["email_address"] for e in done["errors"]] == ["new@post.example"]
    assert [m["email_address"] for m in done["new_members"]] == ["new2@post.example"]
    assert "contact_id" not in done["new_members"][0]
    api.problem("GET", "/{list}/members/new@post.example")
    assert api.member("new2@post.example")["member_rating"] == 2


@pytest.mark.parametrize(
    ("address", "words"),
    [("foo@example.com", "fake or invalid"), ("no address", "could not be validated"), ("", "could not be validated")],
)
def test_bad_addresses_are_refused_one_by_one(api, address, words):
    done = api.batch({"email_address": address, "status": "subscribed"}, {"email_address": "ada@post.example"})
    assert words in done["errors"][0]["error"]
    assert done["total_updated"] == 1


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"email_address": "ada@post.example", "status": ""}, "status"),
        ({"email_address": "ada@post.example", "status": "archived"}, "status"),
        ({"email_address": "ada@post.example", "merge_fields": []}, "merge_fields"),
        ({"email_address": 7}, "email_address"),
        ({"email_address": "ada@post.example", "tags": [1]}, "tags"),
    ],
)
def test_one_row_that_breaks_the_schema_fails_the_whole_request(api, row, field):
    good = {"email_address": "dee@post.example", "merge_fields": {"FNAME": "Changed"}}
    problem = api.problem("POST", "/{list}", {"members": [good, row], "update_existing": True})
    assert (problem["status"], problem["title"]) == (400, "Invalid Resource")
    assert [e["field"] for e in problem["errors"]] == [f"members.item:1.{field}"]
    assert api.member("dee@post.example")["merge_fields"]["FNAME"] == "Dee"


def test_unknown_tags_are_dropped_silently_and_bad_values_reject_their_member(api):
    api.add_field("SCORE", "number")
    done = api.batch(
        {"email_address": "ada@post.example", "merge_fields": {"NOSUCH": 1, "SCORE": 5}},
        {"email_address": "dee@post.example", "merge_fields": {"FNAME": "Changed", "SCORE": "high"}},
    )
    assert "NOSUCH" not in done["updated_members"][0]["merge_fields"]
    assert done["errors"] == [
        {
            "email_address": "dee@post.example",
            "error": "Your merge fields were invalid.",
            "error_code": "ERROR_GENERIC",
            "field": "SCORE",
            "field_message": "Please enter a number",
        }
    ]
    assert api.member("dee@post.example")["merge_fields"]["FNAME"] == "Dee"


@pytest.mark.parametrize(
    ("kind", "sent", "kept"),
    [
        ("number", 15.5, 15.5),
        ("number", "42", 42),
        ("number", 0, 0),
        ("text", 7, "7"),
        ("text", "x" * 255, "x" * 255),
        ("date", "2017-12-21", "2017-12-21"),
        ("date", "12/21/2017", "2017-12-21"),
        ("dropdown", "high", "high"),
    ],
)
def test_values_that_fit_are_kept_and_an_empty_text_clears_them(api, kind, sent, kept):
    api.add_field("F", kind, options={"choices": ["high", "low"]})
    api.batch({"email_address": "ada@post.example", "merge_fields": {"F": sent}})
    assert api.member("ada@post.example")["merge_fields"]["F"] == kept
    api.batch({"email_address": "ada@post.example", "merge_fields": {"F": ""}})
    assert api.member("ada@post.example")["merge_fields"]["F"] == ""


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("number", "AAAAA"),
        ("number", True),
        ("number", None),
        ("number", "nan"),
        ("text", "x" * 256),
        ("text", {"a": 1}),
        ("date", "soon"),
        ("dropdown", "middling"),
    ],
)
def test_values_that_do_not_fit_are_refused(api, kind, sent):
    api.add_field("F", kind, options={"choices": ["high", "low"]})
    done = api.batch({"email_address": "ada@post.example", "merge_fields": {"F": sent}})
    assert [e["field"] for e in done["errors"]] == ["F"]


def test_a_required_field_that_is_empty_fails_unless_waived(api):
    api.add_field("MUST", "text", required=True)
    row = {"email_address": "ada@post.example", "merge_fields": {"FNAME": "Adah"}}
    assert api.batch(row)["errors"][0]["field"] == "MUST"
    assert api.batch(row, skip_merge_validation="True")["error_count"] == 1
    assert api.batch(row, skip_merge_validation="true")["error_count"] == 0
    assert api.member("ada@post.example")["merge_fields"]["FNAME"] == "Adah"


def test_the_first_of_two_same_addresses_wins(api):
    rows = [{"email_address": a, "merge_fields": {"FNAME": a[0]}} for a in ("ada@post.example", "ADA@post.example")]
    done = api.batch(*rows)
    assert (done["total_updated"], done["error_count"]) == (1, 1)
    assert "Duplicate" in done["errors"][0]["error"]
    assert api.batch(*rows, skip_duplicate_check="true")["error_count"] == 0
    assert api.member("ada@post.example")["merge_fields"]["FNAME"] == "a"


def test_sync_tags_replaces_everything_that_was_there(api):
    api.call("POST", "/{list}/members/ada@post.example/tags", {"tags": [{"name": "VIP", "status": "active"}]})
    api.batch({"email_address": "ada@post.example", "tags": ["Other"]})
    assert [t["name"] for t in api.member("ada@post.example")["tags"]] == ["VIP"]
    api.batch({"email_address": "ada@post.example", "tags": ["Other"]}, sync_tags=True)
    assert [t["name"] for t in api.member("ada@post.example")["tags"]] == ["Other"]
    api.batch({"email_address": "ada@post.example"}, sync_tags=True)
    assert api.member("ada@post.example")["tags"] == []


def test_an_archived_member_comes_back_only_when_a_status_is_sent(api):
    api.call("DELETE", "/{list}/members/ada@post.example")
    api.batch({"email_address": "ada@post.example", "merge_fields": {"FNAME": "Adah"}})
    assert api.member("ada@post.example")["status"] == "archived"
    api.batch({"email_address": "ada@post.example", "status": "subscribed"})
    assert api.member("ada@post.example")["status"] == "subscribed"


def test_more_than_five_hundred_or_no_list_at_all_is_refused(api):
    rows = [{"email_address": f"n{i}@more.example", "status": "subscribed"} for i in range(501)]
    assert api.problem("POST", "/{list}", {"members": rows})["errors"][0]["field"] == "members"
    assert api.problem("POST", "/{list}", {"members": "all"})["status"] == 400
    assert api.problem("POST", "/{list}", [])["status"] == 400
    broken = api.session.post(f"{api.base}/lists/{api.list_id}", data="{")
    assert broken.json()["title"] == "JSON Parse Error"
    assert api.batch(*rows[:500])["total_created"] == 500


@pytest.mark.parametrize("value", ["NaN", "-Infinity", '"\\ud83d"'])
def test_what_is_no_json_spoils_the_whole_request(api, value):
    rows = '{"email_address": "ben@post.example"}, {"email_address": "ada@post.example", "merge_fields": {"AGE": '
    body = f'{{"members": [{rows}{value}}}}}], "update_existing": true}}'
    answer = api.session.post(f"{api.base}/lists/{api.list_id}", data=body.encode())
    assert (answer.status_code, answer.json()["title"]) == (400, "JSON Parse Error")
