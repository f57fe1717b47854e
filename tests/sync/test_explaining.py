"""One person, explained to the admin."""

import json

import pytest

from connectors.contract import Page
from connectors.records import Consent, Contact
from sync.config_sections import TITLES
from sync.errors import ForetagError
from sync.explaining import explain_lines, explanation
from sync.score import score
from sync.store.people import person_of
from sync.store.scores import newest_standings


def test_everything_about_one_person(shop) -> None:
    standing = newest_standings(shop.db)[1][person_of(shop.db, "p5@shop.example")]
    found = explanation(shop, " P5@SHOP.example")
    json.dumps(found, allow_nan=False)
    assert found["as_of"] == "2017-09-30T12:00:00+00:00"
    assert (found["segment"], found["segment_since"]) == (standing.segment, "2017-09-30")
    assert found["control_group"] == standing.fields["control_group"]
    assert [each["objective"] for each in found["scores"]] == list(TITLES.values())
    assert found["scores"][0]["field"] == "ft_buy_score"
    assert found["scores"][0]["value"] == standing.fields["buy_score"]
    assert [each["ahead"] for each in found["scores"]] == [
        "30 days ahead",
        "within the time in which they usually order again: 30 to 60 days",
        *["30 days ahead"] * 3,
    ]
    assert [each["unit"] for each in found["scores"]] == ["%", "%", "%", "USD", "%"]
    for each, told in zip(found["scores"], map(standing.reasons.get, TITLES), strict=True):
        assert each["for"] == [text for text, share in told if share > 0]
        assert each["against"] == [text for text, share in told if share < 0]
    assert any(each["for"] or each["against"] for each in found["scores"])
    assert found["records"] == [{"account": "hubspot", "object": "contacts", "id": "5", "consent": "granted"}]


def test_the_same_in_lines(shop) -> None:
    found = explanation(shop, "p5@shop.example")
    lines = list(explain_lines(found))
    assert lines[0].startswith(f"{found['segment']} since 2017-09-30")
    assert lines[0].endswith("(scored 2017-09-30)")
    assert lines[-1] == "hubspot contacts 5: consent granted"
    reasons = sum(len(each["for"]) + len(each["against"]) for each in found["scores"])
    assert sum(line.startswith(("    + ", "    - ")) for line in lines) == reasons
    assert len(lines) == 2 + len(TITLES) + reasons
    (money,) = (each for each in found["scores"] if each["unit"] == "USD")
    low, high = money["likely"]
    assert 0 <= low <= money["value"] <= high
    assert low < high
    assert (
        f"Expected spend           {money['value']:g} USD (nine in ten: {low:.2f} to {high:.2f}), 30 days ahead"
        in lines
    )
    assert [each["likely"] for each in found["scores"] if each["unit"] == "%"] == [None] * 4


def test_the_control_group_is_told() -> None:
    base = {"segment": "Loyal", "segment_since": "2017-09-01", "as_of": "2017-09-30", "scores": [], "records": []}
    base["set_by_hand"] = False
    assert "control group" in next(explain_lines({**base, "control_group": True}))
    assert "control group" not in next(explain_lines({**base, "control_group": False}))


def test_without_a_model_there_is_no_number(site, helpers) -> None:
    helpers.fill(site, {"contacts": helpers.shoppers(count=3)["contacts"]})
    score(site, helpers.now)
    found = explanation(site, "p1@shop.example")
    assert {each["value"] for each in found["scores"]} == {None}
    assert sum("no prediction yet" in line for line in explain_lines(found)) == len(TITLES)


@pytest.mark.parametrize("address", ["nobody@shop.example", "", "no address"])
def test_an_unknown_address_says_what_to_do(shop, address) -> None:
    with pytest.raises(ForetagError, match=r"nobody in the store has this address.*foretag pull"):
        explanation(shop, address)


def test_who_objects_is_not_explained(shop, helpers) -> None:
    contact = Contact("contacts", "5", "p5@shop.example", Consent.NO_PROFILING)
    helpers.fill(shop, {"contacts": [Page("contacts", "c2", (contact,))]})
    with pytest.raises(ForetagError, match="objects to profiling"):
        explanation(shop, "p5@shop.example")


def test_who_was_not_scored_yet_is_told_so(shop, helpers) -> None:
    contact = Contact("contacts", "999", "late@shop.example", Consent.GRANTED, helpers.now)
    helpers.fill(shop, {"contacts": [Page("contacts", "c2", (contact,))]})
    with pytest.raises(ForetagError, match="not been scored yet: foretag run"):
        explanation(shop, "late@shop.example")
