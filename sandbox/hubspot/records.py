"""Contacts and deals of the portal: kept by id, listed in order of id, with the history of their values."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Values = dict[str, str | None]


@dataclass(slots=True)
class Record:
    """One contact or deal. `history` starts with a value's first change; before it there is only the present value."""

    id: str
    created: str
    properties: Values
    archived_at: str | None = None
    history: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


class Table:
    """All records of one object type. `stamp` is the property that tells when a record was last modified."""

    def __init__(self, kind: str, stamp: str) -> None:
        self.kind, self.stamp = kind, stamp
        self.live: dict[str, Record] = {}
        self.archived: dict[str, Record] = {}
        self.merged_into: dict[str, str] = {}
        self.version = 0
        """Grows with every change, so that a search knows whether its result still holds."""
        self._order: list[int] | None = None

    def add(self, record: Record) -> None:
        self.live[record.id] = record
        self._order = None
        self.version += 1

    def get(self, id_: str) -> Record | None:
        """The record with this id, or the one it was merged into."""
        return self.live.get(id_) or self.live.get(self.merged_into.get(id_, ""))

    def archive(self, record: Record, at: str) -> None:
        record.archived_at = at
        self.archived[record.id] = record
        self.remove(record)

    def remove(self, record: Record) -> None:
        del self.live[record.id]
        self._order = None
        self.version += 1

    def change(self, record: Record, values: Mapping[str, str | None], at: str, source: str, bump: bool = True) -> bool:
        """Set values; those that stay as they are leave no trace.

        `bump` moves the last-modified stamps; without it the value counts as calculated and has no past.
        """
        changed = {name: value for name, value in values.items() if record.properties.get(name) != value}
        if not changed:
            return False
        for name, value in changed.items():
            if bump:
                self._remember(record, name, value, at, source)
            else:
                record.history[name] = [_version(value, at, source)]
            record.properties[name] = value
        if bump:
            record.properties[self.stamp] = record.properties["hs_lastmodifieddate"] = at
        self.version += 1
        return True

    def page(self, after: str | None, limit: int, archived: bool) -> tuple[list[Record], str | None]:
        """`limit` records from id `after` on, and the id the next page starts with."""
        ids = sorted(map(int, self.archived)) if archived else self._ids()
        start = bisect_left(ids, int(after)) if after else 0
        source = self.archived if archived else self.live
        found = [source[str(id_)] for id_ in ids[start : start + limit]]
        return found, str(ids[start + limit]) if start + limit < len(ids) else None

    def _ids(self) -> list[int]:
        if self._order is None:
            self._order = sorted(map(int, self.live))
        return self._order

    def _remember(self, record: Record, name: str, value: str | None, at: str, source: str) -> None:
        versions = record.history.setdefault(name, [])
        if not versions and record.properties.get(name) is not None:
            versions.append(_version(record.properties[name], record.created, "CRM_UI"))
        versions.insert(0, _version(value, at, source))

    def rendered(self, record: Record, names: Iterable[str], history: Sequence[str] = ()) -> dict[str, Any]:
        """A record as the API shows it, with the properties in `names`."""
        values = record.properties
        shown: dict[str, Any] = {
            "id": record.id,
            "properties": {name: values.get(name) for name in names},
            "createdAt": record.created,
            "updatedAt": values[self.stamp],
            "archived": record.archived_at is not None,
        }
        if record.archived_at is not None:
            shown["archivedAt"] = record.archived_at
        if history:
            shown["propertiesWithHistory"] = {name: self._versions(record, name) for name in history}
        return shown

    def _versions(self, record: Record, name: str) -> list[dict[str, Any]]:
        """The values a property has had, newest first."""
        if name in record.history:
            return record.history[name]
        value = record.properties.get(name)
        return [] if value is None else [_version(value, record.created, "CRM_UI")]


def _version(value: str | None, at: str, source: str) -> dict[str, Any]:
    return {"value": value or "", "timestamp": at, "sourceType": source}
