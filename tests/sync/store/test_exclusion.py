from datetime import UTC, datetime

import pytest

from connectors.contract import Page
from connectors.records import Consent, Contact
from sync.config import Config
from sync.store import facts, people
from sync.store.exclusion import exclude

NOW = datetime(2017, 9, 30, tzinfo=UTC)


def config(*rules: str) -> Config:
    return Config.model_validate(
        {"timezone": "UTC", "hubspot": [{}], "mailchimp": [{}], "privacy": {"exclude_when": list(rules)}}
    )


@pytest.fixture
def shop(db):
    contacts = (
        Contact("contacts", "1", "one@shop.example", Consent.GRANTED, properties={"profiling_optout": "true"}),
        Contact(
            "contacts", "2", "two@shop.example", Consent.GRANTED, properties={"profiling_optout": False, "plan": "Gold"}
        ),
        Contact("contacts", "3", "three@shop.example", Consent.NO_PROFILING, properties={"profiling_optout": True}),
    )
    members = (Contact("a1", "m2", "TWO@shop.example", Consent.GRANTED, properties={"tags": "VIP;No Profiling"}),)
    facts.save_page(db, "hubspot", Page("contacts", "c", contacts), NOW)
    facts.save_page(db, "mailchimp", Page("members", "c", members), NOW)
    people.resolve(db)
    return db


def excluded(db) -> set[str]:
    rows = db.execute("SELECT c.id FROM contact c JOIN excluded e USING (person_id) WHERE account = 'hubspot'")
    return {row["id"] for row in rows}


@pytest.mark.parametrize(
    ("rules", "who"),
    [
        ((), {"3"}),
        (("hubspot:property:profiling_optout=true",), {"1", "3"}),
        (("hubspot:property:plan=gold",), {"2", "3"}),
        (("mailchimp:tag:no profiling",), {"2", "3"}),
        (("mailchimp:tag:profiling",), {"3"}),
        (("mailchimp:property:plan=gold",), {"3"}),
    ],
)
def test_who_is_excluded(shop, rules, who) -> None:
    assert exclude(shop, config(*rules)) == len(who)
    assert excluded(shop) == who


def test_a_rule_that_is_gone_lets_people_back_in(shop) -> None:
    exclude(shop, config("hubspot:property:plan=gold"))
    exclude(shop, config())
    assert excluded(shop) == {"3"}


def test_who_opted_out_is_excluded_by_one_contact_that_is_there(db):
    out = Contact("contacts", "1", "one@shop.example", Consent.OPTED_OUT)
    gone = Contact("contacts", "2", "two@shop.example", Consent.OPTED_OUT, deleted=True)
    stayed = Contact("a1", "m2", "two@shop.example", Consent.GRANTED)
    unknown = Contact("contacts", "4", "four@shop.example", Consent.UNKNOWN)
    facts.save_page(db, "hubspot", Page("contacts", "c", (out, gone, unknown)), NOW)
    facts.save_page(db, "mailchimp", Page("members", "c", (stayed,)), NOW)
    people.resolve(db)
    assert exclude(db, config()) == 1
    assert excluded(db) == {"1"}
