"""The pretended Salesforce as the sandbox server sees it."""

from datetime import datetime
from typing import Any

from flask import Blueprint

from sandbox.people import World
from sandbox.platform import SandboxClock
from sandbox.salesforce.history import History
from sandbox.salesforce.incidents import delete_record, merge_contacts, purge_record
from sandbox.salesforce.org import Options, Org
from sandbox.salesforce.schema import Record
from sandbox.salesforce.tooling_catalogue import definition
from sandbox.salesforce.troubles import Trouble
from sandbox.salesforce.web import make_blueprint

_PEOPLE = ("Contact", "Lead")


class Salesforce:
    """One organisation filled from the world. See `Options` for what can be set."""

    name = "salesforce"

    def __init__(self, world: World, clock: SandboxClock, options: Options | None = None) -> None:
        self.org = Org(clock, options or Options())
        self._history = History(world, self.org)

    @property
    def token(self) -> str:
        """The access token accepted at present."""
        return self.org.session.token

    def advance(self, until: datetime) -> None:
        """Apply everything that happens in the world up to and including `until`; what was written stays."""
        self._history.advance(until)

    def blueprint(self) -> Blueprint:
        """The HTTP routes, to be mounted below `/salesforce`."""
        return make_blueprint(self.org)

    def snapshot(self) -> dict[str, Any]:
        """Every record with every field, hidden ones and custom ones too, and every field's definition."""
        found: dict[str, Any] = {
            each.name: {
                record_id: {name: record.get(name) for name in each.fields}
                for record_id, record in self.org.records.tables[each.name].items()
            }
            for each in self.org.schema.objects
        }
        found["FieldDefinition"] = {
            f"{each.name}.{field.name}": {**definition(each, field), "Values": list(field.values)}
            for each in self.org.schema.objects
            for field in each.fields.values()
        }
        return found

    def find(self, email: str) -> list[dict[str, Any]]:
        """Contacts and leads with this address (any case): label → value of every field shown to people."""
        wanted = email.strip().lower()
        return [
            self._shown(name, record)
            for name in _PEOPLE
            for record in self.org.records.tables[name].values()
            if not record["IsDeleted"] and (record.get("Email") or "").strip().lower() == wanted
        ]

    def delete(self, record_id: str) -> None:
        """Someone deletes a record by hand; KeyError when there is none."""
        delete_record(self.org, record_id)

    def purge(self, record_id: str) -> None:
        """Someone deletes a record and empties the recycle bin; KeyError when there is none."""
        purge_record(self.org, record_id)

    def merge(self, loser: str, winner: str) -> None:
        """Someone merges two contacts by hand: `loser` goes to the recycle bin; KeyError when there is none."""
        merge_contacts(self.org, loser, winner)

    def close(self, object_name: str) -> None:
        """The client's user loses every right to an object."""
        self.org.closed.add(object_name)

    def trouble(self, record_id: str, trouble: Trouble | None) -> None:
        """Something stands in the way of updates of a record from now on; None takes it away."""
        if trouble:
            self.org.troubles.add(record_id, trouble)
        else:
            self.org.troubles.mend(record_id)

    def expire_token(self) -> None:
        """End the client's session: the next request is answered 401."""
        self.org.session.expire()

    def _shown(self, object_name: str, record: Record) -> dict[str, Any]:
        fields = self.org.visible(self.org.object_type(object_name)).values()
        values = {each.label: record[each.name] for each in fields if record.get(each.name) is not None}
        return {"Object": object_name, **values}
