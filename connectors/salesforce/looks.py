"""What the streams of people find out first: rights and deletions, in one call for all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from connectors.salesforce.deletions import address
from connectors.salesforce.schema import Schema, describe_and_read

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce


@dataclass(frozen=True, slots=True)
class Look:
    """What the token may read of the objects, and the logs of deletions by object, as of one moment."""

    until: datetime
    schema: Schema
    logs: Mapping[str, Mapping[str, Any]]
    taken: set[str] = field(default_factory=set)


class Looks:
    """Looks at `objects` for one account. Streams that are pulled up to the same moment share one. Thread-safe."""

    def __init__(self, sf: "Salesforce", objects: Sequence[str]) -> None:
        self._sf = sf
        self._objects = objects
        self._last: Look | None = None
        self._lock = Lock()

    def take(self, object_: str, until: datetime) -> Look:
        """The look for the stream of `object_`; nobody takes the same one twice, so that it is never an old one."""
        with self._lock:  # the others wait for the answer instead of asking themselves
            last = self._last
            if last is None or last.until != until or object_ in last.taken:
                last = self._last = self._look(until)
            last.taken.add(object_)
            return last

    def forget(self) -> None:
        """Look again: our fields have been made or removed."""
        with self._lock:
            self._last = None

    def _look(self, until: datetime) -> Look:
        addresses = [address(self._sf, name, until) for name in self._objects]
        schema, logs = describe_and_read(self._sf, (*self._objects, "Individual"), *addresses)
        return Look(until, schema, dict(zip(self._objects, logs, strict=True)))
