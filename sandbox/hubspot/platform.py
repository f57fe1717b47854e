"""The pretended HubSpot as the sandbox sees it."""

from datetime import datetime
from typing import Any

from flask import Blueprint

from sandbox.hubspot.limits import Limits
from sandbox.hubspot.list_routes import ListRoutes
from sandbox.hubspot.object_routes import ObjectRoutes
from sandbox.hubspot.other_routes import OtherRoutes
from sandbox.hubspot.portal import ALL_SCOPES, Portal
from sandbox.hubspot.property_routes import PropertyRoutes
from sandbox.hubspot.router import Router
from sandbox.hubspot.timeline import Timeline
from sandbox.hubspot.troubles import Trouble
from sandbox.hubspot.writes import Writer
from sandbox.people import World
from sandbox.platform import SandboxClock

TOKEN = "pat-na1-sandbox-00000000-0000-4000-8000-000000000000"  # noqa: S105 - opens nothing but the sandbox
_SHOWN = ("email", "hs_additional_emails", "lifecyclestage", "hs_email_optout", "num_associated_deals", "total_revenue")


class HubSpot:
    """A portal with the people of `world` who are on HubSpot.

    `limits.daily_limit`, `scopes` and `quirks` may be changed to see what happens when a day's calls are spent, a scope
    is missing, or the portal behaves in one of the ways that are known of some.
    """

    name = "hubspot"
    token = TOKEN

    def __init__(self, world: World, clock: SandboxClock) -> None:
        self.limits = Limits()
        self.scopes = set(ALL_SCOPES)
        self._clock = clock
        self._portal = Portal(clock)
        self.quirks = self._portal.quirks
        self._timeline = Timeline(world, self._portal)

    def advance(self, until: datetime) -> None:
        self._timeline.advance(until)

    def blueprint(self) -> Blueprint:
        router = Router(self.token, self.limits, self.scopes, lambda: self._clock.date.date())
        ObjectRoutes(self._portal, Writer(self._portal)).add(router)
        PropertyRoutes(self._portal).add(router)
        ListRoutes(self._portal).add(router)
        OtherRoutes(self._portal, self.limits, self._clock).add(router)
        return router.blueprint

    def snapshot(self) -> dict[str, Any]:
        """Contacts and deals (archived ones apart), definitions, groups and lists."""
        records = {
            kind: {id_: dict(record.properties) for id_, record in table.live.items()}
            for kind, table in self._portal.tables.items()
        }
        archived = {
            f"archived {kind}": {id_: dict(record.properties) for id_, record in table.archived.items()}
            for kind, table in self._portal.tables.items()
        }
        schema = {
            f"{kind} properties": {name: dict(each) for name, each in definitions.items()}
            for kind, definitions in self._portal.properties.items()
        }
        groups = {
            f"{kind} groups": {name: dict(each) for name, each in groups.items()}
            for kind, groups in self._portal.groups.items()
        }
        lists = {id_: {**each, "members": list(each["members"])} for id_, each in self._portal.lists.items()}
        return records | archived | schema | groups | {"lists": lists}

    def trouble(self, contact_id: str, trouble: Trouble | None) -> None:
        """Something stands in the way of updates of a contact from now on; None takes it away."""
        if trouble:
            self._portal.troubles[contact_id] = trouble
        else:
            self._portal.troubles.pop(contact_id, None)

    def find(self, email: str) -> list[dict[str, Any]]:
        """The contact with this address: name, address, some of HubSpot's properties and all custom ones."""
        record = self._portal.contact_by_email(email)
        if record is None:
            return []
        values = record.properties
        shown = {
            "Name": f"{values.get('firstname') or ''} {values.get('lastname') or ''}".strip(),
            "Record ID": record.id,
        }
        for name, definition in self._portal.properties["contacts"].items():
            wanted = name in _SHOWN or not definition.get("hubspotDefined")
            if wanted and values.get(name) is not None:
                shown[definition["label"]] = _readable(definition, str(values[name]))
        return [shown]


def _readable(definition: dict[str, Any], value: str) -> str:
    """A value with its options' labels in place of their internal names."""
    labels = {option["value"]: option["label"] for option in definition["options"]}
    return ", ".join(labels.get(part, part) for part in value.split(";")) if labels else value
