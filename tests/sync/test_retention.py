"""What [retention] says is over goes after a scoring, and the texts about it say so."""

from datetime import timedelta

import pytest

from connectors.contract import Change, Outcome, Page, Result
from connectors.records import Activity, ActivityKind, Consent, Contact
from sync import plan_files, upkeep
from sync.plan import Plan
from sync.privacy_texts import dpia_text, notice_text
from sync.store import departed, facts, outbox, people


def see(site, at, *numbers: int, deleted: bool = False) -> None:
    contacts = tuple(
        Contact("contacts", str(n), f"p{n}@shop.example", Consent.GRANTED, deleted=deleted) for n in numbers
    )
    orders = tuple(Activity(f"o{n}", ActivityKind.ORDER, at - timedelta(days=300 * n), str(n)) for n in numbers)
    facts.save_page(site.db, "hubspot", Page("contacts", "c", contacts, orders), at)
    people.resolve(site.db)


def present(site, table: str = "contact") -> list[str]:
    return [row["id"] for row in site.db.execute(f"SELECT id FROM {table} ORDER BY id")]


def test_a_run_that_dies_in_the_middle_is_gone_on_with_by_the_next(site, helpers, monkeypatch) -> None:
    see(site, helpers.now, 1, 2, 3, 4)
    see(site, helpers.now, 1, 2, 3, deleted=True)
    plan = Plan(helpers.now, "full", {"hubspot": [Change("contacts", "3", "p3@shop.example", {"segment": "Loyal"})]})
    saved = plan_files.save(plan, site.config.data_dir / "plans")
    monkeypatch.setattr(departed, "BATCH", 1)
    upkeep.thin_out(site, helpers.now + timedelta(days=90))
    assert present(site) == ["1", "2", "3", "4"], "90 days are not over before they are over"
    whole, calls = departed.let_go, []

    def dying(db, batch, now) -> None:
        whole(db, batch, now)
        calls.append(batch)
        if len(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(departed, "let_go", dying)
    later = helpers.now + timedelta(days=90, seconds=1)
    with pytest.raises(KeyboardInterrupt):
        upkeep.thin_out(site, later)
    assert present(site) == ["2", "3", "4"]
    assert saved.exists()
    upkeep.thin_out(site, later)
    assert present(site) == ["4"]
    assert present(site, "activity") == ["o4"]
    assert not saved.exists()


def test_a_contact_found_gone_while_writing_is_kept_as_long_from_then_on(site, helpers) -> None:
    see(site, helpers.now, 1)
    later = helpers.now + timedelta(days=200)
    change = Change("contacts", "1", "p1@shop.example", {"segment": "Loyal"})
    outbox.enqueue(site.db, "p", {"hubspot": [change]})
    outbox.settle(site.db, "p", "hubspot", [Outcome("contacts", "1", Result.GONE, "deleted")], later)
    upkeep.thin_out(site, later + timedelta(days=80))
    assert present(site) == ["1"]
    upkeep.thin_out(site, later + timedelta(days=91))
    assert present(site) == []


def test_activities_stay_unless_the_config_ends_them(site, helpers, tmp_path) -> None:
    see(site, helpers.now, 0, 1, 2)
    upkeep.thin_out(site, helpers.now)
    assert present(site, "activity") == ["o0", "o1", "o2"]
    site.config = helpers.config(tmp_path, retention={"activities": "400d"})
    upkeep.thin_out(site, helpers.now)
    see(site, helpers.now, 0, 1, 2)
    assert present(site, "activity") == ["o0", "o1"]


@pytest.mark.parametrize(
    ("keys", "reason"),
    [({"deleted": "0d"}, "a contact may be missing by mistake"), ({"activities": "300d"}, "13 months")],
)
def test_what_would_do_harm_is_refused_with_the_reason(helpers, tmp_path, keys, reason) -> None:
    with pytest.raises(ValueError, match=reason):
        helpers.config(tmp_path, retention=keys)


def test_the_texts_say_how_long(helpers, tmp_path) -> None:
    config = helpers.config(tmp_path, retention={"deleted": "30d", "activities": "800d"}, backup={"keep": 9})
    for text in (notice_text(config), dpia_text(config)):
        told = " ".join(text.split())
        assert "30 days" in told
        assert "800 days" in told
    assert "9 copies" in " ".join(dpia_text(config).split())
    told = " ".join(dpia_text(helpers.config(tmp_path)).split())
    assert "90 days" in told
    assert "as long as you are in our customer records" in " ".join(notice_text(helpers.config(tmp_path)).split())
