"""Columns that seem to know the outcome: found, named, and kept out of the models."""

from dataclasses import dataclass

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from scoring.extras import COUNTED, property_of
from scoring.features import FEATURES
from scoring.gate import ENOUGH
from scoring.snapshots import Floats, Ints, Rows, Snapshots
from scoring.tables import DAY, Tables

ALONE = 0.95
"""AUC above which one column alone is too good to be true."""
MISSING = 0.9
"""The same of whether a column is known at all."""
LAG_DAYS = 7
LAG_DROP = 0.1
"""AUC a column may lose when it is read LAG_DAYS earlier."""
SUSPECT = 0.65
"""AUC below which a column cannot have told much."""
FADED = 0.05
"""How much better a column may rank people in the windows that were learned from than in later ones."""
FOLLOWS = 0.9
"""Rank correlation with a total of today from which a column is taken for that total."""
FEWEST = 30
"""People below whom no correlation is looked at."""
LEAD = 0.02
"""By how much it must follow the total of today more closely than the total at the cut-off."""


@dataclass(frozen=True)
class _Total:
    """What people had done by some instant, in words and numbers."""

    words: str
    person_ids: Ints
    values: Floats

    def of(self, person_ids: Ints) -> Floats:
        found = np.zeros(person_ids.size)
        if self.person_ids.size:
            place = np.minimum(np.searchsorted(self.person_ids, person_ids), self.person_ids.size - 1)
            found = np.where(self.person_ids[place] == person_ids, self.values[place], 0.0)
        return found


def leaks(past: Snapshots, training: Rows, test: Rows) -> dict[int, str]:
    """The columns to be kept out, by their place, and why, in one sentence each; y is taken as yes where above 0.

    Built-in features are point in time by construction; asked are the extra columns. Each must neither tell the
    outcome alone, nor by its absence, nor live on the last days before the cut-off. It must not rank people much better
    in the windows learned from than in later ones, nor follow what people have done by today rather than by the
    cut-off: counted activities cannot know what came later, so where they fade times have changed, and they are kept.
    """
    if past.extras is None:
        return {}
    late = [(int(cut), _totals(past.tables, int(cut))) for cut in np.unique(test.cuts)]
    today = _totals(past.tables, past.as_of)
    lagged = np.vstack(
        [past.extras.at(cut - LAG_DAYS * DAY, test.person_ids[test.cuts == cut]) for cut in np.unique(test.cuts)]
    )
    order = np.argsort(test.cuts, kind="stable")
    found = {}
    for extra, name in enumerate(past.extras.names):
        column = len(FEATURES) + extra
        values = test.x[:, column]
        by_today = None
        if not name.startswith(COUNTED):
            faded = _faded(training.x[:, column], training.y > 0, values, test.y > 0)
            by_today = faded or _roll_up(values, test, today, late)
        why = _too_good(values, test) or by_today or _short_lived(values[order], lagged[:, extra], test.y[order] > 0)
        if why:
            found[property_of(name)] = f"{property_of(name)} is kept out: {why}."
    return {
        len(FEATURES) + extra: found[property_of(name)]
        for extra, name in enumerate(past.extras.names)
        if property_of(name) in found
    }


def auc(values: Floats, y: NDArray[np.bool_]) -> float:
    """How well one column ranks, whichever way round; missing counts as the lowest. 0.5 with one outcome only."""
    positives = int(y.sum())
    negatives = y.size - positives
    if not positives or not negatives:
        return 0.5
    ranks = rankdata(np.nan_to_num(values, nan=-np.inf))
    area = (ranks[y].sum() - positives * (positives + 1) / 2) / (positives * negatives)
    return float(max(area, 1 - area))


def _too_good(values: Floats, test: Rows) -> str | None:
    """In any one window: what was noted after the fact knows the newest best."""
    for cut in np.unique(test.cuts):
        rows = test.cuts == cut
        y = test.y[rows] > 0
        if min(y.sum(), y.size - y.sum()) < ENOUGH:
            continue
        if (alone := auc(values[rows], y)) > ALONE:
            return f"alone it tells the outcome with an AUC of {alone:.2f}, which is too good to be true"
        if (known := auc(np.isfinite(values[rows]).astype(float), y)) > MISSING:
            return f"whether it is known at all tells the outcome with an AUC of {known:.2f}"
    return None


def _faded(before: Floats, y_before: NDArray[np.bool_], values: Floats, y: NDArray[np.bool_]) -> str | None:
    """A value of today knows how the old windows went."""
    old, new = auc(before, y_before), auc(values, y)
    if old > SUSPECT and old - new > FADED and min(y.sum(), y.size - y.sum()) >= 50:
        return f"its AUC falls from {old:.2f} in the windows learned from to {new:.2f} in later ones"
    return None


def _roll_up(values: Floats, test: Rows, today: list[_Total], late: list[tuple[int, list[_Total]]]) -> str | None:
    for cut, totals in late:
        rows = (test.cuts == cut) & np.isfinite(values)
        then = {total.words: total for total in totals}
        for total in today:
            if total.words not in then or rows.sum() < FEWEST:
                continue
            now = _rank_correlation(values[rows], total.of(test.person_ids[rows]))
            if now > FOLLOWS:
                before = _rank_correlation(values[rows], then[total.words].of(test.person_ids[rows]))
                if now > before + LEAD:
                    return f"it follows {total.words} up to today (rank correlation {now:.2f}), not up to then"
    return None


def _short_lived(values: Floats, lagged: Floats, y: NDArray[np.bool_]) -> str | None:
    new = auc(values, y)
    if new > SUSPECT and (old := auc(lagged, y)) < new - LAG_DROP:
        return f"read {LAG_DAYS} days earlier its AUC falls from {new:.2f} to {old:.2f}: it moves with the outcome"
    return None


def _totals(tables: Tables, cut: int) -> list[_Total]:
    """Of each kind of activity: how many, how much money, and the newest, per person."""
    rows = (
        tables.until(cut)
        .activities.group_by("person_id", "kind")
        .agg(
            many=nw.len().cast(nw.Float64),
            money=nw.col("amount").fill_null(0).sum().cast(nw.Float64),
            newest=nw.col("at").max().cast(nw.Float64),
        )
        .sort("person_id")
        .collect("pyarrow")
    )
    person, kind = rows["person_id"].to_numpy(), np.array(rows["kind"].to_list(), dtype=object)
    return [
        _Total(f'the {words} of "{each}"', person[kind == each], rows[name].to_numpy()[kind == each])
        for each in sorted(set(kind.tolist()))
        if np.count_nonzero(kind == each) >= FEWEST
        for name, words in (("many", "number"), ("money", "money"), ("newest", "last day"))
    ]


def _rank_correlation(one: Floats, other: Floats) -> float:
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return abs(float(np.corrcoef(rankdata(one), rankdata(other))[0, 1]))
