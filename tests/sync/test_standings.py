"""From predictions to fields: reasons in words, the control group, the shop's own names."""

import re
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scoring.explain import Reason
from sync.fields import field_specs
from sync.rollout import draw, in_control, in_pilot
from sync.score import score
from sync.standings import REASONS_LENGTH, in_words
from sync.store.scores import newest_standings

told = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=300)
some_reasons = st.lists(st.tuples(told, st.sampled_from([-0.7, 0.7])), max_size=8).map(
    lambda pairs: tuple(Reason("spend", text, share) for text, share in pairs)
)


@given(some_reasons)
@example((Reason("spend", "x" * 300, 1.0),))
@example((Reason("spend", "x" * 100, 1.0), Reason("spend", "y" * 300, -1.0)))
def test_reasons_are_never_cut(reasons) -> None:
    text = in_words(reasons)
    assert len(text) <= REASONS_LENGTH
    given_for = [each.text for each in reasons if each.contribution > 0]
    given_against = [each.text for each in reasons if each.contribution < 0]
    found = re.fullmatch(r"(?:For: ([a-z; ]+)\.)?(?: ?Against: ([a-z; ]+)\.)?", text)
    assert found, text
    for said, known in zip(found.groups(), (given_for, given_against), strict=True):
        parts = said.split("; ") if said else []
        assert parts == known[: len(parts)]


def test_reasons_read_like_a_sentence() -> None:
    reasons = (Reason("recency", "bought 3 days ago", 1.0), Reason("spend", "spends much", 0.4))
    against = (Reason("campaigns", "answered 0 of 5 mailings", -0.3),)
    assert in_words(reasons + against) == "For: bought 3 days ago; spends much. Against: answered 0 of 5 mailings."
    assert in_words(against) == "Against: answered 0 of 5 mailings."
    assert in_words(()) == ""


def test_the_control_group_is_about_the_share_and_grows_without_losing_anyone() -> None:
    people = range(1, 20_001)
    tenth = {person for person in people if in_control(person, 0.1)}
    fifth = {person for person in people if in_control(person, 0.2)}
    assert len(tenth) == pytest.approx(2000, abs=130)
    assert len(fifth) == pytest.approx(4000, abs=170)
    assert tenth < fifth
    assert not any(in_control(person, 0) for person in people)


def test_pilot_and_control_are_drawn_apart() -> None:
    people = range(1, 20_001)
    both = sum(in_control(person, 0.5) and in_pilot(person, 0.5) for person in people)
    assert both == pytest.approx(5000, abs=200)
    assert all(in_pilot(person, 1) for person in people)
    assert 0 <= draw(1, "control") < 1


def test_a_person_stays_in_the_control_group(shop, helpers) -> None:
    before = {person: each.fields["control_group"] for person, each in newest_standings(shop.db)[1].items()}
    score(shop, helpers.now + timedelta(days=5))
    after = {person: each.fields["control_group"] for person, each in newest_standings(shop.db)[1].items()}
    assert after == before
    assert 15 <= sum(after.values()) <= 50


def test_without_a_control_group_nobody_is_marked(shop, helpers, tmp_path) -> None:
    shop.config = helpers.config(tmp_path, holdout={"share": 0})
    score(shop, helpers.now)
    for each in newest_standings(shop.db)[1].values():
        assert each.fields["control_group"] is False
        assert each.fields["tags"] == [each.fields["segment"]]


def test_the_shops_own_names_stand_in_fields_and_tags_only(shop, helpers, tmp_path) -> None:
    shop.config = helpers.config(tmp_path, segments={"names": {"At risk": "Win back", "Loyal": "Regulars"}})
    scored = score(shop, helpers.now)
    after = newest_standings(shop.db)[1].values()
    risky = [each for each in after if each.segment == "At risk"]
    assert risky
    assert {each.fields["segment"] for each in risky} == {"Win back"}
    assert all("Win back" in each.fields["tags"] for each in risky)
    assert scored.segments["Win back"] == len(risky)
    assert "At risk" not in scored.segments
    allowed = next(spec.options for spec in field_specs(shop.config) if spec.key == "tags")
    assert {tag for each in after for tag in each.fields["tags"]} <= set(allowed)


def test_who_moves_carries_the_segment_before_and_the_local_day(shop, helpers, tmp_path) -> None:
    shop.config = helpers.config(
        tmp_path, segments={"names": {"Cooling": "Fading"}}, schedule={"train": "0 3 1 1 *"}, timezone="Asia/Tokyo"
    )
    first = newest_standings(shop.db)[1]
    late = helpers.now + timedelta(days=25, hours=5)  # 17:00 UTC, already the next day in Tokyo
    score(shop, late - timedelta(days=1))
    middle = newest_standings(shop.db)[1]
    score(shop, late)
    after = newest_standings(shop.db)[1]
    movers = {person for person in after if after[person].segment != middle[person].segment}
    assert movers
    for person in movers:
        before = middle[person].segment
        assert after[person].fields["segment_before"] == {"Cooling": "Fading"}.get(before, before)
        assert after[person].fields["segment_since"] == "2017-10-26"
    stayers = [person for person in after if after[person].segment == first[person].segment == middle[person].segment]
    assert stayers
    assert {after[person].fields["segment_before"] for person in stayers} == {None}
    assert {after[person].fields["segment_since"] for person in stayers} == {"2017-09-30"}


def test_expected_value_is_in_money_and_chances_in_per_cent(shop) -> None:
    newest = newest_standings(shop.db)[1]
    values = {
        row["person_id"]: row["value"]
        for row in shop.db.execute("SELECT person_id, value FROM prediction WHERE objective = 'value'")
    }
    chances = {
        row["person_id"]: row["value"]
        for row in shop.db.execute("SELECT person_id, value FROM prediction WHERE objective = 'response'")
    }
    assert values
    assert chances
    for person, cents in values.items():
        assert newest[person].fields["expected_value"] == pytest.approx(cents / 100, abs=0.005)
    for person, share in chances.items():
        assert newest[person].fields["response_score"] == pytest.approx(share * 100, abs=0.05)


def test_limits_and_capacity_come_from_the_config(shop, helpers, tmp_path) -> None:
    shop.config = helpers.config(tmp_path, segments={"limits": {"likely": 0.999, "unlikely": 0.998, "lost": 0.997}})
    shop.db.execute("DELETE FROM standing")
    score(shop, helpers.now)
    placed = {each.segment for each in newest_standings(shop.db)[1].values() if each.fields["buy_score"] < 99}
    assert placed <= {"Lost", "New"}
    at = helpers.now + timedelta(days=40)
    shop.config = helpers.config(tmp_path, segments={"capacity": "20/week"}, schedule={"train": "0 3 1 1 *"})
    score(shop, at + timedelta(days=7))
    score(shop, at + timedelta(days=14))
    champions = [each for each in newest_standings(shop.db)[1].values() if each.segment == "Champions"]
    assert 5 <= len(champions) <= 45


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"capacity": "50 a day"}, "50/week"),
        ({"order": ["New"]}, "each of the nine"),
        ({"limits": {"lost": 0.5, "unlikely": 0.2}}, "grow in this order"),
    ],
)
def test_segments_that_cannot_be_are_refused(helpers, tmp_path, given, told) -> None:
    with pytest.raises(ValueError, match=told):
        helpers.config(tmp_path, segments=given)
