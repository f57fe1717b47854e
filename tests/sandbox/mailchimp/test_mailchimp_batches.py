"""Asynchronous batches and the archive with their results."""

import io
import json
import tarfile
from datetime import UTC, datetime, timedelta

import pytest
import requests

from sandbox.server import Sandbox
from sandbox.world import small


def submit(api, *operations):
    answer = api.call("POST", "/batches", {"operations": list(operations)})
    assert answer.status_code == 200, answer.text
    return answer.json()


def finished(api, batch):
    for _ in range(3):
        batch = api.get(f"/batches/{batch['id']}")
        if batch["status"] == "finished":
            return batch
    raise AssertionError(batch)


def unpacked(url):
    answer = requests.get(url)
    assert answer.status_code == 200
    entries, kinds = [], []
    with tarfile.open(fileobj=io.BytesIO(answer.content), mode="r|gz") as archive:
        for item in archive:
            kinds.append("folder" if item.isdir() else "file" if item.size else "empty")
            if item.size:
                entries += json.load(archive.extractfile(item))
    return entries, kinds


def test_a_batch_is_pending_then_started_then_finished(api):
    batch = submit(api, {"method": "GET", "path": "/ping", "operation_id": "p"})
    assert (batch["status"], batch["response_body_url"], batch["total_operations"]) == ("pending", "", 1)
    assert api.get(f"/batches/{batch['id']}")["status"] == "started"
    done = api.get(f"/batches/{batch['id']}")
    assert (done["status"], done["finished_operations"], done["errored_operations"]) == ("finished", 1, 0)
    assert done["completed_at"]
    assert api.get("/batches")["total_items"] == 1


def test_the_result_has_text_answers_a_folder_and_an_empty_file(api):
    report = api.get("/campaigns")["campaigns"][0]["id"]
    batch = submit(
        api,
        {"method": "GET", "path": f"/reports/{report}/email-activity", "operation_id": report},
        {"method": "GET", "path": "/reports/none/email-activity"},
        {"method": "GET", "path": f"/reports/{report}", "params": {"fields": "id"}, "operation_id": "slim"},
    )
    done = finished(api, batch)
    entries, kinds = unpacked(done["response_body_url"])
    assert sorted(set(kinds)) == ["empty", "file", "folder"]
    assert [(e["operation_id"], e["status_code"]) for e in entries] == [(report, 200), (None, 404), ("slim", 200)]
    assert all(isinstance(e["response"], str) for e in entries)
    assert json.loads(entries[0]["response"])["total_items"] == 4
    assert json.loads(entries[2]["response"]) == {"id": report}
    assert done["errored_operations"] == 1


def test_an_operation_without_count_is_paged_into_several_entries():
    with Sandbox(small(300), datetime(2017, 12, 31, tzinfo=UTC), platforms=["mailchimp"]) as sandbox:
        base, auth = f"{sandbox.url}/mailchimp/3.0", ("x", sandbox.platform("mailchimp").token)
        total = requests.get(f"{base}/ecommerce/orders", auth=auth).json()["total_items"]
        operations = [
            {"method": "GET", "path": "/ecommerce/orders", "operation_id": "all"},
            {"method": "GET", "path": "/ecommerce/orders", "params": {"count": 7}, "operation_id": "seven"},
        ]
        sandbox.reset_calls()
        batch = requests.post(f"{base}/batches", json={"operations": operations}, auth=auth).json()
        for _ in range(2):
            batch = requests.get(f"{base}/batches/{batch['id']}", auth=auth).json()
        entries, _ = unpacked(batch["response_body_url"])
        assert ("mailchimp", "GET /3.0/ecommerce/orders") not in sandbox.calls()
    whole = [json.loads(e["response"]) for e in entries if e["operation_id"] == "all"]
    assert len(whole) == -(-total // 100) > 10
    assert len({order["id"] for page in whole for order in page["orders"]}) == total
    [seven] = [json.loads(e["response"]) for e in entries if e["operation_id"] == "seven"]
    assert len(seven["orders"]) == 7
    assert batch["total_operations"] == batch["finished_operations"] == len(entries)


def test_writes_are_carried_out_when_the_batch_finishes(api):
    ada = api.member("ada@post.example")["id"]
    body = json.dumps({"merge_fields": {"FNAME": "Adah"}})
    path = f"/lists/{api.list_id}/members/{ada}"
    batch = submit(api, {"method": "PATCH", "path": path, "body": body}, {"method": "DELETE", "path": path})
    assert api.member(ada)["merge_fields"]["FNAME"] == "Ada"
    entries, _ = unpacked(finished(api, batch)["response_body_url"])
    assert [e["status_code"] for e in entries] == [200, 204]
    member = api.member(ada)
    assert (member["merge_fields"]["FNAME"], member["status"]) == ("Adah", "archived")


def test_the_signed_address_wants_no_other_credentials_and_the_right_signature(api):
    done = finished(api, submit(api, {"method": "GET", "path": "/ping"}))
    url = done["response_body_url"]
    assert api.session.get(url).status_code == 400
    assert requests.get(url.split("?")[0]).status_code == 403
    assert requests.get(url[:-1] + "x").status_code == 403
    assert requests.get(url).headers["Content-Type"] == "application/x-gzip"
    api.sandbox.clock.set(api.sandbox.clock.date + timedelta(minutes=11))
    assert requests.get(url).status_code == 403  # too late; another look gives another address
    url = api.get(f"/batches/{done['id']}")["response_body_url"]
    assert requests.get(url).status_code == 200
    assert api.call("DELETE", f"/batches/{done['id']}").status_code == 204
    assert api.problem("GET", f"/batches/{done['id']}")["status"] == 404
    assert requests.get(url).status_code == 403


@pytest.mark.parametrize(
    "operations",
    [
        "all",
        [],
        [{"method": "FETCH", "path": "/ping"}],
        [{"method": "GET", "path": "ping"}],
        [{"method": "GET", "path": "/ping"}] * 1001,
    ],
)
def test_a_batch_that_makes_no_sense_is_refused(api, operations):
    assert api.problem("POST", "/batches", {"operations": operations})["title"] == "Invalid Resource"
