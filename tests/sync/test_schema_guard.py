"""Fields of ours that somebody changed are an objection; those that were never written are not missed."""

from datetime import UTC, datetime

import pytest

from connectors.contract import Page
from connectors.errors import Unavailable
from connectors.records import Consent, Contact
from sync.apply import apply
from sync.fields import field_specs
from sync.plan import make_plan
from sync.provision import demand_fields
from sync.schema_guard import changed_fields
from sync.store import facts, people
from sync.store.database import transaction
from sync.store.scores import save_standings

NOW = datetime(2017, 9, 30, 12, tzinfo=UTC)


@pytest.fixture
def planned(site, helpers):
    """A plan for two contacts, of which the first may have been written."""

    def make(*, written: bool):
        both = tuple(Contact("contacts", str(n), f"p{n}@shop.example", Consent.GRANTED) for n in (1, 2))
        facts.save_page(site.db, "hubspot", Page("contacts", "c", both[:1]), NOW)
        people.resolve(site.db)
        with transaction(site.db):
            save_standings(site.db, NOW, [helpers.standing(1), helpers.standing(2)])
        if written:
            apply(site, make_plan(site.db, site.config, site.connectors, NOW), field_specs(site.config))
        facts.save_page(site.db, "hubspot", Page("contacts", "d", both), NOW)
        people.resolve(site.db)
        return make_plan(site.db, site.config, site.connectors, NOW)

    return make


def objections(site, plan, shut=()):
    return list(changed_fields(site, plan, field_specs(site.config), shut))


def test_a_field_that_was_written_before_is_missed(site, platform, planned, monkeypatch) -> None:
    plan = planned(written=True)
    told = "ft_segment is missing, says p1@shop.example"
    monkeypatch.setattr(platform, "drift", lambda specs: [told] if any(s.key == "segment" for s in specs) else [])
    (text,) = objections(site, plan)
    assert text.startswith("hubspot: somebody changed fields or tags of ours: ft_segment is missing")
    assert text.endswith("to have them as they were: foretag provision hubspot")
    assert "p1@shop.example" not in text
    assert objections(site, plan, ["hubspot"]) == []


def test_a_field_that_was_never_written_is_not(site, platform, planned, monkeypatch) -> None:
    monkeypatch.setattr(platform, "drift", lambda specs: [f"{spec.key} is missing" for spec in specs])
    assert objections(site, planned(written=False)) == []


def test_where_all_is_in_order_it_is_asked_once(site, platform, planned, monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(platform, "drift", lambda specs: asked.append(len(specs)) or [])
    assert objections(site, planned(written=False)) == []
    specs = field_specs(site.config)
    assert (demand_fields(site, "hubspot", specs), asked) == ([], [len(specs)])
    demand_fields(site, "hubspot", specs)
    assert len(asked) == 2, "what was seen counts for one write"


def test_an_account_that_cannot_be_asked_says_so_when_it_is_written_to(site, platform, planned, monkeypatch) -> None:
    plan = planned(written=True)

    def fails(specs):
        raise Unavailable("down")

    monkeypatch.setattr(platform, "drift", fails)
    assert objections(site, plan) == []
