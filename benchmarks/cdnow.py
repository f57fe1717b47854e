"""Buy-till-you-die models on the CDNOW sample (a tenth of the customers), beside the published values.

Learned from weeks 1 to 39, checked on weeks 40 to 78; purchases of one day are one. The data come with the package
`lifetimes` (`pip install --no-deps lifetimes`), which is only read, never imported.
Published: BG/NBD and Pareto/NBD in Fader, Hardie, Lee 2005; MBG/NBD by the R package BTYDplus; Gamma-Gamma in Fader,
Hardie 2013. Run: python -m benchmarks.cdnow
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from scoring.btyd.bgnbd import BgNbd, MbgNbd
from scoring.btyd.counts import Summary, summary
from scoring.btyd.gamma_gamma import GammaGamma
from scoring.btyd.pareto import ParetoNbd
from scoring.snapshots import Floats, Ints
from scoring.tables import DAY

CUT = date(1997, 10, 1)
END = date(1998, 7, 1)
"""The day after the last one known."""
WEEKS = 39
MODELS: Mapping[str, type[BgNbd] | type[ParetoNbd]] = {"BG/NBD": BgNbd, "MBG/NBD": MbgNbd, "Pareto/NBD": ParetoNbd}
PUBLISHED: Mapping[str, Mapping[str, float]] = {
    "BG/NBD": {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426, "LL": -9582.4, "corr": 0.626},
    "MBG/NBD": {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614},
    "Pareto/NBD": {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669, "LL": -9595.0, "corr": 0.630},
    "Gamma-Gamma": {"p": 6.25, "q": 3.74, "v": 15.44},
}


@dataclass(frozen=True)
class Sample:
    """People as known at CUT, and what each bought after it: days with a purchase, and cents."""

    known: Summary
    later: Ints
    later_cents: Floats


def micros(day: date) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1_000_000)


def path() -> Path | None:
    """The data file, None when its package is not installed."""
    try:
        found = distribution("lifetimes")
    except PackageNotFoundError:
        return None
    return Path(str(found.locate_file("lifetimes/datasets/CDNOW_sample.txt")))


def read(file: Path) -> Sample:
    """The sample from lines of: id in the master data, id, date, number of CDs, dollars."""
    lines = [line.split() for line in file.read_text(encoding="ascii").splitlines()]
    people = np.array([int(line[1]) for line in lines])
    at = np.array([micros(date.fromisoformat(line[2])) for line in lines])
    cents = np.array([round(float(line[4]) * 100) for line in lines])
    known = summary(people, at, cents, micros(CUT))
    after = (at >= micros(CUT)) & (at < micros(END))
    days = np.unique(np.column_stack([people[after], at[after] // DAY]), axis=0)[:, 0]
    edges = np.append(known.person_ids, known.person_ids[-1] + 1)
    spent = np.histogram(people[after], edges, weights=cents[after].astype(np.float64))[0]
    return Sample(known, np.histogram(days, edges)[0], spent)


def counting(model: type[BgNbd] | type[ParetoNbd], sample: Sample) -> dict[str, float]:
    """Parameters and measures of one model of how often people buy."""
    start = time.perf_counter()
    fitted = model.fit(sample.known.purchases)
    expected = fitted.expected(sample.known.purchases, WEEKS)
    seconds = time.perf_counter() - start
    parameters = {each.name: getattr(fitted, each.name) for each in fields(fitted) if each.name != "converged"}
    return parameters | {
        "LL": float(fitted.log_likelihood(sample.known.purchases).sum()),
        **measures(expected, sample),
        "seconds": seconds,
    }


def measures(expected: Floats, sample: Sample) -> dict[str, float]:
    """How far off, how well in line, how much in all, and how well those who bought are told from those who did not."""
    return {
        "MAE": float(np.abs(expected - sample.later).mean()),
        "corr": float(np.corrcoef(expected, sample.later)[0, 1]),
        "total": float(expected.sum() / sample.later.sum() - 1),
        "AUC": float(roc_auc_score(sample.later > 0, expected)),
    }


def spending(sample: Sample) -> dict[str, float]:
    """Parameters of Gamma-Gamma in dollars, and the spend it and Pareto/NBD expect against what was spent."""
    known = sample.known
    start = time.perf_counter()
    fitted = GammaGamma.fit(known.purchases.x, known.spend / 100)
    each = fitted.expected(known.purchases.x, known.spend / 100)
    seconds = time.perf_counter() - start
    total = each * ParetoNbd.fit(known.purchases).expected(known.purchases, WEEKS)
    return {
        "p": fitted.p,
        "q": fitted.q,
        "v": fitted.v,
        "MAE": float(np.abs(total - sample.later_cents / 100).mean()),
        "corr": float(np.corrcoef(total, sample.later_cents)[0, 1]),
        "total": float(total.sum() / (sample.later_cents.sum() / 100) - 1),
        "seconds": seconds,
    }


def show(name: str, found: Mapping[str, float]) -> None:
    """One row, and below it what was published of it."""
    digits = {"LL": 1, "MAE": 4, "AUC": 4, "p": 2, "q": 2, "v": 2, "seconds": 2}
    for title, values in ((name, found), ("  published", PUBLISHED.get(name, {}))):
        if values:
            cells = (f"{key} {values[key]:.{digits.get(key, 3)}f}" if key in values else "" for key in found)
            row = " ".join(f"{cell:<{len(key) + 8}}" for cell, key in zip(cells, found, strict=True))
            print(f"{title:<13} {row}".rstrip())


def main() -> None:
    file = path()
    if file is None:
        raise SystemExit("The CDNOW sample comes with the package lifetimes: pip install --no-deps lifetimes")
    sample = read(file)
    bought = sample.known.purchases
    print(f"{bought.x.size:,} people, {bought.x.sum():,.0f} repeat purchases to week 39, {sample.later.sum():,} after")
    for name, model in MODELS.items():
        show(name, counting(model, sample))
    show("x / T", measures(bought.x / bought.age * WEEKS, sample))
    print(
        f"\nSpend in dollars, from {(bought.x > 0).sum():,} repeat buyers; measures: times Pareto/NBD, weeks 40 to 78"
    )
    show("Gamma-Gamma", spending(sample))


if __name__ == "__main__":
    main()
