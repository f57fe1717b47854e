"""A human says that a score is wrong, or a survey does."""

from datetime import timedelta

import pytest
from click.testing import CliRunner

from sync import cli
from sync.clock import FixedClock
from sync.explaining import explain_lines, explanation
from sync.pins import overrides
from sync.privacy import export
from sync.score import score
from sync.store.people import person_of
from sync.store.scores import moves_since, newest_standings

ANNA = "p7@shop.example"
RARELY = {"train": "0 3 1 1 *"}


@pytest.fixture
def foretag(shop, helpers, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "setup", lambda *_args, **_options: None)
    (tmp_path / "config.toml").write_text(
        'timezone = "Europe/Berlin"\ndata_dir = "data"\n[[hubspot]]\n[segments.names]\n"At risk" = "Win back"\n'
    )

    def call(*words: str):
        return CliRunner().invoke(cli.main, ["--now", helpers.now.isoformat(), "pin", *words], prog_name="foretag")

    return call


def segment(site, person: int) -> str:
    return newest_standings(site.db)[1][person].segment


def other(site, person: int) -> str:
    return "Lost" if segment(site, person) != "Lost" else "Champions"


def test_a_pin_holds_until_it_ends_and_is_a_move_with_a_cause(shop, helpers, foretag) -> None:
    person = person_of(shop.db, ANNA)
    before, wanted = segment(shop, person), other(shop, person)
    done = foretag("add", ANNA, "--segment", wanted.upper(), "--days", "10")
    assert done.exit_code == 0, done.output
    assert "until 2017-10-10" in done.output
    at = helpers.now + timedelta(days=1)
    score(shop, at)
    assert segment(shop, person) == wanted
    shop.clock = FixedClock(at)
    assert "set by hand" in next(iter(explain_lines(explanation(shop, ANNA))))
    moved = {each.person_id: each for each in moves_since(shop.db, helpers.now, at)}
    assert (moved[person].origin, moved[person].target, moved[person].cause) == (before, wanted, "event")
    (exported,) = export(shop, ANNA)["set_by_hand"]
    assert (exported["segment"], exported["until"][:10]) == (wanted, "2017-10-10")
    score(shop, at + timedelta(days=1))
    assert newest_standings(shop.db)[1][person].fields["segment_since"] == "2017-10-01"
    assert overrides(shop, helpers.now + timedelta(days=11)) == {}


def test_pins_are_listed_without_addresses_and_taken_back(foretag) -> None:
    assert foretag("list").output == "Nothing is set by hand.\n"
    assert foretag("add", ANNA, "--segment", "win back").exit_code == 0
    listed = foretag("list").output
    assert "Win back from 2017-09-30 to 2017-12-29 (the score was" in listed
    assert "@" not in listed
    assert '"segment": "Win back"' in foretag("list", "--json").output
    assert foretag("remove", ANNA).exit_code == 0
    assert "nothing was set by hand" in foretag("remove", ANNA).output
    assert "nobody in the store" in foretag("add", "who@else.example", "--segment", "Lost").output
    assert 'choose from "Champions"' in foretag("add", ANNA, "--segment", "Best").output


def test_answers_to_a_survey_decide_the_segment_and_a_hand_beats_them(shop, helpers, tmp_path, foretag) -> None:
    shop.db.execute("UPDATE contact SET properties = json_object('nps', id % 11)")
    surveys = [
        {"answer": "hubspot:nps", "when": "<= 1", "segment": "At risk"},
        {"answer": "hubspot:nps", "when": "<= 3", "segment": "Cooling"},
        {"answer": "hubspot:nps", "when": "= 10", "segment": "Loyal"},
        {"answer": "mailchimp:nps", "when": ">= 0", "segment": "Lost"},
    ]
    foretag("add", "p11@shop.example", "--segment", "Rising")
    shop.config = helpers.config(tmp_path, surveys=surveys, schedule=RARELY)
    found = overrides(shop, helpers.now)
    numbers = {row["person_id"]: int(row["id"]) for row in shop.db.execute("SELECT person_id, id FROM contact")}
    expected = {0: "At risk", 1: "At risk", 2: "Cooling", 3: "Cooling", 10: "Loyal"}
    assert {numbers[person]: name for person, name in found.items()} == {
        number: "Rising" if number == 11 else expected[number % 11]
        for number in numbers.values()
        if number % 11 in expected
    }
    score(shop, helpers.now)
    placed = newest_standings(shop.db)[1]
    assert all(placed[person].segment == name for person, name in found.items())


@pytest.mark.parametrize("when", ["6", "<= six", "=", "< 3", "= "])
def test_a_survey_says_exactly_which_answers_count(helpers, tmp_path, when) -> None:
    with pytest.raises(ValueError, match="when"):
        helpers.config(tmp_path, surveys=[{"answer": "hubspot:nps", "segment": "Lost", "when": when}])


def test_text_and_numbers_are_told_apart(helpers, tmp_path) -> None:
    survey = {"answer": "hubspot:nps", "segment": "Lost"}
    few, many, text = (
        helpers.config(tmp_path, surveys=[{**survey, "when": when}]).surveys[0]
        for when in ("<= 6", ">= 9.5", "= Never")
    )
    assert [few.fits(value) for value in ("6", "6.5", "-1", "none")] == [True, False, True, False]
    assert [many.fits(value) for value in ("9", "10")] == [False, True]
    assert [text.fits(value) for value in (" never", "ever")] == [True, False]
