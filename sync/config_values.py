"""The kinds of values a config file can hold beyond text and numbers: durations, hours of the day, cron lines, …"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_CRON_START = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Hours:
    """A daily window of local time, `start` included, `end` not; it may pass midnight."""

    start: time
    end: time

    def __contains__(self, moment: time) -> bool:
        if self.start < self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"


def duration_text(value: timedelta) -> str:
    """A duration as it is written in the file: `14d`, `36h`, `90m`."""
    minutes = int(value.total_seconds() // 60)
    if minutes % 1440 == 0:
        return f"{minutes // 1440}d"
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"


def _duration(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    found = re.fullmatch(r"(\d{1,4})\s*([mhdw])", value) if isinstance(value, str) else None
    if not found:
        raise ValueError('should be a duration such as "30d", "36h" or "90m"')
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _horizon(value: Any) -> Any:
    if value in (None, "auto"):
        return None
    days = _duration(value) / timedelta(days=1)
    if not days.is_integer() or not 1 <= days <= 730:
        raise ValueError('should be whole days from "1d" to "730d", or "auto"')
    return timedelta(days=days)


def _hours(value: Any) -> Any:
    if value in (None, "") or isinstance(value, Hours):
        return value or None
    try:
        start, end = (time.fromisoformat(part.strip()) for part in value.split("-"))
    except (ValueError, AttributeError):
        raise ValueError('should be hours such as "08:00-18:00", or "" for any time') from None
    if start == end or start.tzinfo or end.tzinfo:
        raise ValueError("start and end should be two different times of the day, without a zone")
    return Hours(start, end)


def _own_hours(value: Any) -> Any:
    return value if value == "same" else _hours(value)


def _cron(value: str) -> str:
    from cronsim import CronSim, CronSimError

    try:
        CronSim(value, _CRON_START)
    except CronSimError as error:
        raise ValueError(f'should be a cron line such as "15 6 * * *" ({error})') from None
    return value


def _own_cron(value: str) -> str:
    return value and _cron(value)


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zones = sorted(available_timezones())
        city = [zone for zone in zones if zone.rpartition("/")[2].lower() == value.strip().replace(" ", "_").lower()]
        near = city or get_close_matches(value, zones, n=1)
        hint = f" – did you mean {near[0]}?" if near else ""
        raise ValueError(f'should be a time zone such as "Europe/Berlin"{hint}') from None
    return value


def _share(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool) and 1 < value <= 100:
        raise ValueError(f"is a share, from 0 to 1; for {value:g} per cent write {value / 100:.2f}")
    return value


def _url(value: str) -> str:
    """Refuses plain http except to this very machine: the token travels with every call."""
    if not value:
        return value
    parts = urlsplit(value)
    local = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise ValueError("should start with https:// (http:// only for 127.0.0.1)")
    if not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("should be an address without login, query or fragment")
    return value.rstrip("/")


def _beside_file(value: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder")
    if value == Path():
        raise ValueError('name a folder of its own, such as "foretag-data"')
    value = value.expanduser()
    return folder / value if folder else value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Horizon = Annotated[timedelta | None, BeforeValidator(_horizon)]
"""Whole days; None is "auto"."""
DailyHours = Annotated[Hours | None, BeforeValidator(_hours)]
"""None is "": any time."""
OwnHours = Annotated[Hours | Literal["same"] | None, BeforeValidator(_own_hours)]
"""Hours, or "same": none of its own."""
Cron = Annotated[str, AfterValidator(_cron)]
OwnCron = Annotated[str, AfterValidator(_own_cron)]
"""A cron line, or "": none of its own."""
TimeZone = Annotated[str, AfterValidator(_zone)]
Share = Annotated[float, BeforeValidator(_share)]
Url = Annotated[str, AfterValidator(_url)]
Folder = Annotated[Path, AfterValidator(_beside_file)]
"""Relative paths count from the validation context's `folder`: where the config file is."""
