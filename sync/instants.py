"""Instants as whole microseconds since 1970 in UTC: the form in which they are stored and computed with."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400_000_000
"""Microseconds in a day."""


def micros(at: datetime) -> int:
    """`at` (any zone) as microseconds; ValueError for a naive one."""
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no time zone")
    return (at - EPOCH) // timedelta(microseconds=1)


def instant(at: int) -> datetime:
    """The inverse of `micros`, in UTC."""
    return EPOCH + timedelta(microseconds=at)
