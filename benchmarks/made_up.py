"""An invented shop of any size, from a seed: who ordered, was mailed, clicked and answered over two years."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from scoring.tables import DAY, Floats, Ints

AS_OF = 1_767_225_600_000_000
"""2026-01-01, µs UTC: everything lies before it."""
DAYS = 730
_CAMPAIGNS = 24


def shop(contacts: int, seed: int, folder: Path) -> int:
    """Write `activities.parquet` and `people.parquet` as `scoring.tables` wants them; how many activities there are.

    About ten a contact. People buy at a pace of their own and stop at a moment of their own (gamma and exponential, as
    in Pareto/NBD); who has bought lately clicks and answers more.
    """
    rng = np.random.default_rng(seed)
    person = np.arange(contacts, dtype=np.int64)
    joined = DAYS * rng.random(contacts) ** 0.8
    stays = rng.exponential(1 / rng.gamma(1.2, 1 / 400, contacts))
    leaves = np.minimum(joined + stays, DAYS)
    pace = rng.gamma(0.7, 1 / 60, contacts)
    taste = rng.lognormal(8.2, 0.6, contacts)

    many = rng.poisson(pace * (leaves - joined))
    who = np.repeat(person, many)
    day = joined[who] + rng.random(who.size) * (leaves - joined)[who]
    orders = (who, day, np.maximum(rng.normal(1, 0.3, who.size), 0.05) * taste[who])

    start = np.linspace(20, DAYS - 5, _CAMPAIGNS)
    mailed = rng.beta(1.2, 1.2, contacts)
    sends = [person[(joined < at) & (rng.random(contacts) < mailed)] for at in start]
    to = np.concatenate(sends)
    at = np.repeat(start, [each.size for each in sends]) + 0.2 * rng.random(to.size)
    campaign = np.repeat(np.arange(_CAMPAIGNS), [each.size for each in sends])
    keen = 0.02 + 0.25 * (leaves[to] > at) * np.minimum(60 * pace[to], 1)
    clicked = rng.random(to.size) < keen
    answered = clicked & (rng.random(to.size) < 0.4)
    bounced = rng.random(to.size) < 0.004
    back = rng.random(who.size) < 0.05
    parts = [
        ("order", *orders, None),
        ("refund", who[back], day[back] + 5, orders[2][back], None),
        ("send", to, at, None, campaign),
        ("click", to[clicked], at[clicked] + rng.random(int(clicked.sum())), None, campaign[clicked]),
        ("response", to[answered], at[answered] + 1 + rng.random(int(answered.sum())), None, campaign[answered]),
        ("bounce", to[bounced], at[bounced] + 0.01, None, campaign[bounced]),
    ]
    activities = pa.concat_tables([_rows(*part) for part in parts])
    activities = activities.filter(pa.compute.less(activities["at"], AS_OF))
    activities = activities.sort_by([("person_id", "ascending"), ("at", "ascending"), ("kind", "ascending")])
    pq.write_table(activities, folder / "activities.parquet")
    pq.write_table(pa.table({"person_id": person, "since": _instants(joined)}), folder / "people.parquet")
    return activities.num_rows


def _rows(kind: str, who: Ints, day: Floats, cents: Floats | None, campaign: Ints | None) -> pa.Table:
    none = pa.nulls(who.size)
    return pa.table(
        {
            "person_id": who,
            "kind": pa.array([kind])
            .dictionary_encode()
            .take(pa.array(np.zeros(who.size, dtype=np.int64)))
            .cast("string"),
            "at": _instants(day),
            "amount": none.cast(pa.int64()) if cents is None else pa.array(np.rint(cents).astype(np.int64)),
            "campaign": none.cast(pa.string()) if campaign is None else pa.array(campaign).cast(pa.string()),
            "machine": pa.array(np.zeros(who.size, dtype=bool)),
        }
    )


def _instants(day: Floats) -> Ints:
    instants: Ints = (AS_OF - DAYS * DAY + day * DAY).astype(np.int64)
    return instants
