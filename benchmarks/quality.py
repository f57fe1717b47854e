"""How good the scoring is, beside targets that were set before: every number with its interval and a verdict.

Data: CDNOW and CompleteJourney, read as anybody's table would be. Features, families trees may mix, ridge and bends
were chosen on CompleteJourney's cut-offs 2017-09-01 to 2017-11-01, buy-till-you-die on CDNOW's 1997-12-01 and
1998-02-01; docs/explain/scores.md lists what was looked at besides. Targets of AUC and Gini are judged on the last
cut-off of each, the comparison with the simple rungs on all three. The part `untouched` is a table on which nothing
was chosen.
Run: python -m benchmarks.quality [part …], parts as in PARTS; `make bench-quality` runs them all, and the loop.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from benchmarks import cdnow as sample
from benchmarks import loop_quality
from benchmarks.shops import cdnow, journey, lifetime_redemptions, micros, untouched
from scoring.evaluate import Evaluation, Interval, evaluate, miscalibration
from scoring.extras import Extras, Static
from scoring.features import FEATURES
from scoring.intake import Intake, midnight_after
from scoring.model import Model
from scoring.objectives import Kind, Objective, labels, silence
from scoring.predict import predict
from scoring.rhythm import RHYTHM
from scoring.snapshots import Floats, Snapshots
from scoring.tables import Tables
from scoring.train import USUAL, train

SEED = 7
CDNOW_CUTS = ("1997-12-01", "1998-02-01", "1998-04-01")
JOURNEY_CUTS = ("2017-10-01", "2017-11-01", "2017-12-01")
JOURNEY_CHURN_CUTS = ("2017-09-01", "2017-10-01", "2017-11-01")
"""The data end with December: horizons of up to 60 days are over for these."""
UNTOUCHED_CUTS = ("2014-07-01", "2014-09-01", "2014-12-01")
SIMPLE = ("rules", "btyd")
"""L0 and L1 of the ladder: what a model must not fall behind."""


@dataclass(frozen=True)
class Told:
    """One number beside its target: `at_least` or at most, or any distance `within`."""

    what: str
    found: Interval
    target: float
    at_least: bool = True
    within: float | None = None

    @property
    def met(self) -> bool:
        """Whether the number is where it should be."""
        if self.within is not None:
            return abs(self.found.value - self.target) <= self.within
        return self.found.value >= self.target if self.at_least else self.found.value <= self.target

    def __str__(self) -> str:
        low_high = "" if np.isnan(self.found.low) else f" [{self.found.low:.4g}, {self.found.high:.4g}]"
        sign = "" if self.within is None else f" ± {self.within:g}"
        wanted = (sign and f"{self.target:g}{sign}") or f"{'≥' if self.at_least else '≤'} {self.target:g}"
        return f"{'met   ' if self.met else 'MISSED'}  {self.what}: {self.found.value:.5g}{low_high}, target {wanted}"


def plain(value: float) -> Interval:
    """A number without an interval."""
    return Interval(value, float("nan"), float("nan"))


def published() -> Iterator[Told]:
    """Buy-till-you-die models on the CDNOW sample."""
    file = sample.path()
    if file is None:
        raise SystemExit("The CDNOW sample comes with the package lifetimes: pip install --no-deps lifetimes")
    shop = sample.read(file)
    for name, likelihood in (("BG/NBD", -9582.4), ("MBG/NBD", -9582.1), ("Pareto/NBD", -9595.0)):
        found = sample.counting(sample.MODELS[name], shop)
        yield Told(f"CDNOW sample, {name}, log-likelihood", plain(found["LL"]), likelihood, within=0.1)
        if name == "Pareto/NBD":
            yield Told(
                "CDNOW sample, Pareto/NBD, mean error on the hold-out", plain(found["MAE"]), 0.7545, within=0.002
            )
    spent = sample.spending(shop)
    for name, value in (("p", 6.25), ("q", 3.74), ("v", 15.45)):
        yield Told(f"CDNOW sample, Gamma-Gamma {name}", plain(spent[name]), value, within=0.01)


def later(model: Model, shop: Tables, past: Snapshots) -> Evaluation:
    """What became of the predictions of `model` at the instant it was trained."""
    objective, cut = model.objective, past.as_of
    truth = labels(shop, objective, cut, model.threshold)
    inside = truth.inside
    found = predict(model, shop, cut, known=past.matrix(cut))
    y, p, people = truth.y[inside], found.values[inside], truth.person_ids[inside]
    return evaluate(y, p, people, seed=SEED, in_money=objective.in_money)


def rolling(
    name: str, shop: Intake, kind: Kind, days: int, cuts: tuple[str, ...], target: float | None = None
) -> Iterator[Told]:
    """Train at each cut-off on what was known then; compare with the best of L0 and L1; judge the last by `target`."""
    objective = Objective(kind, kind, days)
    measure = "gini" if objective.in_money else "auc"
    for day in cuts:
        past = Snapshots(shop.tables, micros(day))
        start = time.perf_counter()
        model = train(past.tables, objective, past.as_of, seed=SEED, snapshots=past, candidates=USUAL)
        seconds = time.perf_counter() - start
        found = later(model, shop.tables, past)
        simple = {
            each.title: later(each, shop.tables, past).metrics[measure].value
            for each in (
                model.rule_of_thumb(),
                train(past.tables, objective, past.as_of, seed=SEED, snapshots=past, candidates=SIMPLE),
            )
        }
        best = max(simple, key=lambda each: simple[each])
        where = f"{name}, {kind} in {days} days from {day}"
        print(
            f"{where}: {model.title} of {found.n:,} people, {found.base_rate:.4g} on average, "
            f"{measure} {found.metrics[measure].value:.4g}; {seconds:.0f} s"
        )
        behind = plain(found.metrics[measure].value - simple[best])
        yield Told(f"{where}, {measure} beyond {best}", behind, -0.003)
        if measure == "auc":
            yield Told(f"{where}, calibration error", found.metrics["ece"], 0.03, at_least=False)
        else:
            yield Told(f"{where}, predicted total over actual", found.metrics["total_ratio"], 1.025, within=0.225)
    if target is not None:
        yield Told(f"{where}, {measure}", found.metrics[measure], target)


def falling_silent(name: str, shop: Intake, cuts: tuple[str, ...]) -> Iterator[Told]:
    """Churn by each person's own rhythm, at cut-offs whose longest horizon the data still hold; by thirds of it too."""
    for day in cuts:
        past = Snapshots(shop.tables, micros(day))
        objective = silence("churn", past.tables, past.as_of)
        if past.as_of + objective.horizon > midnight_after(shop.newest):
            raise ValueError(f"the data end before all horizons from {day} are over")
        start = time.perf_counter()
        model = train(past.tables, objective, past.as_of, seed=SEED, snapshots=past, candidates=USUAL)
        seconds, rule = time.perf_counter() - start, model.rule_of_thumb()
        found, simple = (later(each, shop.tables, past).metrics for each in (model, rule))
        where = f"{name}, churn by own rhythm from {day}"
        auc = found["auc"]
        print(
            f"{where}, {model.ahead}: {model.title}, auc {auc.value:.4f} [{auc.low:.4f}, {auc.high:.4f}], "
            f"{rule.title} {simple['auc'].value:.4f}; {seconds:.0f} s"
        )
        _by_horizon(model, shop.tables, past)
        yield Told(f"{where}, auc beyond {rule.title}", plain(auc.value - simple["auc"].value), -0.003)
        yield Told(f"{where}, calibration error", found["ece"], 0.03, at_least=False)


def _by_horizon(model: Model, shop: Tables, past: Snapshots) -> None:
    """Print what was predicted and what came, of people with short, middle and long horizons of their own."""
    known, truth = past.matrix(past.as_of), labels(shop, model.objective, past.as_of)
    columns = (known.values[truth.inside, FEATURES.index(name)] for name in RHYTHM)
    days = model.objective.own_days(*columns)
    y, p = truth.y[truth.inside], predict(model, shop, past.as_of, known=known).values[truth.inside]
    group = np.searchsorted(np.quantile(days, [1 / 3, 2 / 3]), days, side="left")
    for number in np.unique(group):
        own = group == number
        came, missed = y[own].mean(), miscalibration(y[own], p[own])
        print(
            f"  {days[own].min():.0f} to {days[own].max():.0f} days, {own.sum():,} people: "
            f"predicted {p[own].mean():.3f}, came {came:.3f}, calibration error {missed:.3f}"
        )


def draws(shop: Intake, day: str = "1998-04-01", count: int = 20, people: int = 100) -> Iterator[Told]:
    """Shops of a hundred customers drawn from CDNOW: the ladder as it picks for itself, judged on all others."""
    import narwhals.stable.v2 as nw

    cut, objective = micros(day), Objective("repeat purchase", "repeat_purchase", 90)
    everyone = Snapshots(shop.tables, cut)
    truth, known = labels(shop.tables, objective, cut), everyone.matrix(cut)
    aucs, picked = [], []
    for draw in range(count):
        chosen = np.random.default_rng(draw).choice(shop.persons.size, people, replace=False)
        own = nw.col("person_id").is_in(chosen.tolist())
        tables = Tables(shop.tables.activities.filter(own), shop.tables.people.filter(own))
        model = train(tables, objective, cut, seed=SEED)
        picked.append(model.title or "refused")
        others = truth.inside & ~np.isin(truth.person_ids, chosen)
        if model.estimator is None:
            aucs.append(0.5)
            continue
        p = model.score(known.values[others])
        aucs.append(evaluate(truth.y[others], p, truth.person_ids[others], seed=SEED).metrics["auc"].value)
    print(f"draws: {', '.join(f'{name} {picked.count(name)}' for name in sorted(set(picked)))}")
    yield Told(f"CDNOW, {count} draws of {people} customers, mean AUC", spread_of(np.array(aucs)), 0.835)


def spread_of(values: Floats) -> Interval:
    """The mean of `values`, and its 95 % interval by drawing them anew."""
    rng = np.random.default_rng(SEED)
    means = rng.choice(values, (2000, values.size)).mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(values.mean()), float(low), float(high))


def response(shop: Intake) -> Iterator[Told]:
    """Who redeems a coupon in the next 30 days, and a column of today's redemptions among the features."""
    cut, objective = micros("2017-11-01"), Objective("response", "response", 30)
    past = Snapshots(shop.tables, cut)
    model = train(past.tables, objective, cut, seed=SEED, snapshots=past)
    found = later(model, shop.tables, past)
    print(f"response: {model.title} of {found.n:,} people, {found.outcomes} answered")
    yield Told("CompleteJourney, response in 30 days from 2017-11-01, auc", found.metrics["auc"], 0.815)
    column = Static({"redemptions": np.array(lifetime_redemptions(shop).tolist(), dtype=object)})
    extras = Extras.of(past.tables, column, shop.history, cut, immutable=["redemptions"])
    spoiled = Snapshots(shop.tables, cut, extras)
    leaky = train(spoiled.tables, objective, cut, seed=SEED, snapshots=spoiled)
    print(f"injected column: {' '.join(leaky.quarantined) or 'not noticed'}")
    yield Told("CompleteJourney, today's redemptions in quarantine (1: yes)", plain(len(leaky.quarantined)), 1)


def noise(shop: Intake, seeds: int = 100, shuffles: int = 10) -> Iterator[Told]:
    """Labels that mean nothing: refused, and without an AUC of their own."""
    from scoring import snapshots

    cut, objective = micros("2017-12-01"), Objective("repeat purchase", "repeat_purchase", 30)
    past = Snapshots(shop.tables, cut)
    honest = past.rows
    refused, aucs = 0, []
    people = np.random.default_rng(SEED).choice(shop.persons.size, 400, replace=False)
    for seed in range(seeds):

        def drawn(objective: Objective, cuts: list[int], noise: int = seed, **_: object) -> snapshots.Rows:
            rows = honest(objective, cuts)
            rows = rows.where(np.isin(rows.person_ids, people))
            luck = {cut: np.random.default_rng([noise, cut]).random(shop.persons.size) for cut in cuts}
            drawn = [luck[cut][person] for cut, person in zip(rows.cuts, rows.person_ids, strict=True)]
            return replace(rows, y=(np.array(drawn) < 0.3).astype(np.float64))

        past.rows = drawn  # type: ignore[method-assign]
        model = train(past.tables, objective, cut, seed=SEED, snapshots=past, candidates=USUAL)
        refused += model.refused is not None
    past.rows = honest  # type: ignore[method-assign]
    yield Told(f"pure-noise labels refused, in {seeds} seeds", plain(refused), 0.95 * seeds)
    rows = past.rows(objective, past.cuts(objective))
    newest = np.unique(rows.cuts)[-1]
    from scoring.train import rungs

    for seed in range(shuffles):
        y = np.random.default_rng(seed).permutation(rows.y)
        learn, test = rows.cuts < newest, rows.cuts == newest
        for name, rung in rungs(objective, SEED).items():
            if name in ("logistic", "boosting", "tree"):
                raw = rung.fit(rows.x[learn], y[learn]).raw(rows.x[test])
                aucs.append(evaluate(y[test], raw, rows.person_ids[test], seed=seed).metrics["auc"].value)
    yield Told("shuffled labels, mean AUC", spread_of(np.array(aucs)), 0.5, within=0.02)


PARTS: Mapping[str, Callable[[], Iterator[Told]]] = {
    "published": published,
    "cdnow": lambda: rolling("CDNOW", cdnow(), "repeat_purchase", 90, CDNOW_CUTS, 0.838),
    "journey": lambda: rolling("CompleteJourney", journey(), "repeat_purchase", 30, JOURNEY_CUTS, 0.888),
    "cdnow-value": lambda: rolling("CDNOW", cdnow(), "value", 90, CDNOW_CUTS, 0.784),
    "journey-value": lambda: rolling("CompleteJourney", journey(), "value", 30, JOURNEY_CUTS, 0.845),
    "untouched": lambda: rolling("untouched example", untouched(), "repeat_purchase", 30, UNTOUCHED_CUTS),
    "cdnow-churn": lambda: falling_silent("CDNOW", cdnow(), CDNOW_CUTS),
    "journey-churn": lambda: falling_silent("CompleteJourney", journey(), JOURNEY_CHURN_CUTS),
    "draws": lambda: draws(cdnow()),
    "response": lambda: response(journey()),
    "noise": lambda: noise(journey()),
}


def main(parts: list[str]) -> None:
    """Run `parts` (all without any) and print each number as it is known."""
    told = []
    for name in parts or PARTS:
        for one in PARTS[name]():
            told.append(one)
            print(one, flush=True)
    missed = [one for one in told if not one.met]
    print(f"\n{len(told) - len(missed)} of {len(told)} targets met")
    if not parts:
        loop_quality.main()


if __name__ == "__main__":
    main(sys.argv[1:])
