"""Nothing is learned while an account could not be read: the models there are answer as they are."""

import sqlite3
from datetime import timedelta

import pytest

from connectors.errors import NotAuthorised, Unavailable
from sync.clock import FixedClock
from sync.config import Config
from sync.cycle import run
from sync.progress import Silent
from sync.site import Site
from sync.store.models import Level, level_at, newest_level, save_level
from sync.store.scores import newest_standings

QUICK = {"model": {"candidates": ["rules", "logistic"], "train_on_growth": 0}, "schedule": {"train": "0 3 1 1 *"}}
TWO = [{"name": "hubspot"}, {"name": "two"}]


def later(site: Site, **ago) -> None:
    site.clock = FixedClock(site.clock.now() + timedelta(**ago))


def changed(site: Site, **sections) -> Config:
    """The config of `shop`, with other sections."""
    folder = str(site.config.data_dir)
    return Config.model_validate({"timezone": "Europe/Berlin", "mode": "full", "data_dir": folder, **QUICK, **sections})


@pytest.fixture
def trained(shop, helpers):
    """`shop` has a model; beside it there is an account with some of its people, who come in with the next run."""
    shop.config = changed(shop, hubspot=TWO)
    few = helpers.shoppers(count=39)
    shop.connectors["two"] = helpers.Platform(pages=few)
    later(shop, days=1)
    run(shop, Silent())
    shop.connectors["two"].pages = {"contacts": [], "orders": []}
    return shop


def counted(db: sqlite3.Connection) -> dict[str, object]:
    tables = ("model", "promotion", "level", "prediction", "realised", "wave")
    return {each: db.execute(f"SELECT count(*) FROM {each}").fetchone()[0] for each in tables} | {
        "limits": db.execute("SELECT value FROM setting WHERE name = 'thresholds'").fetchone()[0]
    }


@pytest.mark.slow
def test_nothing_is_learned_from_those_who_were_read_alone(trained) -> None:
    """Not by a training that was asked for, nor when a new level, outcomes and a month are due."""
    before = counted(trained.db)
    trained.connectors["two"].fail_stream = {"orders": NotAuthorised("revoked")}
    later(trained, days=65)
    outcome = run(trained, Silent(), train=True, accept_large_change=True)
    assert outcome.scored.people == 300 - 39
    assert counted(trained.db) == before
    assert not any(used.trained for used in outcome.scored.models)
    trained.connectors["two"].fail_stream = {}
    later(trained, days=1)
    run(trained, Silent(), accept_large_change=True)
    after = counted(trained.db)
    assert after["prediction"] > before["prediction"]
    assert trained.db.execute("SELECT count(*) FROM prediction WHERE outcome IS NOT NULL").fetchone()[0] > 0


@pytest.mark.slow
def test_without_a_model_for_what_is_asked_now_everybody_waits(trained) -> None:
    trained.connectors["two"].fail_stream = {"orders": Unavailable("the platform is down")}
    trained.config = changed(
        trained,
        hubspot=TWO,
        objectives=[{"predict": "repeat_purchase", "within": "45d"}],
    )
    later(trained, days=1)
    standing = newest_standings(trained.db)
    outcome = run(trained, Silent())
    assert (outcome.scored, newest_standings(trained.db)) == (None, standing)
    assert "Asked is 45 days ahead now" in outcome.withheld


def test_the_newest_level_is_the_one_set_last(shop) -> None:
    (number,) = {row["id"] for row in shop.db.execute("SELECT min(id) AS id FROM model")}
    assert newest_level(shop.db, number) == level_at(shop.db, number, shop.clock.now())
    for days in (2, 1):
        save_level(shop.db, number, shop.clock.now() + timedelta(days=days), Level((days, 0.0), (1.0, 0.0)))
    assert newest_level(shop.db, number).model == (2, 0.0)
