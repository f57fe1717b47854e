"""Where a stream stands between two pages."""

import json
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a stream stands. `until` is None between two windows."""

    since: datetime | None = None
    """Between two windows: where the last one ended; inside one: where it began (None: at the beginning of time)."""
    until: datetime | None = None
    source: int = 0
    after: str = ""
    """The id of the last row seen of this source."""
    low: datetime | None = None
    """Where the present piece of the window begins for this source, when the whole took Salesforce too long."""
    high: datetime | None = None
    """Where that piece ends."""

    def text(self) -> str:
        """As `Page.cursor`."""
        since, until, low, high = (
            moment and moment.isoformat() for moment in (self.since, self.until, self.low, self.high)
        )
        return json.dumps([since, until, self.source, self.after, *([low, high] if low or high else [])])

    @classmethod
    def of(cls, text: str | None) -> "Cursor":
        """The cursor a page gave; the beginning for None."""
        if text is None:
            return cls()
        since, until, source, after, *piece = json.loads(text)
        low, high = map(_moment, piece or (None, None))
        return cls(_moment(since), _moment(until), source, after, low, high)


def _moment(text: str | None) -> datetime | None:
    return (text and datetime.fromisoformat(text)) or None
