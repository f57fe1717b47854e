"""Writes over REST: collections of up to 200 records, and single records."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

from sandbox.salesforce.api import Call, Reply, Route
from sandbox.salesforce.errors import RequestError, RowError, not_found, unknown_type, unparsable
from sandbox.salesforce.ids import full_id
from sandbox.salesforce.org import Org
from sandbox.salesforce.schema import ObjectType, Record
from sandbox.salesforce.values import WrongTypeError, read_value
from sandbox.salesforce.writes import Values, create, delete, existing, named_fields, update

MOST_RECORDS = 200
_MOST_RUNS = 10
"""Runs of records of one object that a collection may hold."""
Row = Callable[[], str]
"""Writes one row and returns the record's id; raises RowError."""


class _RolledBackError(Exception):
    """One row failed and all were to succeed or none."""

    def __init__(self, place: int, results: list[Record]) -> None:
        self.place, self.results = place, results


def assigns(call: Call) -> bool:
    """Assignment rules run unless the client says no."""
    return call.header("Sforce-Auto-Assign").lower() != "false"


def read_values(org: Org, object_type: ObjectType, payload: Record) -> Values:
    """The fields of a JSON record with values as records hold them; RequestError at a name or kind that is wrong."""
    given = {name: value for name, value in payload.items() if name.lower() not in ("id", "attributes")}
    fields = named_fields(org, object_type, list(given))
    try:
        return [(field, read_value(field, value)) for field, value in zip(fields, given.values(), strict=True)]
    except WrongTypeError as error:
        raise unparsable(str(error)) from None


def _objects_of(org: Org, body: Record) -> list[tuple[ObjectType, Record]]:
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
        raise unparsable("records is not a list of objects")
    _refuse_too_many(len(records))
    found = []
    for record in records:
        name = str((record.get("attributes") or {}).get("type", ""))
        object_type = org.find(name)
        if object_type is None:
            raise unknown_type(name)
        found.append((object_type, record))
    runs = 1 + sum(one[0] is not other[0] for one, other in pairwise(found))
    if runs > _MOST_RUNS:
        message = f"Operations may have at most {_MOST_RUNS} chunks of records of one type; these are {runs}"
        raise RequestError(400, "LIMIT_EXCEEDED", message)
    return found


def _refuse_too_many(count: int) -> None:
    if count > MOST_RECORDS:
        message = f"record limit reached. cannot submit more than {MOST_RECORDS} records in this operation"
        raise RequestError(400, "EXCEEDED_ID_LIMIT", message)


def _all(org: Org, rows: list[Row], all_or_none: bool) -> Reply:
    try:
        with org.records.transaction():
            results = [_one(row) for row in rows]
            failed = [place for place, result in enumerate(results) if not result["success"]]
            if all_or_none and failed:
                raise _RolledBackError(failed[0], results)
    except _RolledBackError as error:
        org.permissions.forget()
        message = "Record rolled back because not all records were valid and the request was using AllOrNone header"
        rolled_back = _failure(RowError("ALL_OR_NONE_OPERATION_ROLLED_BACK", message))
        results = [rolled_back if result["success"] else result for result in error.results]
    return Reply(200, results)


def _one(row: Row) -> Record:
    try:
        return {"id": row(), "success": True, "errors": []}
    except RowError as error:
        return _failure(error)


def _failure(error: RowError) -> Record:
    return {"success": False, "errors": [error.body()]}


def _write_collection(call: Call) -> Reply:
    org, body = call.org, call.json()
    now, assign = org.now(), assigns(call)
    rows: list[Row] = []
    seen: set[str] = set()
    for object_type, record in _objects_of(org, body):
        values = read_values(org, object_type, record)
        if call.method == "POST":
            rows.append(partial(create, org, object_type, values, now, assign=assign))
        else:
            key = next((record[name] for name in record if name.lower() == "id"), None)
            twice = key is not None and str(key)[:15] in seen
            seen.add(str(key)[:15])
            write = partial(update, org, object_type, key, values, now, assign=assign)
            rows.append(partial(refuse_twice, key) if twice else write)
    spoiler = org.troubles.of_all(seen)
    if spoiler:
        return Reply(200, [_failure(spoiler.error())] * len(rows))
    return _all(org, rows, body.get("allOrNone") is True)


def refuse_twice(raw_id: object) -> str:
    """What is said of a record that came before in the same batch."""
    raise RowError("DUPLICATE_VALUE", f"duplicate id specified: {raw_id}", "Id")


def _delete_collection(call: Call) -> Reply:
    org, now = call.org, call.org.now()
    ids = [each for each in call.params.get("ids", "").split(",") if each]
    _refuse_too_many(len(ids))

    def row(raw_id: str) -> Row:
        def run() -> str:
            object_type = org.schema.of_id(raw_id)
            if object_type is None:
                raise RowError("MALFORMED_ID", f"malformed id {raw_id}")
            return delete(org, object_type, raw_id, now)

        return run

    return _all(org, [row(each) for each in ids], call.params.get("allOrNone", "").lower() == "true")


def _object(org: Org, name: str) -> ObjectType:
    object_type = org.find(name)
    if object_type is None:
        raise not_found()
    return object_type


def _retrieve(call: Call, name: str) -> Reply:
    object_type = _object(call.org, name)
    body = call.json() if call.method == "POST" else {}
    ids = body.get("ids") or call.params.get("ids", "").split(",")
    names = body.get("fields") or call.params.get("fields", "").split(",")
    fields = named_fields(call.org, object_type, names)
    table = call.org.records.tables[object_type.name]
    found = [table.get(full_id(str(each)) or "") for each in ids]
    url = f"{call.base}/sobjects/{object_type.name}"

    def shown(record: Record) -> Record:
        attributes = {"type": object_type.name, "url": f"{url}/{record['Id']}"}
        return {"attributes": attributes, "Id": record["Id"], **{each.name: record.get(each.name) for each in fields}}

    return Reply(200, [shown(each) if each and not each.get("IsDeleted") else None for each in found])


def _get(call: Call, name: str, record_id: str) -> Reply:
    object_type = _object(call.org, name)
    names = call.params.get("fields")
    fields = named_fields(call.org, object_type, names.split(",")) if names else call.org.visible(object_type).values()
    try:
        record = existing(call.org, object_type, record_id)
    except RowError:
        raise not_found() from None
    url = f"{call.base}/sobjects/{object_type.name}/{record['Id']}"
    attributes = {"type": object_type.name, "url": url}
    return Reply(200, {"attributes": attributes, **{each.name: record.get(each.name) for each in fields}})


def _post(call: Call, name: str) -> Reply:
    object_type, org = _object(call.org, name), call.org
    values = read_values(org, object_type, call.json())
    return Reply(201, _single(lambda: create(org, object_type, values, org.now(), assign=assigns(call))))


def _patch(call: Call, name: str, record_id: str) -> Reply:
    object_type, org = _object(call.org, name), call.org
    values = read_values(org, object_type, call.json())
    _single(lambda: update(org, object_type, record_id, values, org.now(), assign=assigns(call)))
    return Reply(204, None)


def _delete(call: Call, name: str, record_id: str) -> Reply:
    object_type, org = _object(call.org, name), call.org
    _single(lambda: delete(org, object_type, record_id, org.now()))
    return Reply(204, None)


def _single(row: Row) -> dict[str, Any]:
    try:
        return {"id": row(), "success": True, "errors": []}
    except RowError as error:
        raise error.as_request() from None


ROUTES: list[Route] = [
    ("POST", "composite/sobjects", _write_collection),
    ("PATCH", "composite/sobjects", _write_collection),
    ("DELETE", "composite/sobjects", _delete_collection),
    ("GET", "composite/sobjects/<name>", _retrieve),
    ("POST", "composite/sobjects/<name>", _retrieve),
    ("POST", "sobjects/<name>", _post),
    ("GET", "sobjects/<name>/<record_id>", _get),
    ("PATCH", "sobjects/<name>/<record_id>", _patch),
    ("DELETE", "sobjects/<name>/<record_id>", _delete),
]
