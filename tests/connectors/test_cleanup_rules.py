"""What may be deleted: nothing by a connector that runs, only our own listed things by one that cleans up."""

from dataclasses import dataclass
from typing import Any

import pytest

from connectors.allowlist import AllowList, Rule
from connectors.errors import NotAllowed
from connectors.hubspot.rules import rules as hubspot_rules
from connectors.mailchimp.rules import rules as mailchimp_rules
from connectors.salesforce.rules import rules as salesforce_rules

HUB = "/crm/v3/properties/contacts"
DATA = "/services/data/v62.0"


@dataclass
class Case:
    """One platform: how its rules are made, what it tells when it is asked for its things, and what to delete."""

    make: Any
    removable: list[str]
    answers: list[tuple[str, Any]]
    """(Name of the rule the answer belongs to, the answer)."""
    ours: list[str]
    foreign: list[str]

    def rules(self, *, cleanup: bool, listed: bool = True) -> AllowList:
        made = list(self.make(self.removable) if cleanup else self.make())
        for name, answer in self.answers if listed else ():
            learn(made, name, answer)
        return AllowList(made)


def learn(made: list[Rule], name: str, answer: Any) -> None:
    (rule,) = [rule for rule in made if rule.name == name]
    if rule.learn:
        rule.learn(answer)


def record(kind: str, id_: str, **values: object) -> dict[str, Any]:
    return {"attributes": {"type": kind}, "Id": id_, **values}


def custom_field(id_: str, name: str, object_: str = "Contact", namespace: str | None = None) -> dict[str, Any]:
    return record("CustomField", id_, DeveloperName=name, TableEnumOrId=object_, NamespacePrefix=namespace)


CASES = {
    "hubspot": Case(
        lambda *removable: hubspot_rules("ft_", "v3", *removable),
        ["ft_segment", "ft_tags", "ft_moved"],
        [
            (
                "properties list",
                {
                    "results": [
                        {"name": "ft_segment", "groupName": "foretag"},
                        {"name": "ft_tags", "groupName": "foretag"},
                        {"name": "ft_moved", "groupName": "contactinformation"},
                        {"name": "ft_size", "groupName": "foretag"},
                        {"name": "email", "groupName": "contactinformation"},
                    ]
                },
            ),
            ("properties list", {"results": [{"name": "ft_old", "groupName": "foretag", "archived": True}]}),
        ],
        [f"{HUB}/ft_segment", f"{HUB}/ft_tags"],
        [
            "/crm/v3/objects/contacts/7",
            "/crm/v3/objects/contacts/ft_segment",
            "/crm/v3/objects/deals/7",
            "/crm/v3/lists/7",
            HUB,
            f"{HUB}/email",
            f"{HUB}/ft_size",
            f"{HUB}/ft_moved",
            f"{HUB}/ft_unlisted",
            f"{HUB}/FT_SEGMENT",
            f"{HUB}/ft_segment/x",
            "/crm/v3/properties/deals/ft_segment",
            f"{HUB}/groups/foretag",  # there are properties in it
            f"{HUB}/groups/contactinformation",
        ],
    ),
    "mailchimp": Case(
        lambda *removable: mailchimp_rules("ft_", [], *removable),
        ["FT_SEGMENT", "FT_BUY"],
        [
            (
                "merge fields",
                {
                    "list_id": "a1",
                    "merge_fields": [
                        {"merge_id": 1, "tag": "FNAME"},
                        {"merge_id": 5, "tag": "FT_SEGMENT"},
                        {"merge_id": 6, "tag": "FT_BUY"},
                        {"merge_id": 7, "tag": "FT_SIZE"},
                    ],
                },
            ),
            (
                "tags",
                {
                    "segments": [
                        {"id": 11, "list_id": "a1", "name": "FT: Loyal", "type": "static"},
                        {"id": 12, "list_id": "a1", "name": "FTP customers", "type": "static"},
                        {"id": 13, "list_id": "a1", "name": "FT: Loyal", "type": "saved"},
                    ]
                },
            ),
        ],
        ["/lists/a1/merge-fields/5", "/lists/a1/merge-fields/6", "/lists/a1/segments/11"],
        [
            "/lists/a1/members/1a2b",
            "/lists/a1/members/1a2b/tags",
            "/lists/a1",
            "/lists/a1/merge-fields/1",
            "/lists/a1/merge-fields/7",
            "/lists/a1/merge-fields/8",
            "/lists/b2/merge-fields/5",
            "/lists/a1/segments/12",
            "/lists/a1/segments/13",
            "/lists/a1/segments/14",
            "/lists/b2/segments/11",
            "/batches/b1",
            "/ecommerce/stores/s/orders/1",
        ],
    ),
    "salesforce": Case(
        lambda *removable: salesforce_rules("62.0", "ft_", *removable),
        ["Contact.FT_Segment__c", "Lead.FT_Segment__c"],
        [
            (
                "fields there are",
                {
                    "records": [
                        custom_field("00N1", "FT_Segment"),
                        custom_field("00N2", "FT_Segment", "Lead"),
                        custom_field("00N3", "FT_Segment", "Account"),
                        custom_field("00N4", "FT_Size"),
                        custom_field("00N5", "FT_Segment", namespace="acme"),
                        {"attributes": {"type": "CustomField"}, "DeveloperName": "FT_Segment"},
                    ]
                },
            ),
            (
                "query",
                {
                    "records": [
                        record("PermissionSet", "0PS1", Name="foretag", Label="foretag fields"),
                        record("PermissionSet", "0PS2", Name="foretag", Label="The right to use the API"),
                        record("PermissionSet", "0PS3", Name="sales", Label="foretag fields"),
                        record("PermissionSetAssignment", "0Pa1", PermissionSetId="0PS1"),
                        record("PermissionSetAssignment", "0Pa2", PermissionSetId="0PS2"),
                        record("Contact", "0031", Name="foretag", Label="foretag fields"),
                    ]
                },
            ),
        ],
        [
            f"{DATA}/tooling/sobjects/CustomField/00N1",
            f"{DATA}/tooling/sobjects/CustomField/00N2",
            f"{DATA}/sobjects/PermissionSetAssignment/0Pa1",
            f"{DATA}/sobjects/PermissionSet/0PS1",
        ],
        [
            f"{DATA}/sobjects/Contact/0031",
            f"{DATA}/sobjects/Lead/00Q1",
            f"{DATA}/composite/sobjects",
            f"{DATA}/sobjects/PermissionSet/0Pa1",
            f"{DATA}/sobjects/PermissionSet/0PS2",
            f"{DATA}/sobjects/PermissionSet/0PS3",
            f"{DATA}/sobjects/PermissionSetAssignment/0Pa2",
            f"{DATA}/sobjects/FieldPermissions/01k1",
            f"{DATA}/tooling/sobjects/CustomField/00N3",
            f"{DATA}/tooling/sobjects/CustomField/00N4",
            f"{DATA}/tooling/sobjects/CustomField/00N5",
            f"{DATA}/tooling/sobjects/CustomField/00N9",
        ],
    ),
}


def send(allow: AllowList, path: str) -> None:
    allow.rule_for("DELETE", path, {}, None)


@pytest.mark.parametrize(
    ("platform", "path"), [(name, path) for name, case in CASES.items() for path in case.ours + case.foreign]
)
def test_a_connector_that_runs_deletes_nothing_at_all(platform, path):
    with pytest.raises(NotAllowed, match="never sends this kind of request"):
        send(CASES[platform].rules(cleanup=False), path)


@pytest.mark.parametrize(("platform", "path"), [(name, path) for name, case in CASES.items() for path in case.ours])
def test_a_cleanup_deletes_what_the_platform_listed_as_ours_and_not_before(platform, path):
    send(CASES[platform].rules(cleanup=True), path)
    with pytest.raises(NotAllowed):
        send(CASES[platform].rules(cleanup=True, listed=False), path)


@pytest.mark.parametrize(("platform", "path"), [(name, path) for name, case in CASES.items() for path in case.foreign])
def test_a_cleanup_deletes_nothing_else(platform, path):
    with pytest.raises(NotAllowed):
        send(CASES[platform].rules(cleanup=True), path)


@pytest.mark.parametrize("platform", CASES)
def test_a_delete_has_no_body(platform):
    case = CASES[platform]
    with pytest.raises(NotAllowed, match="body"):
        case.rules(cleanup=True).rule_for("DELETE", case.ours[0], {}, '{"ids": ["7"]}')


def test_the_property_group_goes_only_when_hubspot_lists_nothing_in_it():
    made = list(hubspot_rules("ft_", "v3", ["ft_segment"]))
    group = f"{HUB}/groups/foretag"
    with pytest.raises(NotAllowed, match="not known to be empty"):
        send(AllowList(made), group)
    learn(made, "properties list", {"results": []})
    with pytest.raises(NotAllowed):  # an empty list is that of the bin
        send(AllowList(made), group)
    learn(made, "properties list", {"results": [{"name": "email", "groupName": "contactinformation"}]})
    send(AllowList(made), group)
    with pytest.raises(NotAllowed):
        send(AllowList(made), f"{HUB}/groups/contactinformation")
