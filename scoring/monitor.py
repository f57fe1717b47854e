"""What is wrong with predictions, in the order of what to believe first: data, realised calibration, realised ranking,
drift. Each finding says its numbers, the likely cause and what to do next.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from scoring.ledger import Realised
from scoring.snapshots import Floats

Kind = Literal["data", "calibration", "ranking", "drift"]
ORDER: tuple[Kind, ...] = ("data", "calibration", "ranking", "drift")

USUAL_WEEKS = 12
"""Weeks before the last one that say what is usual."""
FAR = 3.0
"""Standard deviations a week has to be away from the usual …"""
LARGE = 0.3
"""… and the share it has to differ by, before it is worth a word: with many people everything is significant."""
WORTH_A_WORD = (0.02, 0.2)
"""Distance of predicted and realised share, and of the slope from 1, below which being surely off does no harm."""
FEWEST = 50
"""People with, and without, the outcome below which a month is not judged."""
DRIFTED = 0.25
"""The usual rule of thumb for the stability index (PSI); it says nothing about quality, so it is a hint only."""

AGES = tuple(range(90, 3651, 90))
"""Days known at which people count as a group of another age."""
BINS = 10
"""Bins of the stability index."""


@dataclass(frozen=True)
class Finding:
    """Something to look at; a `hint` is no alarm: nothing has to be done because of it."""

    kind: Kind
    about: str
    """The objective it is about, or what kind of activity."""
    numbers: str
    cause: str
    next_step: str
    hint: bool = False

    @property
    def text(self) -> str:
        """All of it in one line."""
        return f"{self.about}: {self.numbers}. Most likely {self.cause}. Next: {self.next_step}"


@dataclass(frozen=True)
class Weeks:
    """Activities of one kind in the last weeks, oldest first, the last one being the week that ends now."""

    kind: str
    count: tuple[int, ...]
    machine: tuple[int, ...]
    """Of these, how many were not by a person."""
    no_amount: tuple[int, ...]
    """Of these, how many lack the amount."""


def data_findings(weeks: Sequence[Weeks]) -> Iterator[Finding]:
    """Weeks with far more or far fewer activities than usual, or with another share of machines or missing amounts."""
    for each in weeks:
        if len(each.count) <= USUAL_WEEKS or not any(each.count[-USUAL_WEEKS - 1 : -1]):
            continue
        usual, last = np.array(each.count[-USUAL_WEEKS - 1 : -1], dtype=np.float64), each.count[-1]
        # Activities come in bursts: never less than the spread of independent ones.
        spread = max(float(usual.std()), float(usual.mean()) ** 0.5)
        away = (last - usual.mean()) / spread
        if abs(away) > FAR and abs(last - usual.mean()) > LARGE * usual.mean():
            yield Finding(
                "data",
                each.kind,
                f"{last:,} in the last 7 days, {usual.mean():,.0f} a week before ({away:+.1f} standard deviations)",
                "a filter, a missing right or a platform that stopped sending" if away < 0 else "an import",
                "foretag doctor; scores are only as good as what was read",
            )
        for part, name in ((each.machine, "by machines"), (each.no_amount, "without an amount")):
            before = sum(part[-USUAL_WEEKS - 1 : -1]) / max(usual.sum(), 1.0)
            now = part[-1] / max(last, 1)
            if last >= FEWEST and abs(now - before) > LARGE:
                yield Finding(
                    "data",
                    each.kind,
                    f"{now:.0%} {name} in the last 7 days, {before:.0%} before",
                    "a changed source or field on the platform",
                    "look at one of the new records on the platform",
                )


def calibration_finding(about: str, months: Sequence[Realised]) -> Finding | None:
    """Percentages that did not come true two months running, oldest month first; the newest two are judged."""
    judged = [month for month in months if enough(month)][-2:]
    if len(judged) < 2 or not all(_off(month) for month in judged):
        return None
    newest = judged[-1]
    assert newest.line is not None
    level, slope = newest.line.level, newest.line.slope
    return Finding(
        "calibration",
        about,
        f"two months running not as predicted; last {newest.predicted_mean:.1%} predicted, {newest.observed_mean:.1%} "
        f"happened (level {level.value:+.2f}, likely {level.low:+.2f} to {level.high:+.2f}; slope {slope.value:.2f}, "
        f"likely {slope.low:.2f} to {slope.high:.2f})",
        "a season or an offer that the past did not hold",
        "the level is set anew every month; if it stays: foretag score --train, then foretag models compare",
    )


def ranking_finding(about: str, months: Sequence[Realised]) -> Finding | None:
    """A model that ranked surely worse than the rule of thumb in the newest month, or worse two months running."""
    judged = [month for month in months if enough(month) and month.rule is not None][-2:]
    if not judged:
        return None
    pairs = [(month.model.metrics["auc"], month.rule.metrics["auc"]) for month in judged if month.rule is not None]
    model, rule = pairs[-1]
    if not (model.high < rule.value or (len(pairs) == 2 and all(mine.value < its.value for mine, its in pairs))):
        return None
    return Finding(
        "ranking",
        about,
        f"AUC {model.value:.3f} (likely {model.low:.3f} to {model.high:.3f}), the rule of thumb had {rule.value:.3f}",
        "people behave otherwise than when the model was trained",
        "foretag models compare; foretag models rollback, or [model] candidates without this model",
    )


@dataclass(frozen=True)
class Scores:
    """What was said of people at one instant, and since how many days each was known then (NaN: not known)."""

    values: Floats
    ages: Floats

    def groups(self) -> dict[int, Floats]:
        """The values by AGES, of ages that FEWEST people or more have."""
        place = np.where(np.isfinite(self.ages), np.searchsorted(AGES, self.ages, side="right"), -1)
        return {
            int(age): self.values[place == age] for age in np.unique(place) if np.count_nonzero(place == age) >= FEWEST
        }


def drift_hint(about: str, then: Scores, now: Scores) -> Finding | None:
    """Scores that moved since the model began, of people who have been known for as long as those they are held
    against: that everybody grows older is no drift. Scores often move without the quality changing.
    """
    before, after = then.groups(), now.groups()
    alike = sorted(before.keys() & after.keys())
    if not alike:
        return None
    # Of small groups chance alone makes some: that much is taken off.
    by_chance = [(BINS - 1) * (1 / before[age].size + 1 / after[age].size) for age in alike]
    indices = [stability(before[age], after[age]) - each for age, each in zip(alike, by_chance, strict=True)]
    if (index := float(np.average(indices, weights=[after[age].size for age in alike]))) < DRIFTED:
        return None
    return Finding(
        "drift",
        about,
        "scores are spread otherwise than when the model began, among people known for as long "
        f"(stability index {index:.2f})",
        "other customers than then, or a season",
        "nothing, unless predictions stop coming true",
        hint=True,
    )


def stability(then: Floats, now: Floats) -> float:
    """The population stability index over BINS of equally many of `then`; 0 when nothing moved."""
    edges = np.unique(np.quantile(then, np.linspace(0, 1, BINS + 1))[1:-1])
    shares = [
        np.maximum(np.bincount(np.searchsorted(edges, values), minlength=edges.size + 1) / values.size, 1e-4)
        for values in (then, now)
    ]
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def enough(month: Realised) -> bool:
    """Whether a month holds enough people with, and without, the outcome to be judged."""
    return month.line is not None and min(month.model.outcomes, month.model.n - month.model.outcomes) >= FEWEST


def _off(month: Realised) -> bool:
    """Whether the level is surely not 0, or the slope surely not 1, and by enough to matter."""
    assert month.line is not None
    level, slope = month.line.level, month.line.slope
    share, tilt = WORTH_A_WORD
    level_off = (level.low > 0 or level.high < 0) and abs(month.predicted_mean - month.observed_mean) >= share
    slope_off = (slope.low > 1 or slope.high < 1) and abs(slope.value - 1) >= tilt
    return level_off or slope_off
