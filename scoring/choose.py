"""Choose between the rungs: the simplest whose predictions are not clearly worse than the best."""

from collections.abc import Mapping
from dataclasses import dataclass

from scoring.calibrate import ENOUGH_FOR_SLOPE
from scoring.evaluate import Evaluation, Interval, difference
from scoring.snapshots import Floats, Ints


@dataclass(frozen=True)
class Choice:
    """The chosen rung and, in one plain sentence, why."""

    rung: str
    why: str


def choose(losses: Mapping[str, Floats], judged: Mapping[str, Evaluation], person_ids: Ints, seed: int) -> Choice:
    """`losses` per test row and the evaluation of each rung, simplest first; the first one is the rule of thumb.

    A model is only preferred when it is surely better than the rule of thumb.
    """
    rule = next(iter(losses))
    rarer = min(judged[rule].outcomes, judged[rule].n - judged[rule].outcomes)
    if rarer < ENOUGH_FOR_SLOPE:
        return Choice(
            rule,
            f"The rule of thumb is used: only {rarer} outcomes to check on, "
            f"{ENOUGH_FOR_SLOPE} are needed to tell models apart.",
        )
    gains = {name: difference(losses[rule], losses[name], person_ids, seed) for name in losses if name != rule}
    best = min(losses, key=lambda name: float(losses[name].mean()))
    behind = {name: difference(losses[name], losses[best], person_ids, seed) for name in gains}
    for name, gain in gains.items():
        if gain.low > 0 and behind[name].low <= 0 and _has_skill(judged[name]):
            return Choice(name, f"{_spelled(name).capitalize()} is used: on {judged[name].n:,} later predictions it "
                          f"misses by {_percent(gain, losses[rule])} less than the rule of thumb.")  # fmt: skip
    if not _has_skill(judged[rule]):
        return Choice(rule, "Nothing tells people apart better than chance yet: everyone gets about the same.")
    if best == rule:
        return Choice(rule, "The rule of thumb is used: no model beat it.")
    margin = _percent(gains[best], losses[rule])
    return Choice(
        rule,
        f"The rule of thumb is used: the best model, {_spelled(best)}, misses by {margin} less, which may be luck.",
    )


def _spelled(name: str) -> str:
    return "buy-till-you-die" if name == "btyd" else name


def _percent(gain: Interval, losses: Floats) -> str:
    value, low, high = (100 * number / float(losses.mean()) for number in (gain.value, gain.low, gain.high))
    return f"{value:.1f} % (likely between {low:.1f} and {high:.1f} %)"


def _has_skill(evaluation: Evaluation) -> bool:
    """Whether the ranking is surely better than chance: AUC above one half, or a gains curve above the diagonal."""
    if "auc" in evaluation.metrics:
        return evaluation.metrics["auc"].low > 0.5
    return evaluation.metrics["gini"].low > 0
