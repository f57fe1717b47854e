"""All records of the organisation, and how a group of changes is taken back."""

from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.salesforce.ids import make_id
from sandbox.salesforce.schema import ObjectType, Record, Schema

_FIRST_OF_OURS = 62**8
"""Numbers of records made through the API start here, far above those made from the world."""


class Records:
    """The tables. Every change goes through here, so that a transaction can be undone."""

    def __init__(self, schema: Schema) -> None:
        self.tables: dict[str, dict[str, Record]] = {each.name: {} for each in schema.objects}
        self._made = 0
        self._undo: list[tuple[dict[str, Record], str, Record | None]] | None = None

    def add(self, object_name: str, record: Record) -> Record:
        """Keep a new record; its Id must be set."""
        self._remember(object_name, record["Id"])
        self.tables[object_name][record["Id"]] = record
        return record

    def change(self, object_name: str, record_id: str, values: Record) -> Record:
        """Set the given fields of a record that exists."""
        self._remember(object_name, record_id)
        record = self.tables[object_name][record_id]
        record.update(values)
        return record

    def drop(self, object_name: str, record_id: str) -> None:
        """Take a record away for good."""
        self._remember(object_name, record_id)
        del self.tables[object_name][record_id]

    def new_id(self, object_type: ObjectType) -> str:
        self._made += 1
        return make_id(object_type.prefix, _FIRST_OF_OURS + self._made)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside happens, or nothing when it ends in an exception; they nest."""
        outer, self._undo = self._undo, []
        try:
            yield
        except BaseException:
            for table, record_id, before in reversed(self._undo):
                _restore(table, record_id, before)
            raise
        else:
            if outer is not None:
                outer.extend(self._undo)
        finally:
            self._undo = outer

    def _remember(self, object_name: str, record_id: str) -> None:
        if self._undo is not None:
            table = self.tables[object_name]
            before = table.get(record_id)
            self._undo.append((table, record_id, None if before is None else dict(before)))


def _restore(table: dict[str, Record], record_id: str, before: Record | None) -> None:
    """Put a record back as it was; in place, for a cursor may hold it."""
    if before is None:
        del table[record_id]
        return
    record = table.setdefault(record_id, {})
    record.clear()
    record.update(before)
