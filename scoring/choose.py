"""Choose between the rungs: the simplest whose predictions are not clearly worse than the best, or none at all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from scoring.calibrate import ENOUGH_FOR_SLOPE
from scoring.evaluate import Evaluation, Interval

TOTALS = (0.8, 1.25)
"""Predicted over actual money in which a model of value has to lie."""
SIMPLE = ("rules", "btyd")
"""Rungs of few parameters: they cannot learn much noise."""
NOBODY = "nobody"
"""The name under which the same prediction for everyone takes part: what any rung has to beat."""

Gain = Callable[[str, str], Interval]
"""How much better the first of two rungs is than the second, with the paired interval over people."""


@dataclass(frozen=True)
class Choice:
    """The chosen rung ("" for none) and, in one plain sentence, why."""

    rung: str
    why: str


def choose(names: Sequence[str], judged: Mapping[str, Evaluation], gain: Gain) -> Choice:
    """Of `names`, simplest first, beginning with the rule of thumb; `gain` knows NOBODY too, except for money.

    A model is only preferred when it is surely better than the rule of thumb. With few outcomes to check on only
    buy-till-you-die may take its place, a model of few parameters, or any model where the rule has no skill at all.
    Nothing is chosen when the best of what is left is not surely better than the same for everyone.
    """
    rule, *models = names
    rarer = min(judged[rule].outcomes, judged[rule].n - judged[rule].outcomes)
    thin = rarer < ENOUGH_FOR_SLOPE
    skilled = [name for name in names if _has_skill(judged[name], name, gain)]
    if not skilled:
        return Choice("", _no_skill(judged))
    allowed = [name for name in models if name in skilled and _totals(judged[name])]
    if thin and rule in skilled:
        allowed = [name for name in allowed if name in SIMPLE]
    ahead = [
        name
        for name in allowed
        if rule not in skilled or gain(name, rule).low > 0 or (thin and _trusted(gain, name, rule))
    ]
    best = max(ahead, key=lambda name: gain(name, rule).value, default=rule)
    for name in ahead:
        if name == best or gain(best, name).low <= 0:
            return Choice(name, _because(name, rule, judged, gain, rarer if thin else None))
    if thin:
        return Choice(
            rule,
            f"The rule of thumb is used: only {rarer} outcomes to check on, "
            f"{ENOUGH_FOR_SLOPE} are needed to tell models apart.",
        )
    top = max(models, key=lambda name: gain(name, rule).value, default=None)
    if top is None or gain(top, rule).value <= 0:
        return Choice(rule, "The rule of thumb is used: no model beat it.")
    margin = _margin(gain(top, rule), judged[rule])
    return Choice(rule, f"The rule of thumb is used: the best model, {_spelled(top)}, {margin}, which may be luck.")


def _trusted(gain: Gain, name: str, rule: str) -> bool:
    """With few outcomes the check can hardly tell: what knows how buyers behave stands unless it is surely worse."""
    return name in SIMPLE and gain(name, rule).high >= 0


def _because(name: str, rule: str, judged: Mapping[str, Evaluation], gain: Gain, rarer: int | None) -> str:
    if gain(name, rule).low <= 0:
        return (
            f"{_spelled(name).capitalize()} is used: it does better than chance, and with {judged[name].outcomes:,} "
            "outcomes to check on it is not clearly worse than the rule of thumb."
        )
    on = f"on {judged[name].n:,} later predictions it {_margin(gain(name, rule), judged[rule])}"
    text = f"{_spelled(name).capitalize()} is used: {on} than the rule of thumb."
    return text if rarer is None else f"{text} With {rarer} outcomes to check on only simple models compete."


def _margin(gain: Interval, rule: Evaluation) -> str:
    if "gini" in rule.metrics:
        return f"ranks better by {gain.value:.3f} Gini (likely {gain.low:.3f} to {gain.high:.3f})"
    value, low, high = (100 * number / rule.metrics["log_loss"].value for number in (gain.value, gain.low, gain.high))
    return f"misses by {value:.1f} % (likely between {low:.1f} and {high:.1f} %) less"


def _spelled(name: str) -> str:
    return {"btyd": "buy-till-you-die", "tree": "a decision tree", "forest": "a random forest"}.get(name, name)


def _has_skill(evaluation: Evaluation, name: str, gain: Gain) -> bool:
    """Whether it surely ranks better than chance, and is better in log-loss too: a model of many weights surely so."""
    if "auc" in evaluation.metrics:
        better = gain(name, NOBODY)
        return evaluation.metrics["auc"].low > 0.5 and (better.value if name in SIMPLE else better.low) > 0
    return evaluation.metrics["gini"].low > 0


def _totals(evaluation: Evaluation) -> bool:
    """Whether its total may be right; only money has one."""
    ratio = evaluation.metrics.get("total_ratio")
    return ratio is None or (ratio.high >= TOTALS[0] and ratio.low <= TOTALS[1])


def _no_skill(judged: Mapping[str, Evaluation]) -> str:
    """What the best of them reached."""
    measure, words = ("auc", "an AUC") if "auc" in next(iter(judged.values())).metrics else ("gini", "a Gini")
    name = max(judged, key=lambda each: judged[each].metrics[measure].value)
    found = judged[name].metrics[measure]
    spelled = "the rule of thumb" if name == "rules" else _spelled(name)
    return (
        f"Nothing tells people apart better than chance yet: the best, {spelled}, "
        f"ranked {judged[name].n:,} later outcomes with {words} of {found.value:.2f} "
        f"(likely {found.low:.2f} to {found.high:.2f})."
    )
