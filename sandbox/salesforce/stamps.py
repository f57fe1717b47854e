"""Instants as Salesforce writes them. Stored as text of one width, so that text order is order in time."""

from datetime import UTC, date, datetime


def stamp(at: datetime) -> str:
    """`at` as REST shows it; Salesforce keeps whole seconds, so two changes may share a stamp."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000+0000"


def exact_stamp(at: datetime) -> str:
    """`at` with its milliseconds: what a query compares stored stamps with."""
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}+0000"


def read_instant(text: str) -> datetime:
    """A date-time with an offset; ValueError when it is none."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"a date-time without an offset: {text}")
    return at


def read_date(text: str) -> str:
    """The stored form of a date (`YYYY-MM-DD`); ValueError when it is none."""
    if len(text) != len("2017-01-31"):
        raise ValueError(f"not a date: {text}")
    return date.fromisoformat(text).isoformat()


def for_csv(text: str) -> str:
    """A stored stamp as bulk results show it."""
    return text.removesuffix("+0000") + "Z"
