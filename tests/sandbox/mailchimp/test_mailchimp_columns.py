"""Merge fields and static segments."""

import pytest

NOW = "2017-09-30T09:00:00+00:00"


def test_merge_fields_come_in_tens_unless_told(api):
    for n in range(8):
        api.add_field(f"F{n}", "number")
    fields = api.get("/{list}/merge-fields")
    assert (len(fields["merge_fields"]), fields["total_items"], fields["merge_field_limit"]) == (10, 12, 30)
    whole = api.get("/{list}/merge-fields", count=1000)["merge_fields"]
    assert [f["tag"] for f in whole] == ["FNAME", "LNAME", "AGE", "INCOME", *(f"F{n}" for n in range(8))]


def test_a_new_field_is_empty_on_every_member_and_goes_with_its_values(api):
    field = api.add_field("SCORE", "number", public=False, help_text="0 to 100")
    assert (field["tag"], field["type"], field["public"], field["help_text"]) == ("SCORE", "number", False, "0 to 100")
    assert api.member("ada@post.example")["merge_fields"]["SCORE"] == ""
    changed = api.call("PATCH", f"/{{list}}/merge-fields/{field['merge_id']}", {"name": "Points"}).json()
    assert (changed["name"], changed["tag"]) == ("Points", "SCORE")
    assert api.get(f"/{{list}}/merge-fields/{field['merge_id']}")["name"] == "Points"
    api.batch({"email_address": "ada@post.example", "merge_fields": {"SCORE": 9}})
    assert api.call("DELETE", f"/{{list}}/merge-fields/{field['merge_id']}").status_code == 204
    assert "SCORE" not in api.member("ada@post.example")["merge_fields"]
    api.add_field("SCORE", "number")
    assert api.member("ada@post.example")["merge_fields"]["SCORE"] == ""
    assert api.problem("GET", f"/{{list}}/merge-fields/{field['merge_id']}")["status"] == 404


def test_a_field_without_a_tag_is_given_one(api):
    answer = api.call("POST", "/{list}/merge-fields", {"name": "Anything", "type": "text"})
    assert answer.json()["tag"] == "MMERGE5"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"tag": "ELEVENCHARS", "name": "x", "type": "text"}, "tag"),
        ({"tag": "lower", "name": "x", "type": "text"}, "tag"),
        ({"tag": "OK", "name": "", "type": "text"}, "name"),
        ({"tag": "OK", "name": "x", "type": "colour"}, "type"),
    ],
)
def test_a_misspelt_field_is_refused(api, body, field):
    assert api.problem("POST", "/{list}/merge-fields", body)["errors"][0]["field"] == field


def test_a_taken_tag_and_a_thirty_first_field_are_refused(api):
    taken = api.problem("POST", "/{list}/merge-fields", {"tag": "FNAME", "name": "x", "type": "text"})
    assert "already exists" in taken["detail"]
    for n in range(26):
        api.add_field(f"F{n}", "text")
    assert api.problem("POST", "/{list}/merge-fields", {"tag": "F26", "name": "x", "type": "text"})["status"] == 400


def segment(api, name, *emails):
    answer = api.call("POST", "/{list}/segments", {"name": name, "static_segment": list(emails)})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_segment_is_a_tag(api):
    made = segment(api, "Loyal", "ADA@post.example", "ben@post.example", "stranger@post.example")
    assert (made["type"], made["member_count"], made["created_at"]) == ("static", 1, NOW)
    assert api.member("ada@post.example")["tags"] == [{"id": made["id"], "name": "Loyal"}]
    members = api.get(f"/{{list}}/segments/{made['id']}/members")
    assert [m["email_address"] for m in members["members"]] == ["Ada@Post.example"]
    with_those_who_left = api.get(f"/{{list}}/segments/{made['id']}/members", include_unsubscribed="true")
    assert with_those_who_left["total_items"] == 2
    assert api.get(f"/{{list}}/segments/{made['id']}")["name"] == "Loyal"
    assert api.problem("POST", "/{list}/segments", {"name": "LOYAL", "static_segment": []})["status"] == 400


def test_segments_and_tags_are_listed(api):
    for n in range(12):
        segment(api, f"Tag {n}")
    assert len(api.get("/{list}/segments")["segments"]) == 10
    assert api.get("/{list}/segments", count=1000, type="static")["total_items"] == 12
    assert api.get("/{list}/segments", type="saved")["segments"] == []
    assert api.get("/{list}/segments", since_updated_at=NOW)["segments"] == []
    found = api.get("/{list}/tag-search", name="tag 1")
    assert ([t["name"] for t in found["tags"]], found["total_items"]) == (["Tag 1", "Tag 10", "Tag 11"], 3)


def test_members_are_added_and_removed_in_one_call(api):
    made = segment(api, "Loyal", "ada@post.example")
    path = f"/{{list}}/segments/{made['id']}"
    dee = api.member("dee@post.example")["last_changed"]
    done = api.call(
        "POST",
        path,
        {"members_to_add": ["dee@post.example", "ghost@post.example"], "members_to_remove": ["ada@post.example"]},
    ).json()
    assert (done["total_added"], done["total_removed"], done["error_count"]) == (1, 1, 0)
    assert done["members_added"][0]["email_address"] == "dee@post.example"
    assert dee < api.member("dee@post.example")["last_changed"] == NOW
    assert api.member("ada@post.example")["tags"] == []
    unchanged = api.call("POST", path, {"members_to_add": ["dee@post.example"], "members_to_remove": []}).json()
    assert (unchanged["total_added"], unchanged["members_added"]) == (0, [])


def test_membership_that_does_not_change_moves_nothing(api):
    made = segment(api, "Loyal", "cyd@new.example")
    api.sandbox.advance(api.sandbox.clock.date.replace(month=10, day=1))
    before = api.member("cyd@new.example")
    api.call("POST", f"/{{list}}/segments/{made['id']}", {"members_to_add": ["cyd@new.example"]})
    api.call("POST", f"/{{list}}/segments/{made['id']}", {"members_to_remove": ["ada@post.example"]})
    assert api.member("cyd@new.example") == before


def test_too_many_and_archived_addresses(api):
    made = segment(api, "Loyal")
    path = f"/{{list}}/segments/{made['id']}"
    many = [f"n{i}@more.example" for i in range(501)]
    assert api.problem("POST", path, {"members_to_add": many})["errors"][0]["field"] == "members_to_add"
    assert api.problem("POST", path, {"members_to_remove": many})["errors"][0]["field"] == "members_to_remove"
    assert api.problem("POST", path, {"members_to_add": "all"})["status"] == 400
    api.call("DELETE", "/{list}/members/ada@post.example")
    assert api.call("POST", path, {"members_to_add": ["ada@post.example"]}).json()["total_added"] == 0
    assert api.problem("POST", "/{list}/segments/1", {"members_to_add": []})["status"] == 404


def test_a_deleted_segment_is_taken_off_everyone(api):
    made = segment(api, "Loyal", "ada@post.example")
    assert api.call("DELETE", f"/{{list}}/segments/{made['id']}").status_code == 204
    assert api.member("ada@post.example")["tags"] == []
    assert api.get("/{list}/segments")["total_items"] == 0


def test_only_static_segments_are_kept(api):
    saved = {"name": "High", "options": {"match": "all", "conditions": []}}
    assert api.problem("POST", "/{list}/segments", saved)["errors"][0]["field"] == "static_segment"
