"""The feedback loop on seven months of real shoppers: does what was promised still come true, and do tags stay put?

Every month from June to December 2017 the CompleteJourney households are scored 30 days ahead, once by a model frozen
at the end of May and once by the loop: a challenger every month, promoted only on evidence, and the level set on the
newest window that has ended. Nothing after a cut-off is seen before it is scored.
Run: python -m benchmarks.loop_quality
"""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from benchmarks.repeat_purchase import micros, tables
from sandbox.world import load
from scoring.champion import contest
from scoring.evaluate import Evaluation, evaluate
from scoring.objectives import Objective, labels
from scoring.recalibrate import newest_line, relevelled
from scoring.snapshots import Snapshots, matrix
from scoring.tables import Tables
from scoring.train import CANDIDATES, Model, train

MONTHS = tuple(micros(datetime(2017, month, 1, tzinfo=UTC)) for month in range(6, 13))
HORIZON_DAYS = 30
SEED = 7
TARGET = 0.025


def calibration(shoppers: Tables) -> None:
    """Print, month by month, the realised calibration error of the frozen model and of the loop."""
    objective = Objective("repeat purchase", "repeat_purchase", HORIZON_DAYS)
    frozen = champion = train(shoppers, objective, MONTHS[0], seed=SEED)
    errors: dict[str, list[float]] = {"frozen": [], "loop": []}
    heads = f"{'frozen: AUC':>12}{'ECE':>7}{'loop: AUC':>12}{'ECE':>7}"
    print(f"{'month':<9}{'people':>7}{'bought':>8}  {'model':<10}{heads}")
    for cut in MONTHS:
        past = Snapshots(shoppers, cut)
        if cut > champion.trained_at:
            champion, said = _next(champion, objective, past)
        else:
            said = "The first model."
        used = relevelled(champion, newest_line(champion, past, cut))
        row = [_judged(model, shoppers, cut) for model in (frozen, used)]
        for name, found in zip(errors, row, strict=True):
            errors[name].append(found.metrics["ece"].value)
        cells = "".join(f"{it.metrics['auc'].value:>12.4f}{it.metrics['ece'].value:>7.4f}" for it in row)
        month = datetime.fromtimestamp(cut / 1e6, UTC)
        print(f"{month:%Y-%m}  {row[0].n:>7,}{row[0].base_rate:>8.3f}  {champion.rung:<10}{cells}  {said}", flush=True)
    for name, found in errors.items():
        low, high = _over_months(found)
        likely = f"over {len(found)} months (likely {low:.4f} to {high:.4f})"
        print(f"{name}: realised calibration error {np.mean(found):.4f} {likely}")
    verdict = "met" if np.mean(errors["loop"]) <= TARGET else "MISSED"
    print(f"target for the loop: at most {TARGET}: {verdict}")


def _next(champion: Model, objective: Objective, past: Snapshots) -> tuple[Model, str]:
    """The model to use from here on, and the verdict on this month's challenger."""
    challenger = train(past.tables, objective, past.as_of, seed=SEED, snapshots=past)
    verdict = contest(champion, challenger, past, CANDIDATES)
    return replace(challenger, check=None) if verdict.promote else champion, verdict.why


def _judged(model: Model, shoppers: Tables, cut: int) -> Evaluation:
    truth = labels(shoppers, model.objective, cut)
    p = model.score(matrix(shoppers, cut).values[truth.inside])
    return evaluate(truth.y[truth.inside], p, truth.person_ids[truth.inside], seed=SEED)


def _over_months(errors: list[float]) -> tuple[float, float]:
    """The 95 % interval of the mean over months, months drawn anew."""
    drawn = np.random.default_rng(SEED).choice(errors, (2000, len(errors))).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def main() -> None:
    shoppers = tables(load())
    print("## Predicted and realised\n")
    calibration(shoppers)


if __name__ == "__main__":
    main()
