"""Writing records: what HubSpot takes, what it refuses, and what it passes over in silence."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.hubspot.errors import (
    InvalidValueError,
    bad_request,
    invalid_details,
    invalid_message,
    invalid_properties,
    not_found,
    refuse,
)
from sandbox.hubspot.portal import Portal
from sandbox.hubspot.records import Record, Values
from sandbox.hubspot.troubles import refuse_unnamed
from sandbox.hubspot.values import stored

_NOT_FOUND = "Could not get some {} objects, they may be deleted or not exist. Check that ids are valid."
_FIRST_NEW_ID = 900_000_000_001
_SOURCE = "INTEGRATION"


@dataclass
class Outcome:
    """What a batch call did: records with the names of the properties sent, and an entry for each failure."""

    written: list[tuple[Record, list[str]]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)


class Writer:
    """Creates, updates, merges and archives records; each change has an instant of its own."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._next_id = _FIRST_NEW_ID

    def update_batch(self, kind: str, rows: list[dict[str, Any]]) -> Outcome:
        """Update by record id. One bad value fails the whole batch unless every row has its own trace id."""
        self._refuse_other_keys(kind, rows)
        ids = [str(row.get("id", "")) for row in rows]
        twice = sorted({id_ for id_ in ids if ids.count(id_) > 1})
        if twice:
            message = f"Duplicate IDs found in batch input: [{', '.join(twice)}]. IDs must be unique"
            raise bad_request(message, context={"ids": twice})
        outcome, missing = Outcome(), []
        troubles = self._portal.troubles if kind == "contacts" else {}
        refuse_unnamed([troubles[id_] for id_ in ids if id_ in troubles])
        for row, (values, problems) in zip(rows, self._judged(kind, rows), strict=True):
            table, id_ = self._portal.tables[kind], str(row.get("id", ""))
            if trouble := troubles.get(id_):
                if trouble.how == "named":
                    outcome.errors.append(_row_error(row, trouble.problems, trouble.message))
            elif problems:
                outcome.errors.append(_row_error(row, problems))
            elif id_ in table.live:
                outcome.written.append((self._write(kind, table.live[id_], values), list(values)))
            elif id_ not in table.merged_into and "@" not in id_:
                missing.append(row)
        if missing:
            outcome.errors.append(_missing_error(kind, missing))
        outcome.written.sort(key=lambda pair: int(pair[0].id))
        return outcome

    def update(self, kind: str, record: Record, sent: dict[str, Any]) -> Record:
        """Update one record. Raises ApiError."""
        values, problems = self._judge(kind, sent, record)
        if problems:
            raise invalid_properties(problems)
        return self._write(kind, record, values)

    def create(self, kind: str, sent: dict[str, Any]) -> Record:
        """Add a record. Raises ApiError: 409 when the address is taken."""
        email = str(sent.get("email") or "").strip().lower()
        existing = self._portal.contact_by_email(email) if kind == "contacts" and email else None
        if existing is not None:
            raise refuse(409, f"Contact already exists. Existing ID: {existing.id}", "CONFLICT")
        values, problems = self._judge(kind, sent, None)
        if problems:
            raise invalid_properties(problems)
        id_, at = self._new_id(), self._portal.now()
        stamps = {"hs_object_id": id_, "createdate": at, "lastmodifieddate": at, "hs_lastmodifieddate": at}
        if kind == "deals":
            del stamps["lastmodifieddate"]
        record = Record(id_, at, {**values, **stamps})
        if kind == "contacts":
            self._portal.add_contact(record)
        else:
            self._portal.deals.add(record)
        return record

    def create_batch(self, kind: str, rows: list[dict[str, Any]]) -> Outcome:
        """Add records; the first taken address stops the batch unless every row has its own trace id."""
        outcome = Outcome()
        for row in rows:
            email = str(row.get("properties", {}).get("email") or "")
            existing = self._portal.contact_by_email(email) if kind == "contacts" and email else None
            if existing is not None and _traced(rows):
                context = {"objectWriteTraceId": [row["objectWriteTraceId"]], "existingId": [existing.id]}
                message = f"Contact already exists. Existing ID: {existing.id}"
                outcome.errors.append(
                    {"status": "error", "category": "CONFLICT", "message": message, "context": context}
                )
                continue
            outcome.written.append((self.create(kind, row.get("properties", {})), list(row.get("properties", {}))))
        return outcome

    def upsert_batch(self, rows: list[dict[str, Any]]) -> Outcome:
        """Update contacts by address, and create those that are not there."""
        if any(row.get("idProperty") != "email" for row in rows):
            raise bad_request("Unable to perform update/upsert: idProperty must name a unique property")
        outcome = Outcome()
        for row in rows:
            sent = row.get("properties", {})
            record = self._portal.contact_by_email(str(row.get("id", "")))
            if record is None:
                record = self.create("contacts", {"email": row.get("id"), **sent})
            else:
                record = self.update("contacts", record, sent)
            outcome.written.append((record, list(sent)))
        return outcome

    def archive(self, kind: str, record: Record) -> None:
        """Move a record to the recycle bin."""
        self._portal.tables[kind].archive(record, self._portal.now())
        if kind == "contacts":
            self._portal.forget(record)

    def purge(self, record: Record) -> None:
        """Delete a contact for good, as the GDPR demands."""
        self._portal.contacts.remove(record)
        self._portal.forget(record)

    def merge(self, primary_id: str, other_id: str) -> Record:
        """Merge two contacts. Raises ApiError when one is not there."""
        table = self._portal.contacts
        if primary_id not in table.live or other_id not in table.live or primary_id == other_id:
            raise not_found()
        primary = table.live[primary_id]
        self._portal.merge(primary, table.live[other_id], self._portal.now())
        if self._portal.quirks.merged_anew:
            self._portal.renumber(primary, self._new_id(), self._portal.now())
        return primary

    def _new_id(self) -> str:
        self._next_id += 1
        return str(self._next_id - 1)

    def _judged(self, kind: str, rows: list[dict[str, Any]]) -> list[tuple[Values, list[dict[str, Any]]]]:
        """Each row's values and problems. Raises ApiError for any problem when rows cannot be told apart."""
        table = self._portal.tables[kind]
        judged = [
            self._judge(kind, row.get("properties") or {}, table.live.get(str(row.get("id", "")))) for row in rows
        ]
        problems = [problem for _, found in judged for problem in found]
        if problems and not (_traced(rows) and self._portal.quirks.isolates):
            raise invalid_properties(problems)
        return judged

    def _judge(self, kind: str, sent: dict[str, Any], record: Record | None) -> tuple[Values, list[dict[str, Any]]]:
        """What would be stored, and what is wrong. A null changes nothing."""
        values: Values = {}
        problems = []
        for name, value in sent.items():
            definition = self._portal.properties[kind].get(name)
            try:
                if definition is None:
                    raise InvalidValueError("PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
                if value is not None:
                    values[name] = stored(definition, value, record.properties.get(name) if record else None)
                    self._refuse_taken_address(kind, name, values[name], record)
            except InvalidValueError as error:
                problems.append({"isValid": False, "message": str(error), "error": error.code, "name": name})
        return values, problems

    def _refuse_taken_address(self, kind: str, name: str, value: str | None, record: Record | None) -> None:
        if kind != "contacts" or name != "email" or value is None:
            return
        owner = self._portal.contact_by_email(value)
        if owner is not None and owner is not record:
            raise InvalidValueError("CONFLICTING_UNIQUE_VALUE", f"{value} belongs to contact {owner.id}")

    def _write(self, kind: str, record: Record, values: Values) -> Record:
        table = self._portal.tables[kind]
        if any(record.properties.get(name) != value for name, value in values.items()):
            table.change(record, values, self._portal.now(), _SOURCE)
            if kind == "contacts" and values.get("email"):
                self._portal.emails[str(values["email"])] = record.id
        return record

    def _refuse_other_keys(self, kind: str, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            key = row.get("idProperty")
            if key == "hs_object_id":
                raise bad_request("idProperty hs_object_id is not supported; leave it out to use the record id")
            if key:
                type_id = "0-1" if kind == "contacts" else "0-3"
                raise bad_request(f"Unable to perform update/upsert by non-unique {type_id} property {key}")


def _traced(rows: list[dict[str, Any]]) -> bool:
    """Whether every row carries a trace id of its own."""
    traces = [row.get("objectWriteTraceId") for row in rows]
    return all(traces) and len(set(traces)) == len(traces)


def _row_error(row: dict[str, Any], problems: list[dict[str, Any]], message: str = "") -> dict[str, Any]:
    return {
        "status": "error",
        "category": "VALIDATION_ERROR",
        "message": invalid_message(problems) if problems else message,
        "errors": invalid_details(problems),
        "context": {"objectWriteTraceId": [row["objectWriteTraceId"]]},
    }


def _missing_error(kind: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    context = {"ids": [str(row.get("id", "")) for row in rows]}
    traces = [row["objectWriteTraceId"] for row in rows if row.get("objectWriteTraceId")]
    if traces:
        context["objectWriteTraceId"] = traces
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": _NOT_FOUND.format(kind.removesuffix("s").upper()),
        "context": context,
    }
