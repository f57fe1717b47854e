"""What people do on Salesforce, past the connector."""

from typing import Any, ClassVar

from connectors.errors import NotAuthorised, NotPermitted, QuotaSpent
from connectors.records import Consent
from sandbox.salesforce import CLIENT_ID, CLIENT_SECRET
from sandbox.salesforce.ids import make_id
from sandbox.server import Sandbox

_DATA = "/services/data/v62.0"
_PEOPLE = ("Contact", "Lead")


class Hand:
    """An admin of the org, and its customers. Contacts and leads have their own objects; ids tell them apart."""

    kind, base = "salesforce", "/salesforce"
    options: ClassVar[dict[str, object]] = {}
    streams = ("contacts", "leads", "opportunities", "campaigns", "activities")
    merges = True
    stamps = ("LastModifiedDate", "LastModifiedById", "SystemModstamp")
    page_sizes = (
        "connectors.salesforce.client._PAGE",
        "sandbox.salesforce.queries.SMALLEST_PAGE",
    )
    consents: ClassVar = {"opted out": Consent.OPTED_OUT, "opted in": Consent.GRANTED, "hidden": Consent.UNKNOWN}
    sends = r"POST .*/(composite/batch|tooling/sobjects/CustomField|sobjects/<name>)|PATCH .*/composite/sobjects"
    causes: ClassVar = {
        "a right is missing": NotPermitted,
        "the day's calls are spent": QuotaSpent,
        "a wrong token": NotAuthorised,
    }
    renewing_token = f"{CLIENT_ID}:{CLIENT_SECRET}"
    rows = r"GET .*/query"
    roster = "campaign"
    nothing_written = (r"PATCH .*/composite/sobjects$", "[]")

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox, self._platform = sandbox, sandbox.platform("salesforce")
        self._org = self._platform.org

    def everybody(self) -> set[str]:
        return {id_ for name in _PEOPLE for id_ in self._org.records.tables[name]}

    def change(self, id_: str) -> None:
        self._set(id_, FirstName="Somebody")

    def tie(self) -> None:
        """A mass update: everybody changes at one moment."""
        now = self._org.now()
        for name in _PEOPLE:
            for record in self._org.records.tables[name].values():
                record["SystemModstamp"] = now

    def delete(self, id_: str) -> None:
        self._platform.delete(id_)

    vanish = delete

    def merge(self, loser: str, winner: str) -> None:
        self._platform.merge(loser, winner)

    def agree(self, id_: str, what: str) -> None:
        for name in _PEOPLE:
            self._org.schema.find(name).fields["HasOptedOutOfEmail"].open = what != "hidden"
        self._org.permissions.forget()
        self._set(id_, HasOptedOutOfEmail=what == "opted out")

    def gather(self, name: str, ids: list[str]) -> str:
        """Make a campaign of these people; its id."""
        records, now = self._org.records, self._org.now()
        made = {"IsDeleted": False, "CreatedDate": now, "SystemModstamp": now}
        campaign = make_id("701", 900_000 + len(records.tables["Campaign"]))
        records.add("Campaign", {**made, "Id": campaign, "Name": name})
        for id_ in ids:
            who = {"LeadId" if id_.startswith("00Q") else "ContactId": id_, "CampaignId": campaign}
            records.add(
                "CampaignMember",
                {
                    **made,
                    "Id": make_id("00v", 900_000_000 + len(records.tables["CampaignMember"])),
                    **who,
                    "HasResponded": False,
                },
            )
        return campaign

    def shut_rosters(self) -> None:
        """Nobody may look at members of campaigns any more."""
        self._platform.close("CampaignMember")

    def name_of(self, key: str) -> str:
        return {"buy_score": "FT_Buy_Score__c"}[key]

    def spoil(self, how: str) -> str:
        """Damage one of our fields; what the damage is to be called by."""
        fields = self._org.schema.find("Contact").fields
        told = "FT_Buy_Score__c"
        if how == "missing":
            del fields["FT_Buy_Score__c"]
        elif how == "retyped":
            fields["FT_Buy_Score__c"].type = "string"
        else:
            fields["FT_Tags__c"].restricted, fields["FT_Tags__c"].values = True, ("Big", "Soon")
            told = "Quiet"
        self._org.permissions.forget()
        return told

    def cause(self, what: str, stage: Any) -> Any:
        """A connector for which something is wrong."""
        if what == "a right is missing":
            for name in ("Email", "CreatedDate"):
                self._org.schema.find("Contact").fields[name].open = False
            self._org.permissions.forget()
        elif what == "the day's calls are spent":
            self._org.session.daily_quota = self._org.session.used
        return stage.connect("wrong" if what == "a wrong token" else None)

    def expire_token(self) -> None:
        self._platform.expire_token()

    def transport(self, connector: Any) -> Any:
        return connector._transports[0]

    def forbidden(self) -> dict[str, list[tuple[str, str, Any]]]:
        """Requests that must never leave, by what they would do."""
        contact, lead = "0035g0000000002AAA", "00Q5g0000000002AAA"

        def update(object_: str, id_: str, **values: Any) -> tuple[str, str, Any]:
            record = {"attributes": {"type": object_}, "id": id_, "FT_Buy_Score__c": 1.0, **values}
            return ("PATCH", f"{_DATA}/composite/sobjects", {"allOrNone": False, "records": [record]})

        return {
            "create a contact": [
                ("POST", f"{_DATA}/sobjects/Contact", {"LastName": "New"}),
                ("POST", f"{_DATA}/sobjects/Lead", {"LastName": "New", "Company": "New"}),
                ("POST", f"{_DATA}/composite/sobjects", {"records": []}),
                ("PATCH", f"{_DATA}/sobjects/Contact/FT_Key__c/1", {"LastName": "New"}),
            ],
            "remove a contact": [
                ("DELETE", f"{_DATA}/sobjects/Contact/{contact}", None),
                ("DELETE", f"{_DATA}/composite/sobjects?ids={contact}", None),
                ("POST", f"{_DATA}/jobs/ingest", {"object": "Contact", "operation": "delete"}),
            ],
            "change consent": [
                update("Contact", contact, HasOptedOutOfEmail=False),
                update("Lead", lead, HasOptedOutOfEmail=True),
            ],
            "hand somebody on": [
                update("Contact", contact, OwnerId="0055g0000000001AAA"),
                update("Lead", lead, Status="Closed"),
                update("Lead", lead, IsConverted=True),
            ],
            "write a field that is not ours": [
                update("Contact", contact, Email="b@post.example"),
                update("Account", "0015g0000000002AAA"),
                ("PATCH", f"{_DATA}/sobjects/Contact/{contact}", {"FirstName": "X"}),
            ],
            "delete a field": [
                ("DELETE", f"{_DATA}/tooling/sobjects/CustomField/00N000000000001AAA", None),
                ("DELETE", f"{_DATA}/sobjects/PermissionSet/0PS000000000001AAA", None),
            ],
            "touch lists of others": [
                ("POST", f"{_DATA}/sobjects/CampaignMember", {"ContactId": contact}),
                ("DELETE", f"{_DATA}/sobjects/CampaignMember/00v000000000001AAA", None),
                ("PATCH", f"{_DATA}/sobjects/Campaign/701000000000001AAA", {"Name": "X"}),
                ("POST", f"{_DATA}/jobs/ingest", {"object": "CampaignMember", "operation": "update"}),
            ],
        }

    def _set(self, id_: str, **values: Any) -> None:
        name = _PEOPLE[id_.startswith("00Q")]
        self._org.records.change(name, id_, {**values, "SystemModstamp": self._org.now()})
