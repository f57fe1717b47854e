"""The findings in whole sentences for marketers: what the pictures say, good or bad."""

from collections.abc import Sequence

from sync.counted import counted
from sync.report.data import Headline, Objective, RealisedMonth
from sync.report.evaluation import Evaluation, GainsPoint, Interval, ReliabilityBin
from sync.report.numbers import FEWEST_FOR_PERCENT, likely, percent, portion, proportion_range, whole

STATUS_WORDS = {
    "ok": "All in order",
    "degraded": "Works, with limits",
    "stale": "Scores are old",
    "refused": "Refused: nothing was written",
}
MODE_WORDS = {
    "shadow": "Shadow: scores are computed, nothing is written",
    "pilot": "Pilot: only a part of the contacts is written",
    "full": "Full: everyone is written",
}
_EXAMPLE = 0.30
COMMON = 0.5
"""Above this share of people, an outcome is told by those it does not happen to."""


def headline(head: Headline) -> str:
    """The header sentence with the number of things to look at."""
    count = len(head.things)
    look = f"{counted(count, 'thing')} to look at." if count else ""
    if not count and head.status == "ok":
        look = "Nothing needs your attention."
    return f"{', '.join(head.parts)}. {look}".strip() if head.parts else look


def captured(share: float, objective: Objective, outcomes: int) -> str:
    """A share of all outcomes; counted when there are fewer than thirty of them."""
    if objective.measures == "people" and outcomes < FEWEST_FOR_PERCENT:
        return portion(round(share * outcomes), outcomes)
    return percent(share)


def lift(objective: Objective, evaluation: Evaluation) -> str | None:
    """What the best fifth by score holds, beside chance and the rule of thumb."""
    found, rule = evaluation.metrics.capture_20, evaluation.rule.capture_20
    if found is None or evaluation.rows < FEWEST_FOR_PERCENT:
        return None
    if objective.measures == "people" and evaluation.base_rate > COMMON and evaluation.gains:
        return _weakest(evaluation)
    compared = [f"random {percent(0.2)}"]
    if rule is not None:
        compared.append(f"rule of thumb {captured(rule.value, objective, evaluation.outcomes)}")
    held = captured(found.value, objective, evaluation.outcomes)
    held += " of" if "%" in held else ""  # "41 % of later buyers", but "7 of 19 later buyers"
    return f"The top {percent(0.2)} hold {held} {objective.noun} ({', '.join(compared)})."


def _weakest(evaluation: Evaluation) -> str:
    """What the last fifth by score holds: where it happens to most people, the best fifth can hold but few of them."""
    point = min(evaluation.gains, key=lambda each: abs(each.people - 0.8))
    others = evaluation.rows - evaluation.outcomes
    left = (1 - point.people) * evaluation.rows

    def spared(found: float) -> str:
        return percent((left - (1 - found) * evaluation.outcomes) / others) if others else percent(0)

    return (
        f"The {percent(1 - point.people)} with the lowest scores hold {spared(point.outcomes)} of those to whom it did "
        f"not happen (random {percent(1 - point.people)}, rule of thumb {spared(point.rule)})."
    )


def against_rule(evaluation: Evaluation) -> str | None:
    """Whether the scores find more than the rule of thumb, judged by the likely range."""
    found, rule = evaluation.metrics.capture_20, evaluation.rule.capture_20
    if found is None or rule is None:
        return None
    if found.value == rule.value:
        return "The rule of thumb does just as well."
    if rule.value < found.low:
        return "Clearly better than the rule of thumb."
    if rule.value > found.high:
        return "Worse than the rule of thumb."
    return "Not clearly different from the rule of thumb."


def tenths(points: Sequence[GainsPoint]) -> list[GainsPoint]:
    """The points of the curve nearest to 10 %, 20 % … 100 %: enough for a table."""
    nearest = (min(points, key=lambda p: abs(p.people - step / 10)) for step in range(1, 11)) if points else ()
    return list(dict.fromkeys(nearest))


def flagged(objective: Objective, evaluation: Evaluation) -> str | None:
    """Of 100 flagged people, how many it happened to."""
    found = evaluation.metrics.precision
    if found is None or round(evaluation.rows / 5) < FEWEST_FOR_PERCENT:
        return None
    return f"Of 100 people in that top {percent(0.2)}, {found.value * 100:.0f} {objective.verb} ({likely(found)})."


def calibration(one: ReliabilityBin, verb: str) -> str:
    """Do the percentages come true: "Of 100 people we gave about 30 %, 28 bought (likely 22–35)"."""
    if one.n < FEWEST_FOR_PERCENT:
        return f"Of {counted(one.n, 'person')} we gave about {percent(one.predicted)}, {hits(one)} {verb}."
    scale = 100 if one.predicted >= 0.05 else 1000
    happened = f"{one.observed * scale:.0f} {verb} ({likely(Interval(one.observed, one.low, one.high), scale)})"
    return f"Of {whole(scale)} people we gave about {percent(one.predicted)}, {happened}."


def promises(bins: Sequence[ReliabilityBin], verb: str) -> str:
    """An example, how many groups kept the promise, and the group furthest off."""
    example = min(bins, key=lambda one: (one.n < FEWEST_FOR_PERCENT, abs(one.predicted - _EXAMPLE)))
    broken = [one for one in bins if one.n >= FEWEST_FOR_PERCENT and not as_promised(one)]
    worst = max(broken, key=lambda one: abs(one.predicted - one.observed), default=None)
    said = [calibration(example, verb), calibration_verdict(bins)]
    if worst is not None and worst != example:
        said.append(f"Furthest off: {calibration(worst, verb)[0].lower()}{calibration(worst, verb)[1:]}")
    return " ".join(said)


def calibration_verdict(bins: Sequence[ReliabilityBin]) -> str:
    """In how many groups the promise lies in the likely range; groups under thirty people do not count."""
    judged = [one for one in bins if one.n >= FEWEST_FOR_PERCENT]
    if not judged:
        return "Too few people to judge the percentages."
    kept = sum(as_promised(one) for one in judged)
    return f"What we promised lies in the likely range in {kept} of {len(judged)} groups."


def as_promised(one: ReliabilityBin) -> bool:
    """Whether the mean prediction lies in the likely range of what happened."""
    return one.low <= one.predicted <= one.high


def hits(one: ReliabilityBin) -> int:
    """How many people of the group it happened to."""
    return round(one.observed * one.n)


def month_verdict(month: RealisedMonth) -> str:
    """Whether a month went as predicted, or it happened to fewer or to more people."""
    if month.n < FEWEST_FOR_PERCENT:
        return "too few"
    seen = proportion_range(month.realised, month.n)
    if month.predicted > seen.high:
        return "fewer"
    return "more" if month.predicted < seen.low else "as predicted"


def expected(month: RealisedMonth) -> str:
    """What was predicted for a month, as a percentage or as people when there are few."""
    return portion(round(month.predicted * month.n), month.n)


def realised(months: Sequence[RealisedMonth]) -> str:
    """In how many months what happened was in the range of what was predicted."""
    verdicts = [month_verdict(month) for month in months if month.n >= FEWEST_FOR_PERCENT]
    if not verdicts:
        return "Too few people yet to compare predictions with what happened."
    months_told = counted(len(verdicts), "month")
    return f"What happened was as predicted in {verdicts.count('as predicted')} of {months_told}."
