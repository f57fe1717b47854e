"""The calls on contacts and deals: list, read, search, batches, and those that create, merge or delete."""

from typing import Any

from flask import Response, jsonify, request

from sandbox.hubspot.errors import bad_request, refuse
from sandbox.hubspot.portal import ALIASES, PORTAL_ID, TYPE_IDS, Portal, unknown_kind
from sandbox.hubspot.records import Record
from sandbox.hubspot.router import Router, batch_answer, body, inputs, next_page, objects, page_limit
from sandbox.hubspot.search import Search
from sandbox.hubspot.writes import Outcome, Writer

PAGE, HISTORY_PAGE, BATCH, INLINE_PAGE = 100, 50, 100, 100
_OTHERS = "companies tickets products line_items quotes calls emails meetings notes tasks communications postal_mail"
OTHER_KINDS = frozenset(_OTHERS.split())
"""Types that a portal has and this one holds no records of."""
_ALWAYS = {
    "contacts": ("createdate", "hs_object_id", "lastmodifieddate"),
    "deals": ("createdate", "hs_object_id", "hs_lastmodifieddate"),
}
_DEFAULT = {
    "contacts": ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
    "deals": (
        "amount",
        "closedate",
        "createdate",
        "dealname",
        "dealstage",
        "hs_lastmodifieddate",
        "hs_object_id",
        "pipeline",
    ),
}


class ObjectRoutes:
    """The views; `add` mounts them for every name an object type has."""

    def __init__(self, portal: Portal, writer: Writer) -> None:
        self._portal, self._writer = portal, writer
        self._searches = {
            kind: Search(portal.tables[kind], portal.properties[kind], portal.indexed_until) for kind in portal.tables
        }

    def add(self, router: Router) -> None:
        for kind, names in ALIASES.items():
            read, write = f"crm.objects.{kind}.read", f"crm.objects.{kind}.write"
            for name in (names[0], names[2]):
                router.add("GET", objects(name), self.page, read, kind=kind)
                router.add("POST", objects(f"{name}/search"), self.search, read, "search", kind=kind)
                router.add("POST", objects(f"{name}/batch/read"), self.read_batch, read, kind=kind)
                router.add("POST", objects(f"{name}/batch/update"), self.update_batch, write, kind=kind)
                router.add("POST", objects(f"{name}/batch/create"), self.create_batch, write, kind=kind)
                router.add("POST", objects(f"{name}/batch/archive"), self.archive_batch, write, kind=kind)
                router.add("POST", objects(name), self.create, write, kind=kind)
                router.add("GET", objects(f"{name}/<id_>"), self.read, read, kind=kind)
                router.add("PATCH", objects(f"{name}/<id_>"), self.update, write, kind=kind)
                router.add("DELETE", objects(f"{name}/<id_>"), self.archive, write, kind=kind)
        write = "crm.objects.contacts.write"
        router.add("POST", objects("contacts/batch/upsert"), self.upsert_batch, write)
        router.add("POST", objects("contacts/merge"), self.merge, write)
        router.add("POST", objects("contacts/gdpr-delete"), self.purge, write)
        router.add("GET", objects("<kind>"), self.unknown, "oauth")
        router.add("POST", objects("<kind>/search"), self.unknown, "oauth")

    def page(self, kind: str) -> Response:
        history = self._known(kind, _names("propertiesWithHistory"))
        limit = page_limit(HISTORY_PAGE if history else PAGE)
        after = request.args.get("after")
        if after is not None and not after.isdigit():
            raise bad_request(f"Invalid paging cursor: {after}")
        archived = request.args.get("archived", "false").lower() == "true"
        records, following = self._portal.tables[kind].page(after, limit, archived)
        names, associations = self._wanted(kind, _names("properties")), _names("associations")
        rows = [
            self._portal.tables[kind].rendered(record, names, history) | self._inline(kind, record, associations)
            for record in records
        ]
        return jsonify({"results": rows, **next_page(following)})

    def search(self, kind: str) -> Response:
        query = body()
        total, records, following = self._searches[kind].page(query)
        names = self._wanted(kind, query.get("properties") or [])
        rows = [self._portal.tables[kind].rendered(record, names) for record in records]
        return jsonify({"total": total, "results": rows, **next_page(following)})

    def read(self, kind: str, id_: str) -> Response:
        record = self._one(kind, id_)
        history = self._known(kind, _names("propertiesWithHistory"))
        shown = self._portal.tables[kind].rendered(record, self._wanted(kind, _names("properties")), history)
        return jsonify(shown | self._inline(kind, record, _names("associations")))

    def read_batch(self, kind: str) -> tuple[Response, int]:
        started, query, table = self._portal.now(), body(), self._portal.tables[kind]
        history = self._known(kind, query.get("propertiesWithHistory") or [])
        rows = inputs(HISTORY_PAGE if history else BATCH)
        names = self._wanted(kind, query.get("properties") or [])
        found: dict[str, Record] = {}
        missing = []
        for row in rows:
            id_ = str(row.get("id", ""))
            record = self._portal.contact_by_email(id_) if query.get("idProperty") == "email" else table.get(id_)
            if record is None:
                missing.append(id_)
            else:
                found[record.id] = record
        shown = [table.rendered(record, names, history) for record in found.values()]
        message = f"Could not get some {kind.removesuffix('s').upper()} objects, they may be deleted or not exist."
        error = {"status": "error", "category": "OBJECT_NOT_FOUND", "message": message, "context": {"ids": missing}}
        return batch_answer(shown, [error] if missing else [], started, self._portal.now())

    def update_batch(self, kind: str) -> tuple[Response, int]:
        started = self._portal.now()
        return self._outcome(kind, self._writer.update_batch(kind, inputs(BATCH)), started)

    def create_batch(self, kind: str) -> tuple[Response, int]:
        started = self._portal.now()
        return self._outcome(kind, self._writer.create_batch(kind, inputs(BATCH)), started, 201)

    def upsert_batch(self) -> tuple[Response, int]:
        started = self._portal.now()
        return self._outcome("contacts", self._writer.upsert_batch(inputs(BATCH)), started)

    def archive_batch(self, kind: str) -> tuple[str, int]:
        for row in inputs(BATCH):
            record = self._portal.tables[kind].live.get(str(row.get("id", "")))
            if record is not None:
                self._writer.archive(kind, record)
        return "", 204

    def create(self, kind: str) -> tuple[Response, int]:
        sent = body().get("properties") or {}
        record = self._writer.create(kind, sent)
        return jsonify(self._written(kind, record, list(sent))), 201

    def update(self, kind: str, id_: str) -> Response:
        sent = body().get("properties") or {}
        record = self._writer.update(kind, self._one(kind, id_), sent)
        return jsonify(self._written(kind, record, list(sent)))

    def archive(self, kind: str, id_: str) -> tuple[str, int]:
        record = self._portal.tables[kind].live.get(id_)
        if record is not None:
            self._writer.archive(kind, record)
        return "", 204

    def merge(self) -> Response:
        sent = body()
        record = self._writer.merge(str(sent.get("primaryObjectId")), str(sent.get("objectIdToMerge")))
        return jsonify(self._written("contacts", record, []))

    def purge(self) -> tuple[str, int]:
        sent = body()
        id_ = str(sent.get("objectId", ""))
        by_email = sent.get("idProperty") == "email"
        record = self._portal.contact_by_email(id_) if by_email else self._portal.contacts.get(id_)
        if record is not None:
            self._writer.purge(record)
        return "", 204

    def unknown(self, kind: str) -> Response:
        raise unknown_kind(kind)

    def _one(self, kind: str, id_: str) -> Record:
        """The record of the path, by id or by address. Raises ApiError (404)."""
        key = request.args.get("idProperty")
        record = self._portal.contact_by_email(id_) if key == "email" else self._portal.tables[kind].get(id_)
        if record is None:
            raise refuse(404, f"No {kind.removesuffix('s')} found with ID {id_}", "OBJECT_NOT_FOUND")
        return record

    def _known(self, kind: str, names: list[str]) -> list[str]:
        return [name for name in names if name in self._portal.properties[kind]]

    def _wanted(self, kind: str, names: list[str]) -> list[str]:
        """The properties to show: those asked for that exist and those always shown, or the default ones."""
        return list(dict.fromkeys([*self._known(kind, names), *_ALWAYS[kind]])) if names else list(_DEFAULT[kind])

    def _inline(self, kind: str, record: Record, wanted: list[str]) -> dict[str, Any]:
        """Associated ids inside a record: the first hundred, with a cursor when there are more."""
        shown: dict[str, Any] = {}
        for other in wanted:
            if other not in OTHER_KINDS and all(other not in names for names in ALIASES.values()):
                raise unknown_kind(other)
            ids = self._portal.associated(kind, other, record.id)
            label = f"{kind.removesuffix('s')}_to_{other.removesuffix('s')}"
            if ids:
                rows = [{"id": id_, "type": label} for id_ in ids[:INLINE_PAGE]]
                shown[other] = {"results": rows, **next_page(ids[INLINE_PAGE] if len(ids) > INLINE_PAGE else None)}
        return {"associations": shown} if shown else {}

    def _written(self, kind: str, record: Record, names: list[str]) -> dict[str, Any]:
        """A record as answered to a write."""
        names = sorted({*self._known(kind, names), *_ALWAYS[kind]})
        url = f"https://app.hubspot.com/contacts/{PORTAL_ID}/record/{TYPE_IDS[kind]}/{record.id}"
        return {**self._portal.tables[kind].rendered(record, names), "url": url}

    def _outcome(self, kind: str, outcome: Outcome, started: str, complete: int = 200) -> tuple[Response, int]:
        rows = [self._written(kind, record, names) for record, names in outcome.written]
        return batch_answer(rows, outcome.errors, started, self._portal.now(), complete)


def _names(parameter: str) -> list[str]:
    """A list in the query: repeated, comma-separated, or both."""
    return [name for part in request.args.getlist(parameter) for name in part.split(",") if name]
