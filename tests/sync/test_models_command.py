"""The commands about models, on a shop that was scored."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from scoring import champion
from sync import cards, cli
from sync.clock import FixedClock
from sync.config_sections import TITLES
from sync.errors import ForetagError
from sync.instants import micros
from sync.score import score
from sync.store.models import forget_challengers, model_in_use, models, promotions


@pytest.fixture
def foretag(shop, helpers, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "setup", lambda *_args, **_options: None)
    (tmp_path / "config.toml").write_text('timezone = "Europe/Berlin"\ndata_dir = "data"\n[[hubspot]]\n')

    def call(*words: str):
        now = (helpers.now + timedelta(days=8)).isoformat()
        return CliRunner().invoke(cli.main, ["--now", now, "models", *words], prog_name="foretag")

    return call


@pytest.fixture
def challenged(shop, helpers, tmp_path):
    """The shop with a challenger for buying again and for leaving."""
    shop.config = helpers.config(
        tmp_path,
        objectives=[{"predict": "repeat_purchase"}, {"predict": "churn"}],
        model={"candidates": ["rules"]},
        schedule={"train": "0 3 1 1 *"},
    )
    rungs = {each.objective: each.card["rung"] for each in models(shop.db)}
    score(shop, helpers.now + timedelta(days=7), train=True)
    shop.clock = FixedClock(helpers.now + timedelta(days=8))
    assert all(rung == "rules" for name, rung in rungs.items() if name in ("repeat_purchase", "churn"))
    return shop


def test_every_model_is_listed_with_what_it_is(challenged, foretag) -> None:
    found = json.loads(foretag("list", "--json").output)
    assert len(found) == 7
    assert sum(each["in_use"] for each in found) == 5
    lines = foretag("list").output.splitlines()
    assert len(lines) == 7
    assert sum("challenger" in line for line in lines) == 2
    ahead = [line for line in lines if "within the time in which they usually order again: 30 to 60 days" in line]
    assert ["churn" in line for line in ahead] == [True, True]


def test_the_challenger_stands_beside_the_one_in_use(challenged, foretag) -> None:
    text = foretag("compare").output
    assert text.count("    in use  ") == 5
    assert "of 2 windows" in text
    assert "auc 0." in text


def test_going_back_takes_the_mirror_image_along(shop, foretag, helpers, tmp_path) -> None:
    shop.config = helpers.config(
        tmp_path,
        objectives=[{"predict": predict, "within": "30d"} for predict in ("repeat_purchase", "churn")],
        model={"candidates": ["rules"]},
        schedule={"train": "0 3 1 1 *"},
    )
    for day in (6, 7):
        score(shop, helpers.now + timedelta(days=day), train=True)
    with (tmp_path / "config.toml").open("a") as file:
        for each in ("repeat_purchase", "churn"):
            file.write(f'[[objectives]]\npredict = "{each}"\nwithin = "30d"\n')
    newest = models(shop.db, "churn")[-1]
    assert foretag("rollback", "churn", "--to", str(newest.id)).exit_code == 0
    used = model_in_use(shop.db, "repeat_purchase", helpers.now + timedelta(days=8))
    assert used.trained_at == newest.trained_at == helpers.now + timedelta(days=7)


def test_going_back_concerns_one_objective_where_each_had_a_training(challenged, foretag, helpers) -> None:
    first = model_in_use(challenged.db, "churn", helpers.now)
    newest = models(challenged.db, "churn")[-1]
    done = foretag("rollback", "churn", "--to", str(newest.id))
    assert done.exit_code == 0, done.output
    later = helpers.now + timedelta(days=8)
    assert model_in_use(challenged.db, "churn", later).id == newest.id
    assert model_in_use(challenged.db, "repeat_purchase", later).trained_at == helpers.now
    assert {each.cause for each in promotions(challenged.db, "churn")} == {"first", "rollback"}
    challenged.clock = FixedClock(helpers.now + timedelta(days=9))
    assert cards.roll_back(challenged, "churn", None)[0].model_id == first.id
    forget_challengers(challenged.db, "churn", 0)
    assert {each.id for each in models(challenged.db, "churn")} == {first.id, newest.id}


def test_who_goes_back_is_not_overruled_by_what_was_known_then(challenged, foretag, helpers, monkeypatch) -> None:
    """Evidence from before the decision does not count."""
    asked = []

    def contest(champion, challenger, past, simplest_first, *, since=0):
        asked.append(since)
        return judge(champion, challenger, past, simplest_first, since=since)

    judge = champion.contest
    monkeypatch.setattr(champion, "contest", contest)
    newest = models(challenged.db, "churn")[-1]
    assert foretag("rollback", "churn", "--to", str(newest.id)).exit_code == 0
    back = promotions(challenged.db, "churn")[-1].at
    score(challenged, helpers.now + timedelta(days=9), train=True)
    assert asked == [0, micros(back)], "of buying again nobody went back"


def test_a_model_that_was_asked_something_else_is_not_gone_back_to(shop, foretag, helpers, tmp_path) -> None:
    """Churn had one horizon for all for a day: that model would be replaced at the next scoring."""
    quick = {"model": {"candidates": ["rules"]}, "schedule": {"train": "0 3 1 1 *"}}
    asked = [{"predict": "repeat_purchase"}, {"predict": "churn"}]
    shop.config = helpers.config(tmp_path, objectives=[{**each, "within": "30d"} for each in asked], **quick)
    score(shop, helpers.now + timedelta(days=6), train=True)
    shop.config = helpers.config(tmp_path, objectives=asked, **quick)
    score(shop, helpers.now + timedelta(days=7))
    later = helpers.now + timedelta(days=8)
    own = model_in_use(shop.db, "churn", later)
    assert own.card["objective"]["rhythm_days"]
    done = foretag("rollback", "churn")
    assert done.exit_code == 1
    assert "would be replaced at the next scoring. Asked is each person's own rhythm now" in done.output
    buying = models(shop.db, "repeat_purchase")[-1]
    assert foretag("rollback", "repeat_purchase", "--to", str(buying.id)).exit_code == 0
    assert model_in_use(shop.db, "repeat_purchase", later).id == buying.id
    assert model_in_use(shop.db, "churn", later).id == own.id, "its mirror image of then is not what is asked now"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("rollback", "churn"), "never had another model"),
        (("rollback", "churn", "--to", "99"), "no model 99"),
        (("rollback", "weather"), "Models there are: churn"),
        (("card", "weather"), "Objectives with a model: churn"),
        (("card", "99"), "no model 99"),
    ],
)
def test_what_is_not_there_is_told(foretag, words, told) -> None:
    done = foretag(*words)
    assert done.exit_code == 1
    assert told in done.output


def test_the_card_holds_what_came_true(shop, helpers, tmp_path, foretag) -> None:
    score(shop, helpers.now + timedelta(days=61))
    shop.db.execute("UPDATE contact SET properties = json_object('region', CASE WHEN id % 2 THEN 'a' ELSE 'b' END)")
    shop.config = helpers.config(
        tmp_path, model={"fairness": ["hubspot:region"]}, segments={"names": {"Loyal": "Dear"}}
    )
    shop.clock = FixedClock(helpers.now + timedelta(days=61))
    found = cards.full_card(shop, "repeat_purchase")
    assert {row["name"] for row in found["groups"]["hubspot:region"]} == {"a", "b"}
    assert all(row["level"] for row in found["groups"]["hubspot:region"])
    assert [row[0] for row in found["realised"]] == ["2017-09"]
    assert "Dear" in {row[0] for row in found["segments"]}
    assert sum(int(row[1]) for row in found["segments"]) == int(found["realised"][0][1])
    assert found["data"]["history from"] == "2016-11-04"
    assert found["status"] == "This model is in use."
    assert cards.full_card(shop, str(found["number"]))["sha256"] == found["sha256"]
    for kind in TITLES:
        text = foretag("card", kind).output
        assert text.startswith("# ")
        assert "## What came true since" in text
    assert json.loads(foretag("card", "Expected spend", "--json").output)["objective"]["kind"] == "value"


def test_before_the_first_scores_there_is_nothing(site) -> None:
    assert list(cards.list_lines(cards.listed(site))) == ["There is no model yet: foretag score"]
    with pytest.raises(ForetagError, match="none yet"):
        cards.full_card(site, "churn")
