"""What stands in the way of writing to single records: the org's own rules, its automation, other people's locks."""

from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.salesforce.errors import RowError


@dataclass
class Trouble:
    """Why a record cannot be updated.

    `times` updates fail, all of them for None. With `together` every record of the same collection fails with it, as
    when a trigger runs out of time.
    """

    code: str
    message: str
    times: int | None = None
    together: bool = False

    def error(self) -> RowError:
        return RowError(self.code, self.message)


class Troubles:
    """The troubles of one organisation, by record."""

    def __init__(self) -> None:
        self._of: dict[str, Trouble] = {}

    def add(self, record_id: str, trouble: Trouble) -> None:
        self._of[record_id[:15]] = trouble

    def mend(self, record_id: str) -> None:
        """Take the trouble of a record away."""
        self._of.pop(record_id[:15], None)

    def check(self, record_id: str) -> None:
        """Raise the RowError that stands in the way of an update, if any; counts it."""
        trouble = self._of.get(record_id[:15])
        if trouble is None or trouble.times == 0:
            return
        if trouble.times is not None:
            trouble.times -= 1
        raise trouble.error()

    def of_all(self, record_ids: Iterable[object]) -> Trouble | None:
        """The trouble that makes all of these records fail, when they are written together."""
        found = (self._of.get(str(record_id)[:15]) for record_id in record_ids)
        return next((each for each in found if each and each.together and each.times != 0), None)
