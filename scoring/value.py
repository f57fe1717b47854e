"""How far what people spend lies from what was expected: a range around every expected value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scoring.model import Model, respond
from scoring.snapshots import Floats

COVERAGE = 0.9
"""Share of people whose spend is to lie within their range."""
GROUPS = 5
"""The range is learned by fifths of the expected value: small buyers are off by other factors than big ones."""
FEWEST = 30
"""Checked rows a group needs to have a range of its own."""


@dataclass(frozen=True)
class Spread:
    """For expected values up to each of `edges` (cents): the actual spend lay between `low` and `high` times them."""

    edges: Floats
    low: Floats
    high: Floats

    @classmethod
    def read(cls, kept: Mapping[str, Sequence[float]]) -> "Spread":
        """The inverse of `kept`."""
        return cls(*(np.asarray(kept[name], dtype=np.float64) for name in ("edges", "low", "high")))

    def kept(self) -> dict[str, list[float]]:
        """As lists, for JSON."""
        return {"edges": self.edges.tolist(), "low": self.low.tolist(), "high": self.high.tolist()}

    def around(self, expected: Floats) -> tuple[Floats, Floats]:
        """The range (cents) around each expected value."""
        group = np.searchsorted(self.edges, expected, side="left")
        return expected * self.low[group], expected * self.high[group]


def spread(model: Model) -> Spread | None:
    """The split-conformal range of `model`, from the rows it was judged on, which it had not learned from.

    Per group the quantiles of actual / expected, widened for the number of rows (Vovk 2005): about COVERAGE of new
    people lie within, as long as times stay alike. None without such rows, or for an objective that is not money.
    """
    if model.check is None or not model.objective.in_money or model.rung not in model.check.links:
        return None
    return fitted(model.check.y, respond(model.check.links[model.rung], model.objective))


def fitted(actual: Floats, expected: Floats, coverage: float = COVERAGE) -> Spread | None:
    """The range by what was expected of people and what they spent (cents); None with fewer than FEWEST rows."""
    groups = min(GROUPS, actual.size // FEWEST)
    if groups < 1:
        return None
    edges = np.unique(np.quantile(expected, np.arange(1, groups) / groups)) if groups > 1 else np.empty(0)
    place = np.searchsorted(edges, expected, side="left")
    ranges = [
        _quantiles(actual[place == group] / expected[place == group], coverage) for group in range(edges.size + 1)
    ]
    low, high = np.array(ranges).T
    # What is expected lies within, also where hardly anybody spends anything.
    return Spread(edges, np.minimum(low, 1.0), np.maximum(high, 1.0))


def _quantiles(ratio: Floats, coverage: float) -> tuple[float, float]:
    """The bounds of the middle `coverage`: from nothing where more than the lower tail spent nothing."""
    n, tail = ratio.size, (1 - coverage) / 2
    none = float((ratio <= 0).mean())
    if none >= tail:
        # Nobody can spend less than nothing, so all of the tail lies above.
        return 0.0, float(np.sort(ratio)[min(int(np.ceil((n + 1) * coverage)), n) - 1])
    ordered = np.sort(ratio)
    low = max(int(np.floor((n + 1) * tail)), 1)
    return float(ordered[low - 1]), float(ordered[min(int(np.ceil((n + 1) * (1 - tail))), n) - 1])
