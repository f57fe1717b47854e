"""The model card as values and as Markdown, and groups of people side by side."""

import json

import numpy as np
import pytest

from scoring.card import card, markdown
from scoring.fairness import by_group
from scoring.objectives import Objective
from scoring.snapshots import Snapshots
from scoring.train import train


@pytest.fixture(scope="module")
def made(tables, past, at):
    return card(train(tables, Objective("Buys again", "repeat_purchase", 30), at(300), seed=1, snapshots=past))


def test_the_card_is_plain_and_complete(made):
    json.dumps(made, allow_nan=False)
    text = markdown(made)
    assert text.startswith("# Buys again: ")
    assert "| predicts | repeat_purchase, 30 days ahead |" in text
    assert f"| labelled rows | {made['rows']:,} |" in text
    assert "| seed | 1 |" in text
    for name in made["candidates"]:
        assert ("rule of thumb" if name == "rules" else name) in text
    auc = made["evaluation"]["metrics"]["auc"]
    assert f"{auc['value']:.3f} [{auc['low']:.3f}, {auc['high']:.3f}]" in text
    assert text.count("%]") == len(made["evaluation"]["reliability"])
    assert "## Limits" in text
    assert all(f"`{name}`" in text for name in made["features"])
    assert "None" not in text


def test_what_the_store_knows_comes_in(made):
    names = ["a"] * 300 + ["b|c"] * 200 + ["few"] * 5
    rng = np.random.default_rng(1)
    p = rng.beta(2, 2, 505)
    groups = by_group(names, p, (rng.random(505) < p).astype(float))
    more = {
        "status": "This model is in use.",
        "data": {"history from": "2020-09-13"},
        "realised": [("2021-07", "580", "40.0%", "41.0%")],
        "segments": [("Loyal", "120", "71.0%")],
        "groups": {"hubspot:region": [{**vars_of(each), "off": each.off} for each in groups]},
        "versions": {"numpy": "2.0"},
    }
    text = markdown({**made, **more})
    assert "## Columns that were kept out" not in text
    for line in ("| 2021-07 | 580 | 40.0% | 41.0% |", "| Loyal | 120 | 71.0% |", "| numpy | 2.0 |", "| b/c | 200 |"):
        assert line in text
    assert "few" not in text.split("## By hubspot:region")[1].split("##")[0]


def test_columns_that_were_kept_out_are_named(made):
    text = markdown({**made, "quarantined": ["total is kept out: alone it tells the outcome."]})
    assert "## Columns that were kept out\n\n- total is kept out: alone it tells the outcome.\n" in text


def test_a_card_of_before_horizons_had_words_is_read(made):
    old = {name: value for name, value in made.items() if name not in ("ahead", "quarantined", "limits")}
    assert "| predicts | repeat_purchase, 30 days ahead |" in markdown(old)


def vars_of(group):
    from dataclasses import asdict

    return asdict(group)


def test_a_refused_model_has_a_card_too(shop):
    tables = shop(people=20, days=100).tables()
    as_of = 1_600_000_000_000_000 + 90 * 86_400_000_000
    made = card(train(tables, Objective("x", "value", 30), as_of, seed=1, snapshots=Snapshots(tables, as_of)))
    text = markdown(made)
    assert "**No model:**" in text
    assert "How good" not in text


def test_groups_served_worse_are_found():
    rng = np.random.default_rng(2)
    p = rng.beta(2, 2, 4000)
    names = ["kept"] * 2000 + ["cheated"] * 2000
    y = (rng.random(4000) < np.where(np.arange(4000) < 2000, p, p * 0.7)).astype(float)
    groups = {each.name: each for each in by_group(names, p, y)}
    assert not groups["kept"].off
    assert groups["cheated"].off
    assert groups["cheated"].level.high < 0
    assert groups["kept"].picked.value + groups["cheated"].picked.value == pytest.approx(0.4)
    assert [each.observed for each in by_group(names, p)] == [None, None]
    assert by_group([], np.empty(0)) == []
    with pytest.raises(ValueError, match="equally many"):
        by_group(["a"], p)
