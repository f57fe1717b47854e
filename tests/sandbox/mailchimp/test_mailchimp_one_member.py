"""POST, PUT, PATCH and DELETE of one member, and its tags."""

NOW = "2017-09-30T09:00:00+00:00"


def put(api, key, body, **params):
    answer = api.call("PUT", f"/{{list}}/members/{key}", body, **params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_put_updates_what_is_sent(api):
    member = put(api, "ada@post.example", {"merge_fields": {"FNAME": "Adah"}, "vip": True, "language": "sv"})
    assert (member["merge_fields"]["FNAME"], member["vip"], member["language"]) == ("Adah", True, "sv")
    assert member["merge_fields"]["LNAME"] == "Åberg"
    assert (member["status"], member["last_changed"]) == ("subscribed", NOW)
    assert member == api.member("ada@post.example")


def test_put_creates_with_status_if_new_and_ignores_it_for_a_known_member(api):
    created = put(api, "f@post.example", {"email_address": "f@post.example", "status_if_new": "subscribed"})
    assert (created["status"], created["timestamp_opt"]) == ("subscribed", NOW)
    assert put(api, "ben@post.example", {"status_if_new": "subscribed"})["status"] == "unsubscribed"
    nothing = api.problem("PUT", "/{list}/members/g@post.example", {"email_address": "g@post.example"})
    assert nothing["errors"][0]["field"] == "status"


def test_put_to_an_unknown_hash_with_a_known_address_is_refused(api):
    body = {"email_address": "ada@post.example", "status_if_new": "subscribed"}
    problem = api.problem("PUT", f"/{{list}}/members/{'0' * 32}", body)
    assert (problem["status"], problem["title"]) == (400, "Member Exists")
    assert "type" not in problem


def test_a_changed_address_changes_the_hash_but_not_the_contact_id(api):
    before = api.member("ada@post.example")
    after = put(api, before["id"], {"email_address": "ada@home.example"})
    assert after["id"] != before["id"]
    assert after["contact_id"] == before["contact_id"]
    api.problem("GET", f"/{{list}}/members/{before['id']}")
    taken = api.problem("PUT", f"/{{list}}/members/{after['id']}", {"email_address": "dee@post.example"})
    assert taken["title"] == "Member Exists"


def test_patch_needs_a_known_member_and_keeps_people_out_who_left(api):
    assert api.problem("PATCH", "/{list}/members/nobody@post.example", {"vip": True})["status"] == 404
    left = api.problem("PATCH", "/{list}/members/ben@post.example", {"status": "subscribed"})
    assert left["title"] == "Member In Compliance State"
    pending = api.call("PATCH", "/{list}/members/ben@post.example", {"status": "pending"})
    assert pending.json()["status"] == "pending"
    merge = api.problem("PATCH", "/{list}/members/ada@post.example", {"merge_fields": {"FNAME": ["x"]}})
    assert (merge["detail"], merge["errors"][0]["field"]) == ("Your merge fields were invalid.", "FNAME")


def test_post_creates_with_tags_and_revives_the_archived(api):
    body = {"email_address": "new@post.example", "status": "subscribed", "tags": ["Fresh"]}
    created = api.call("POST", "/{list}/members", body).json()
    assert [tag["name"] for tag in created["tags"]] == ["Fresh"]
    assert api.problem("POST", "/{list}/members", body)["title"] == "Member Exists"
    api.call("DELETE", "/{list}/members/new@post.example")
    revived = api.call("POST", "/{list}/members", body)
    assert revived.json()["contact_id"] == created["contact_id"]
    assert revived.json()["status"] == "subscribed"
    assert api.problem("POST", "/{list}/members", {"email_address": "x@post.example"})["errors"][0]["field"] == "status"


def test_delete_archives_and_refuses_a_second_time(api):
    assert api.call("DELETE", "/{list}/members/ada@post.example").content == b""
    again = api.call("DELETE", "/{list}/members/ada@post.example")
    assert (again.status_code, again.headers["Allow"]) == (405, "GET, PUT")
    assert again.json()["title"] == "Method Not Allowed"


def test_a_permanently_deleted_address_cannot_come_back(api):
    assert api.call("POST", "/{list}/members/ada@post.example/actions/delete-permanent").status_code == 204
    assert api.problem("GET", "/{list}/members/ada@post.example")["status"] == 404
    body = {"email_address": "ada@post.example", "status": "pending"}
    assert api.problem("POST", "/{list}/members", body)["title"] == "Forgotten Email Not Subscribed"
    assert "permanently deleted" in api.batch(body)["errors"][0]["error"]


def test_member_tags_are_created_added_and_taken_off(api):
    def change(*tags, key="ada@post.example"):
        body = {"tags": [{"name": name, "status": status} for name, status in tags], "is_syncing": True}
        return api.call("POST", f"/{{list}}/members/{key}/tags", body)

    before = api.member("ada@post.example")
    assert change().status_code == 204
    assert change(("Unknown", "inactive")).status_code == 204
    assert api.member("ada@post.example") == before
    assert change(("Loyal", "active"), ("New", "active")).status_code == 204
    tagged = api.member("ada@post.example")
    assert ([t["name"] for t in tagged["tags"]], tagged["tags_count"]) == (["Loyal", "New"], 2)
    assert tagged["last_changed"] == NOW
    assert change(("loyal", "active"), ("NEW", "inactive")).status_code == 204
    assert [t["name"] for t in api.member("ada@post.example")["tags"]] == ["Loyal"]
    listed = api.get("/{list}/members/ada@post.example/tags")
    assert [(t["name"], t["date_added"]) for t in listed["tags"]] == [("Loyal", NOW)]
    assert change(("Loyal", "active"), key="nobody@post.example").status_code == 404
    assert change(("Loyal", "on")).status_code == 400
    assert change(("", "active")).status_code == 400


def test_a_member_shows_fifty_tags_at_most(api):
    tags = [{"name": f"T{i}", "status": "active"} for i in range(60)]
    api.call("POST", "/{list}/members/ada@post.example/tags", {"tags": tags})
    member = api.member("ada@post.example")
    assert (len(member["tags"]), member["tags_count"]) == (50, 60)
    assert api.get("/{list}/members/ada@post.example/tags", count=100)["total_items"] == 60
