"""Properties the admin names become columns; the leak detector asks them, and which there are stays as it is."""

import json

import pytest

from scoring.features import FEATURES
from sync.instants import micros
from sync.score import score


def told(shop, rule) -> None:
    """Give each shopper a source and a flag by `rule` (an SQL text over `id`)."""
    shop.db.execute(
        "UPDATE contact SET properties = json_set(properties, '$.source', "
        "CASE CAST(id AS INTEGER) % 2 WHEN 0 THEN 'web' ELSE 'fair' END, '$.vip', " + rule + ")"
    )


@pytest.fixture
def asking(shop, helpers, tmp_path):
    def ask(**model):
        shop.config = helpers.config(
            tmp_path,
            hubspot=[{"properties": ["source", "vip"]}],
            objectives=[{"predict": "repeat_purchase"}],
            model={"candidates": ["rules"], **model},
        )
        (used,) = score(shop, helpers.now).models
        return used

    return ask


def test_only_named_properties_are_learned_from(asking, shop) -> None:
    told(shop, "'no'")
    first = asking(immutable=["source", "vip"], deny=["vip"])
    assert first.trained is not None
    assert first.model.features == (*FEATURES, "source=fair", "source=web")
    assert "vip is left out: it is on your deny-list." in first.model.quarantined
    kept = json.loads(shop.db.execute("SELECT value FROM setting WHERE name = 'traits'").fetchone()[0])
    assert kept["names"] == ["source=fair", "source=web"]
    shop.db.execute("UPDATE contact SET properties = json_set(properties, '$.source', 'elsewhere')")
    assert asking(immutable=["source", "vip"], deny=["vip"]).trained is None
    assert asking().model.features == FEATURES


def test_a_property_that_knows_the_outcome_is_kept_out_and_named(asking, shop, helpers) -> None:
    later = "(SELECT count(*) FROM activity a WHERE a.contact_id = contact.id AND a.kind = 'order' AND a.at < {})"
    told(shop, later.format(micros(helpers.now)))
    used = asking(immutable=["vip"])
    assert any("vip" in each for each in used.model.quarantined)
