"""Faults that change what an answer holds, or keep it back."""

import json

import pytest
import requests
from werkzeug.wrappers import Response

from sandbox.faults import Fault, error_answer, with_rows

ROWS = [{"id": 1}, {"id": 2}]


def answer_of(data, kind="application/json"):
    return Response(json.dumps(data), content_type=kind)


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ({"results": ROWS, "total": 2}, {"results": ROWS[::-1], "total": 2}),
        (ROWS, ROWS[::-1]),
        ({"names": ["a", "b"], "results": []}, {"names": ["a", "b"], "results": []}),
    ],
)
def test_lists_of_records_are_changed_and_nothing_else(data, shown):
    assert json.loads(with_rows(answer_of(data), lambda rows: rows[::-1]).get_data()) == shown


def test_what_is_not_json_stays_as_it_is():
    page = answer_of(ROWS, "text/html")
    assert with_rows(page, lambda rows: []).get_data() == json.dumps(ROWS).encode()
    assert with_rows(Response("", content_type="application/json"), lambda rows: []).get_data() == b""


def test_a_body_of_ones_own_is_json():
    answer = error_answer(Fault("hubspot", ".", "status", status=200, body='{"results": []}'))
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert answer.get_data() == b'{"results": []}'


def test_over_http(small_sandbox):
    sandbox = small_sandbox
    url = f"{sandbox.url}/hubspot/crm/v3/objects/contacts?limit=3"
    headers = {"Authorization": f"Bearer {sandbox.platform('hubspot').token}"}

    def ids():
        return [row["id"] for row in requests.get(url, headers=headers, timeout=5).json()["results"]]

    plain = ids()
    sandbox.inject(Fault("hubspot", "contacts", "reverse"), Fault("hubspot", "contacts", "repeat"))
    assert ids() == plain[::-1]
    assert ids() == [plain[0], *plain]
    sandbox.inject(Fault("hubspot", "contacts", "silence", seconds=0.01))
    with pytest.raises(requests.ConnectionError):
        ids()
    assert ids() == plain
