"""A field of ours that somebody deleted comes back with its values, also on contacts about whom nothing is new."""

from datetime import timedelta
from typing import Any

import pytest
import requests

LIST = "/mailchimp/3.0/lists/4f2a9c17be"
pytestmark = pytest.mark.slow


def call(loop: Any, method: str, path: str) -> Any:
    token = loop.sandbox.platform(path.split("/")[1]).token
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.request(method, loop.sandbox.url + path, headers=headers, timeout=10)
    assert answer.ok, answer.text
    return answer.json() if answer.content else None


def delete_on_hubspot(loop: Any) -> None:
    call(loop, "DELETE", "/hubspot/crm/v3/properties/contacts/ft_segment")


def delete_on_mailchimp(loop: Any) -> None:
    fields = call(loop, "GET", f"{LIST}/merge-fields?count=100")["merge_fields"]
    (ours,) = (each["merge_id"] for each in fields if each["tag"] == "FT_SEGMENT")
    call(loop, "DELETE", f"{LIST}/merge-fields/{ours}")


def segments(loop: Any) -> dict[tuple[str, str], str]:
    """What our field holds, by platform and record; empty ones left out."""
    there = loop.sandbox.snapshot()
    found = {("hubspot", id_): row.get("ft_segment") for id_, row in there["hubspot"]["contacts"].items()}
    for id_, row in there["mailchimp"]["members"].items():
        found["mailchimp", id_] = row["merge_fields"].get("FT_SEGMENT")
    return {place: value for place, value in found.items() if value}


@pytest.mark.parametrize("delete", [delete_on_hubspot, delete_on_mailchimp])
def test_a_field_that_was_deleted_comes_back_with_its_values(tiny, delete):
    for _ in range(2):  # the second reads what the first wrote
        tiny.run()
        tiny.sandbox.advance(tiny.now + timedelta(hours=1))
    before = segments(tiny)
    delete(tiny)
    assert len(segments(tiny)) < len(before)
    tiny.sandbox.advance(tiny.now + timedelta(days=6))  # who moves meanwhile shows that the field is gone
    refused = tiny.run()
    assert (refused.verdict, tiny.writes()) == ("refused", {})
    (why,) = refused.objections
    assert "somebody changed fields or tags of ours" in why
    made = [each for outcome in tiny.run(accept_large_change=True).applied for each in outcome.created]
    assert len(made) == 1
    tiny.sandbox.advance(tiny.now + timedelta(hours=1))
    assert tiny.run().verdict == "ok"
    assert segments(tiny).keys() == before.keys()
    tiny.run()
    assert tiny.writes() == {}
