from dataclasses import replace
from datetime import date

import pytest

from sync.report import sentences
from sync.report.data import Headline, Objective, RealisedMonth, ReportData
from sync.report.evaluation import Evaluation, GainsPoint, Interval, Metrics, ReliabilityBin

BIN = ReliabilityBin(0.30, 0.28, 0.22, 0.35, 200)


def plain(text: str | None) -> str:
    return str(text).replace("\u00a0", " ")


@pytest.fixture
def objective(sample: ReportData) -> Objective:
    return sample.objectives[0]


@pytest.fixture
def tested(objective: Objective) -> Evaluation:
    assert objective.evaluation is not None
    return objective.evaluation


@pytest.mark.parametrize(
    ("things", "ending"),
    [((), "Nothing needs your attention."), (("a",), "1 thing to look at."), (("a", "b"), "2 things to look at.")],
)
def test_the_headline_counts_what_to_look_at(things: tuple[str, ...], ending: str) -> None:
    assert sentences.headline(Headline("ok", ("Fresh", "mode full"), things)) == f"Fresh, mode full. {ending}"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (0.30, "Clearly better than the rule of thumb."),
        (0.40, "Not clearly different from the rule of thumb."),
        (0.41, "The rule of thumb does just as well."),
        (0.50, "Worse than the rule of thumb."),
    ],
)
def test_the_comparison_follows_the_likely_range(tested: Evaluation, rule: float, said: str) -> None:
    beside = replace(tested, rule=Metrics(capture_20=Interval(rule, rule - 0.02, rule + 0.02)))
    assert sentences.against_rule(beside) == said


def test_lift_is_silent_without_enough_people(objective: Objective, tested: Evaluation) -> None:
    assert sentences.lift(objective, replace(tested, rows=29)) is None
    assert sentences.lift(objective, replace(tested, metrics=Metrics())) is None
    assert sentences.against_rule(replace(tested, metrics=Metrics())) is None


def test_flagged_needs_thirty_people_in_the_top_fifth(objective: Objective, tested: Evaluation) -> None:
    assert plain(sentences.flagged(objective, tested)).startswith("Of 100 people in that top 20 %, 74 bought")
    assert sentences.flagged(objective, replace(tested, rows=140)) is None


def test_calibration_speaks_of_a_thousand_when_the_chance_is_small() -> None:
    rare = ReliabilityBin(0.008, 0.009, 0.005, 0.014, 4000)
    assert plain(sentences.calibration(rare, "bought")) == (
        "Of 1,000 people we gave about 0.8 %, 9 bought (likely 5–14)."
    )


def test_a_group_under_thirty_is_counted_and_not_judged() -> None:
    few = replace(BIN, observed=7 / 19, n=19)
    assert plain(sentences.calibration(few, "bought")) == "Of 19 people we gave about 30 %, 7 bought."
    assert sentences.calibration_verdict([few]) == "Too few people to judge the percentages."
    assert sentences.calibration_verdict([few, BIN]).endswith("in 1 of 1 groups.")


def test_broken_promises_are_told_with_the_worst_one() -> None:
    bad, worse = ReliabilityBin(0.5, 0.4, 0.35, 0.45, 90), ReliabilityBin(0.8, 0.5, 0.4, 0.6, 90)
    said = plain(sentences.promises([BIN, bad, worse], "bought"))
    assert "in 1 of 3 groups. Furthest off: of 100 people we gave about 80 %, 50 bought" in said
    assert "Furthest" not in sentences.promises([BIN], "bought")


def test_the_quoted_group_is_large_if_any_is() -> None:
    near_but_few, far = replace(BIN, n=10), ReliabilityBin(0.9, 0.9, 0.8, 0.95, 50)
    assert plain(sentences.promises([near_but_few, far], "bought")).startswith("Of 100 people we gave about 90 %")


@pytest.mark.parametrize(
    ("predicted", "n", "verdict"),
    [(0.30, 1000, "as predicted"), (0.50, 1000, "fewer"), (0.10, 1000, "more"), (0.90, 29, "too few")],
)
def test_a_month_is_judged_by_its_range(predicted: float, n: int, verdict: str) -> None:
    month = RealisedMonth("buying", date(2017, 8, 1), predicted, round(0.3 * n), n)
    assert sentences.month_verdict(month) == verdict


def test_only_good_news_says_that_nothing_needs_attention() -> None:
    assert sentences.headline(Headline("stale", ("Scores are 4 days old",))) == "Scores are 4 days old."


def test_metrics_are_taken_by_name_and_only_when_they_are_numbers() -> None:
    auc = (0.8, 0.7, 0.9)
    measured = {"auc": auc, "ece": (float("nan"), 0.1, 0.2), "something_else": auc}
    assert Metrics.of(measured) == Metrics(auc=Interval(*auc))


def test_months_without_enough_people_are_not_counted() -> None:
    small = RealisedMonth("buying", date(2017, 8, 1), 0.3, 7, 19)
    assert sentences.realised([small]).startswith("Too few people yet")
    assert sentences.realised([small, replace(small, realised=90, n=300)]).endswith("as predicted in 1 of 1 month.")
    assert sentences.expected(small) == "6 of 19"


def test_a_long_curve_becomes_ten_rows() -> None:
    points = [GainsPoint(step / 200, step / 200, step / 200) for step in range(201)]
    assert [round(point.people, 3) for point in sentences.tenths(points)] == [step / 10 for step in range(1, 11)]
    assert len(sentences.tenths(points[::200])) == 2
    assert sentences.tenths([]) == []


def test_money_is_never_counted_as_people(objective: Objective) -> None:
    assert plain(sentences.captured(0.4, objective, 10)) == "4 of 10"
    assert plain(sentences.captured(0.4, replace(objective, measures="money"), 10)) == "40 %"


def test_a_common_outcome_is_told_by_those_it_does_not_happen_to(objective: Objective, tested: Evaluation) -> None:
    gains = (GainsPoint(0.0, 0.0, 0.0), GainsPoint(0.8, 0.95, 0.9), GainsPoint(1.0, 1.0, 1.0))
    common = replace(tested, rows=1000, outcomes=800, base_rate=0.8, gains=gains)
    # The last 200 hold 5 % of the 800, that is 40, and so 160 of the 200 others; by the rule 120 of them.
    assert plain(sentences.lift(objective, common)) == (
        "The 20 % with the lowest scores hold 80 % of those to whom it did not happen "
        "(random 20 %, rule of thumb 60 %)."
    )
