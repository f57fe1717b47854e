"""After a run nothing on the platforms differs but what is foretag's own."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
import requests

from benchmarks import records
from sandbox.server import Sandbox

pytestmark = pytest.mark.slow  # models are trained, twice

# Every route a run may call. A route that is not here is a change of what foretag does to other people's systems.
ROUTES = {
    "hubspot": """
        GET /crm/v3/objects/contacts
        GET /crm/v3/objects/deals
        GET /crm/v3/properties/contacts
        GET /crm/v3/properties/contacts/groups
        GET /form-integrations/v1/submissions/forms/<guid>
        GET /marketing/v3/forms/
        POST /crm/v3/objects/contacts/search
        POST /crm/v3/objects/deals/search
        POST /crm/v4/associations/deals/contacts/batch/read
        POST /crm/v3/objects/contacts/batch/read
        POST /crm/v3/objects/contacts/batch/update
        POST /crm/v3/properties/contacts/batch/create
        POST /crm/v3/properties/contacts/groups
    """,
    "mailchimp": """
        GET /3.0/lists
        GET /3.0/lists/4f2a9c17be/members
        GET /3.0/lists/4f2a9c17be/members/<key>
        GET /3.0/lists/4f2a9c17be/merge-fields
        GET /3.0/lists/4f2a9c17be/segments
        GET /3.0/reports
        GET /3.0/ecommerce/stores
        GET /3.0/ecommerce/stores/cornershop/orders
        POST /3.0/batches
        GET /3.0/batches/<batch_id>
        GET /batch-results/<batch_id>-response.tar.gz
        POST /3.0/lists/4f2a9c17be
        POST /3.0/lists/4f2a9c17be/merge-fields
        POST /3.0/lists/4f2a9c17be/segments
        POST /3.0/lists/4f2a9c17be/segments/<int:segment_id>
    """,
    "salesforce": """
        GET /services/data/v<version>/query
        GET /services/data/v<version>/query/<locator>
        GET /services/data/v<version>/queryAll
        GET /services/data/v<version>/tooling/query
        GET /services/oauth2/userinfo
        POST /services/data/v<version>/composite/batch
        POST /services/data/v<version>/composite/sobjects/<name>
        POST /services/data/v<version>/tooling/sobjects/CustomField
        POST /services/data/v<version>/sobjects/<name>
        PATCH /services/data/v<version>/composite/sobjects
        POST /services/data/v<version>/composite
    """,
}
SOMEONE = {"hubspot": "contacts", "mailchimp": "members", "salesforce": "Contact"}


@dataclass
class Looked:
    """The records before and after one run, the calls it made, and how many contacts it wrote."""

    at: datetime
    before: dict[str, Any]
    after: dict[str, Any]
    calls: dict[tuple[str, str], int]
    written: dict[str, int]


@pytest.fixture(scope="module")
def runs(small_world, tmp_path_factory, install_in, loops) -> Iterator[dict[str, Looked]]:
    """The first run of all, which sets the fields up, and one a month later. Some members have tags of the shop."""
    with Sandbox(small_world, loops.date, limits=False) as sandbox:
        show_opt_outs(sandbox)
        tag_some(sandbox)
        loop = install_in(sandbox, tmp_path_factory.mktemp("harmless"), loops.models, "")
        looked = {}
        for name in ("first", "a month later"):
            before = sandbox.snapshot()
            outcome = loop.run()
            assert outcome.verdict == "ok"
            written = {each.account: each.written for each in outcome.applied}
            looked[name] = Looked(loop.now, before, sandbox.snapshot(), sandbox.calls(), written)
            sandbox.advance(loops.date.replace(month=10, day=31))
        yield looked


def show_opt_outs(sandbox: Sandbox) -> None:
    """Let the token see the box Email Opt Out, which Salesforce hides at first: what it hides, nobody can respect."""
    org = sandbox.platform("salesforce").org
    for name in ("Contact", "Lead"):
        org.object_type(name).fields["HasOptedOutOfEmail"].open = True
    org.permissions.forget()


def tag_some(sandbox: Sandbox) -> None:
    platform = sandbox.platform("mailchimp")
    emails = [row["email_address"] for row in platform.snapshot()["members"].values() if row["status"] == "subscribed"]
    answer = requests.post(
        f"{sandbox.url}/mailchimp/3.0/lists/4f2a9c17be/segments",
        json={"name": "FTP customers", "static_segment": emails[:20]},
        auth=("", platform.token),
        timeout=10,
    )
    assert answer.json()["member_count"] == 20


@pytest.fixture(params=["first", "a month later"])
def looked(request, runs) -> Looked:
    return runs[request.param]


def differences(before: dict[str, Any], after: dict[str, Any]) -> set[records.Place]:
    return records.differences(records.values_of(before), records.values_of(after))


def test_only_what_is_ours_differs(looked):
    assert records.foreign(records.values_of(looked.before), records.values_of(looked.after)) == set()


def test_something_was_written_everywhere(looked):
    """Else the other tests would say nothing."""
    touched = {place[:3] for place in differences(looked.before, looked.after)}
    for platform, written in looked.written.items():
        assert written > 50
        assert sum(place[0] == platform for place in touched) >= written


def test_nobody_is_created_and_nobody_is_lost(looked):
    for platform, kinds in looked.before.items():
        for kind in ("contacts", "archived contacts", "deals", "members", "orders", "Contact", "Lead", "Opportunity"):
            assert set(looked.after[platform].get(kind, ())) == set(kinds.get(kind, ()))


def test_no_status_and_no_owner_changes(looked):
    def state(snapshot):
        members = {id_: row["status"] for id_, row in snapshot["mailchimp"]["members"].items()}
        leads = {id_: (row["OwnerId"], row["Status"]) for id_, row in snapshot["salesforce"]["Lead"].items()}
        stages = {id_: row.get("lifecyclestage") for id_, row in snapshot["hubspot"]["contacts"].items()}
        return members, leads, stages

    assert state(looked.after) == state(looked.before)
    assert all(state(looked.before))


def test_only_tags_of_our_own_are_put_on_and_taken_off(looked):
    tagged = 0
    for id_, member in looked.before["mailchimp"]["members"].items():
        old, new = (set(row["tags"]) for row in (member, looked.after["mailchimp"]["members"][id_]))
        tagged += "FTP customers" in new
        assert all(name.startswith("FT: ") for name in old ^ new)
    assert tagged == 20
    known, there = (snapshot["mailchimp"]["segments"] for snapshot in (looked.before, looked.after))
    assert there
    assert all(segment["name"].startswith("FT: ") for id_, segment in there.items() if id_ not in known)


def test_who_opted_out_anywhere_gets_nothing_and_loses_what_was_ours(looked, loops, small_world):
    touched = differences(looked.before, looked.after)
    after = loops.values_of(looked.after)
    gone = {
        (email or "").strip().lower()
        for person in small_world.people
        if any(at <= looked.at for at in person.opted_out.values())
        for email in (*person.emails.values(), *(person.moved or ())[1:])
    }
    assert len(gone) > 5
    for platform, kind in SOMEONE.items():
        field = {"hubspot": "email", "mailchimp": "email_address", "salesforce": "Email"}[platform]
        theirs = {i for i, row in looked.before[platform][kind].items() if str(row.get(field)).strip().lower() in gone}
        assert theirs
        for place in touched:
            if (
                place[0] == platform
                and place[2] in theirs
                and not re.search(r"odified|last_changed|Modstamp", place[3])
            ):
                value = after.get(place)
                assert not value or (place[3] == "tags" and not any("FT:" in tag for tag in value))


def test_the_control_group_is_marked_the_same_on_every_platform(runs):
    after = runs["first"].after
    marks: dict[str, set[bool]] = {}
    for row in after["hubspot"]["contacts"].values():
        if row.get("ft_control_group"):
            marked = row["ft_control_group"] == "true"
            assert marked == ("Control" in row["ft_tags"].split(";"))
            marks.setdefault(row["email"].strip().lower(), set()).add(marked)
    for row in after["mailchimp"]["members"].values():
        if row["merge_fields"]["FT_CONTROL"]:
            marked = row["merge_fields"]["FT_CONTROL"] == "Yes"
            assert marked == ("FT: Control" in row["tags"])
            marks.setdefault(row["email_address"].strip().lower(), set()).add(marked)
    for row in (*after["salesforce"]["Contact"].values(), *after["salesforce"]["Lead"].values()):
        if row["FT_Segment__c"]:
            assert row["FT_Control_Group__c"] == ("Control" in row["FT_Tags__c"].split(";"))
            marks.setdefault((row["Email"] or row["Id"]).strip().lower(), set()).add(row["FT_Control_Group__c"])
    assert all(len(mark) == 1 for mark in marks.values())
    share = sum(True in mark for mark in marks.values()) / len(marks)
    assert 0.03 < share < 0.2


def test_no_request_left_that_is_not_on_the_list(looked):
    known = {(platform, route.strip()) for platform, text in ROUTES.items() for route in text.strip().splitlines()}
    assert looked.calls.keys() <= known
