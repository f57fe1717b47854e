"""What people do on HubSpot, past the connector."""

from typing import Any, ClassVar

import requests

from connectors.errors import NotAuthorised, NotPermitted, QuotaSpent
from connectors.hubspot.sdk import versioned
from connectors.records import Consent
from sandbox.server import Sandbox

_CONTACTS = "/crm/v3/objects/contacts"


class Hand:
    """An admin of the portal, and its customers."""

    kind, base = "hubspot", "/hubspot"
    streams = ("contacts", "deals", "forms")
    merges = True
    stamps = ("lastmodifieddate", "hs_lastmodifieddate", "updatedAt")
    page_sizes = (
        "connectors.hubspot.walk.LIST_PAGE",
        "connectors.hubspot.changes.SEARCH_PAGE",
        "connectors.hubspot.forms._SUBMISSIONS_PAGE",
        "connectors.hubspot.lists.LISTS_PAGE",
        "connectors.hubspot.lists.MEMBERS_PAGE",
    )
    consents: ClassVar = {"opted out": Consent.OPTED_OUT, "opted in": Consent.GRANTED, "hidden": Consent.UNKNOWN}
    sends = r"POST /crm/.*/(search|batch/(read|update|create)|groups)|POST /crm/(v3/)?properties/.*"
    causes: ClassVar = {
        "a right is missing": NotPermitted,
        "the day's calls are spent": QuotaSpent,
        "a wrong token": NotAuthorised,
    }
    renewing_token = None
    rows = r"GET .*/objects/|/search$|/submissions/"
    roster = "list"
    nothing_written = (r"/batch/update$", '{"status": "COMPLETE", "results": []}')

    def __init__(self, sandbox: Sandbox, version: str = "v3") -> None:
        self.options = {"api_version": version}
        self._version = version
        self._sandbox, self._platform = sandbox, sandbox.platform("hubspot")
        self._portal = self._platform._portal

    def everybody(self) -> set[str]:
        return set(self._portal.contacts.live)

    def change(self, id_: str) -> None:
        self._set(id_, firstname="Somebody", lastname="Else")

    def tie(self) -> None:
        """A mass update: everybody changes at one moment."""
        now = self._portal.now()
        for record in list(self._portal.contacts.live.values()):
            self._portal.contacts.change(record, {"lastname": "Same"}, now, "CRM_UI")

    def delete(self, id_: str) -> None:
        self._call("DELETE", f"{_CONTACTS}/{id_}")

    vanish = delete

    def merge(self, loser: str, winner: str) -> None:
        self._call("POST", f"{_CONTACTS}/merge", {"primaryObjectId": winner, "objectIdToMerge": loser})

    def agree(self, id_: str, what: str) -> None:
        self._set(id_, hs_email_optout={"opted out": "true", "opted in": "false", "hidden": None}[what])

    def gather(self, name: str, ids: list[str]) -> str:
        """Make a list of these people; its id."""
        path = "/crm/v3/lists"
        made = self._call("POST", path, {"name": name, "objectTypeId": "0-1", "processingType": "MANUAL"})
        list_id = str(made["list"]["listId"])
        self._call("PUT", f"{path}/{list_id}/memberships/add", ids)
        return list_id

    def shut_rosters(self) -> None:
        """Nobody may look at lists any more."""
        self._platform.scopes -= {"crm.lists.read"}

    def name_of(self, key: str) -> str:
        return f"ft_{key}"

    def spoil(self, how: str) -> str:
        """Damage one of our fields; what the damage is to be called by."""
        live = self._portal.properties["contacts"]
        if how == "missing":
            del live["ft_buy_score"]
            return "ft_buy_score"
        if how == "retyped":
            live["ft_buy_score"] |= {"type": "string", "fieldType": "text"}
            return "ft_buy_score"
        options = live["ft_tags"]["options"]
        live["ft_tags"]["options"] = [option for option in options if option["value"] != "Quiet"]
        return "Quiet"

    def cause(self, what: str, stage: Any) -> Any:
        """A connector for which something is wrong."""
        if what == "a right is missing":
            self._platform.scopes -= {"crm.objects.contacts.read"}
        elif what == "the day's calls are spent":
            self._platform.limits.daily_limit = 0
        return stage.connect("pat-wrong" if what == "a wrong token" else None)

    def transport(self, connector: Any) -> Any:
        return connector._transport

    def forbidden(self) -> dict[str, list[tuple[str, str, Any]]]:
        """Requests that must never leave, by what they would do."""

        def update(**properties: str) -> tuple[str, str, Any]:
            return ("POST", f"{_CONTACTS}/batch/update", {"inputs": [{"id": "1", "properties": properties}]})

        acts = {
            "create a contact": [
                ("POST", _CONTACTS, {"properties": {"email": "new@post.example"}}),
                ("POST", f"{_CONTACTS}/batch/create", {"inputs": []}),
                ("POST", f"{_CONTACTS}/batch/upsert", {"inputs": []}),
            ],
            "remove a contact": [
                ("DELETE", f"{_CONTACTS}/1", None),
                ("POST", f"{_CONTACTS}/batch/archive", {"inputs": [{"id": "1"}]}),
                ("POST", f"{_CONTACTS}/gdpr-delete", {"objectId": "1"}),
                ("POST", f"{_CONTACTS}/merge", {"primaryObjectId": "1", "objectIdToMerge": "2"}),
            ],
            "change consent": [
                update(hs_email_optout="false"),
                ("POST", "/communication-preferences/v3/subscribe", {"emailAddress": "a@post.example"}),
            ],
            "hand somebody on": [update(hubspot_owner_id="7"), update(lifecyclestage="customer")],
            "write a field that is not ours": [
                update(email="b@post.example"),
                update(ft_buy_score="1", firstname="X"),
                ("PATCH", "/crm/v3/properties/contacts/lifecyclestage", {"options": []}),
            ],
            "delete a field": [
                ("DELETE", "/crm/v3/properties/contacts/ft_buy_score", None),
                ("DELETE", "/crm/v3/properties/contacts/firstname", None),
            ],
            "touch lists of others": [
                ("PUT", "/crm/v3/lists/1/memberships/add", ["1"]),
                ("PUT", "/crm/v3/lists/1/memberships/remove", ["1"]),
                ("PUT", "/crm/v3/lists/1/memberships/add-and-remove", {"recordIdsToAdd": ["1"]}),
                ("POST", "/crm/v3/lists/1/memberships", ["1"]),
                ("DELETE", "/crm/v3/lists/1/memberships", None),
                ("PUT", "/crm/v3/lists/1/update-list-name?listName=x", None),
                ("POST", "/crm/v3/lists/", {"name": "x", "objectTypeId": "0-1", "processingType": "MANUAL"}),
                ("POST", "/crm/v3/lists/search", {"name": "x"}),
                ("DELETE", "/crm/v3/lists/1", None),
            ],
        }
        return {
            act: [(method, versioned(path, self._version), body) for method, path, body in each]
            for act, each in acts.items()
        }

    def _set(self, id_: str, **values: str | None) -> None:
        contacts = self._portal.contacts
        contacts.change(contacts.live[id_], values, self._portal.now(), "CRM_UI")

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self._platform.token}"}
        answer = requests.request(method, f"{self._sandbox.url}/hubspot{path}", json=body, headers=headers, timeout=5)
        answer.raise_for_status()
        return answer.json() if answer.content else None
