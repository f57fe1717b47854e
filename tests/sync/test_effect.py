"""The control group over the waves of the ledger."""

from datetime import timedelta
from random import Random

import pytest

from sync.effect import effects, sentences
from sync.instants import micros
from sync.rollout import in_control
from sync.score import score
from sync.store.database import transaction
from sync.store.ledger import Wave, save_wave


def fill(site, as_of, *, effect=0.0, mode="full", people=4000, share=0.1):
    """A matured wave of buying again: half buy, of those acted on `effect` more."""
    dice = Random(as_of.isoformat())
    with transaction(site.db):
        save_wave(site.db, Wave(as_of, mode, share))
        site.db.executemany(
            "INSERT INTO prediction VALUES ('repeat_purchase', ?, ?, 1, 30, ?, ?, ?, ?)",
            [
                (
                    micros(as_of),
                    person,
                    0.5,
                    0.5,
                    float(dice.random() < 0.5 + effect * (not in_control(person, share))),
                    "control" if in_control(person, share) else "act",
                )
                for person in range(1, people + 1)
            ],
        )


@pytest.fixture
def empty(site):
    site.db.execute("INSERT INTO model VALUES (1, 'repeat_purchase', 1, '', x'', '{}', '')")
    return site


def buying(site):
    found = effects(site)
    assert [each.objective.predict for each in found] == ["repeat_purchase", "value"]
    return found[0]


def test_an_effect_is_found_over_waves_that_do_not_overlap(empty, helpers) -> None:
    for days in (95, 70, 62, 31):
        fill(empty, helpers.now - timedelta(days=days), effect=0.09)
    found = buying(empty)
    assert [(helpers.now - at).days for at in found.waves] == [95, 62, 31]
    assert found.found.verdict == "helps"
    assert found.found.adjusted.low < 0.09 < found.found.adjusted.high
    text = " ".join(sentences(found, "EUR"))
    assert "It helps: +" in text
    assert "3 waves" in text


def test_without_an_effect_nobody_wins(empty, helpers) -> None:
    fill(empty, helpers.now - timedelta(days=31))
    found = buying(empty)
    assert found.found.verdict == "cannot tell yet"
    text = " ".join(sentences(found, "EUR"))
    assert "Cannot tell yet" in text
    assert "1 wave." in text


def test_waves_in_shadow_or_with_another_share_do_not_count(empty, helpers) -> None:
    fill(empty, helpers.now - timedelta(days=95), mode="shadow", effect=0.3)
    fill(empty, helpers.now - timedelta(days=62), share=0.2, effect=0.3)
    found = buying(empty)
    assert found.waves == ()
    assert found.found.verdict == "nothing has matured"
    assert "Nothing can be compared yet" in sentences(found, "EUR")[0]


def test_people_outside_the_pilot_are_on_neither_side(empty, helpers) -> None:
    fill(empty, helpers.now - timedelta(days=31))
    empty.db.execute("UPDATE prediction SET arm = 'none', outcome = 1 WHERE person_id % 2")
    found = buying(empty).found
    assert sum(found.people) == 2000
    assert all(0.4 < mean < 0.6 for mean in found.means)


def test_a_control_group_that_shrank_spoils_the_comparison(empty, helpers) -> None:
    fill(empty, helpers.now - timedelta(days=31), effect=0.3)
    empty.db.execute("DELETE FROM prediction WHERE arm = 'control' AND person_id % 2")
    found = buying(empty)
    assert found.found.verdict == "the split is off"
    assert "It helps" not in " ".join(sentences(found, "EUR"))


def test_beforehand_it_says_how_long_it_takes(shop, helpers) -> None:
    found = buying(shop)
    assert found.people > 200
    assert 0 < found.rate < 1
    assert found.months_needed > 1
    assert "a change by a tenth" in sentences(found, "EUR")[-1]
    # By the textbook: (1.96 + 0.84) standard errors of a difference of shares, a tenth of the people being the control.
    by_hand = 2.802 * (found.rate * (1 - found.rate) / found.people / 0.1 / 0.9) ** 0.5
    assert found.one_wave == pytest.approx(by_hand, rel=1e-3)
    assert f"from about {100 * by_hand:.1f} points on" in sentences(found, "EUR")[-1]
    score(shop, helpers.now + timedelta(days=31))
    real = buying(shop)
    assert real.waves == (helpers.now,)
    assert real.found.people[0] > real.found.people[1] > 0
    money = effects(shop)[1]
    assert money.months_needed is None
    assert "EUR" in sentences(money, "EUR")[0]


def test_without_a_control_group_it_says_so(empty, helpers, tmp_path) -> None:
    empty.config = helpers.config(tmp_path, holdout={"share": 0})
    fill(empty, helpers.now - timedelta(days=31), share=0.0)
    assert "no control group" in sentences(buying(empty), "EUR")[0]
    assert buying(empty).one_wave is None
