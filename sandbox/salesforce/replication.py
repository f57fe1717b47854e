"""Which records of an object changed or went between two instants: ids only, from a log of its own."""

from datetime import datetime, timedelta

from sandbox.salesforce.api import Call, Reply, Route
from sandbox.salesforce.errors import RequestError, not_found
from sandbox.salesforce.org import Org
from sandbox.salesforce.schema import ObjectType
from sandbox.salesforce.stamps import read_instant, stamp

_UPDATED_REACH, _DELETED_REACH = timedelta(days=30), timedelta(days=15)


def _window(call: Call, name: str, reach: timedelta) -> tuple[ObjectType, str, str]:
    """The object and the stamps asked for, whole minutes apart; INVALID_REPLICATION_DATE for a window out of reach."""
    org = call.org
    object_type = org.find(name)
    if object_type is None:
        raise not_found()
    start, end = (_instant(call, each) for each in ("start", "end"))
    if org.clock.date - start > reach:
        raise RequestError(400, "INVALID_REPLICATION_DATE", f"startDate before org replication enabled date or {reach}")
    if end - start <= timedelta(minutes=1):
        raise RequestError(400, "INVALID_REPLICATION_DATE", "startDate must precede endDate by more than one minute")
    return object_type, stamp(start), stamp(end)


def _instant(call: Call, name: str) -> datetime:
    text = call.params.get(name, "")
    try:
        return read_instant(text)
    except ValueError:
        raise RequestError(400, "INVALID_REPLICATION_DATE", f"Could not parse {name}: {text}") from None


def _deleted(call: Call, name: str) -> Reply:
    object_type, start, end = _window(call, name, _DELETED_REACH)
    gone = _gone(call.org, object_type)
    return Reply(
        200,
        {
            "deletedRecords": [{"id": id_, "deletedDate": at} for id_, at in gone if start <= at <= end],
            "earliestDateAvailable": stamp(call.org.clock.date - _DELETED_REACH),
            "latestDateCovered": end,
        },
    )


def _gone(org: Org, object_type: ObjectType) -> list[tuple[str, str]]:
    binned = [
        (row["Id"], row["SystemModstamp"])
        for row in org.records.tables[object_type.name].values()
        if row.get("IsDeleted")
    ]
    return binned + [(id_, at) for id_, at in org.purged if id_.startswith(object_type.prefix)]


def _updated(call: Call, name: str) -> Reply:
    object_type, start, end = _window(call, name, _UPDATED_REACH)
    rows = call.org.rows(object_type, everything=False)
    ids = [row["Id"] for row in rows if start <= row["SystemModstamp"] <= end]
    return Reply(200, {"ids": ids, "latestDateCovered": end})


ROUTES: list[Route] = [
    ("GET", "sobjects/<name>/deleted", _deleted),
    ("GET", "sobjects/<name>/updated", _updated),
]
