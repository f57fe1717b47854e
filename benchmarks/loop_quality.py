"""The feedback loop on real shoppers: does what was promised still come true, and do tags stay put?

Every month from June to December 2017 the CompleteJourney households are scored 30 days ahead, once by a model frozen
at the end of May and once by the loop: a challenger every month, promoted only on evidence, and the level set on the
newest window that has ended. Nothing after a cut-off is seen before it is scored.

Then everybody is put into a segment every week, on the CompleteJourney households and on all CDNOW customers, and the
weekly changes are counted, and those taken back within four weeks. The model stays the same and is set to its level
once a month; without calm, band, stay and second confirmation the same scores are counted beside it.
Run: python -m benchmarks.loop_quality (CDNOW comes with the package `lifetimes`, which is only read)
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import duckdb
import narwhals.stable.v2 as nw
import numpy as np
import pyarrow as pa

from benchmarks.cdnow import path
from benchmarks.repeat_purchase import micros, tables
from sandbox.world import load
from scoring.champion import contest
from scoring.evaluate import Evaluation, evaluate
from scoring.objectives import Objective, labels
from scoring.predict import predict
from scoring.recalibrate import newest_line, relevelled
from scoring.rhythm import default_horizon
from scoring.segments import Membership, Standing, Thresholds, assign
from scoring.snapshots import Snapshots, matrix
from scoring.standing import standings
from scoring.tables import DAY, Tables
from scoring.train import CANDIDATES, Model, train

MONTHS = tuple(micros(datetime(2017, month, 1, tzinfo=UTC)) for month in range(6, 13))
HORIZON_DAYS = 30
SEED = 7
TARGET = 0.025
MOST_CHANGED, MOST_REVERTED = 0.03, 0.05
WEEKS_BACK = 4


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


def tags(name: str, shoppers: Tables, weeks: Sequence[int]) -> None:
    """Print how many people change segment in a week, and how many of these changes are taken back."""
    past = Snapshots(shoppers, weeks[0])
    days = default_horizon(shoppers, weeks[0])
    asked = [Objective(kind, kind, days) for kind in ("repeat_purchase", "value")]  # type: ignore[arg-type]
    models = [train(shoppers, objective, weeks[0], seed=SEED, snapshots=past) for objective in asked]
    settings = {
        "hysteresis on": {},
        "hysteresis off": {"band": 0.0, "stay_days": 0.0, "calm_days": 0.0, "confirmations": 1},
    }
    limits: dict[str, Thresholds] = {}
    before: dict[str, dict[int, Membership]] = {each: {} for each in settings}
    history: dict[str, list[dict[int, str]]] = {each: [] for each in settings}
    print(f"{name}: {days} days ahead, {len(weeks)} weekly scorings, models: {', '.join(m.rung for m in models)}")
    for now in weeks:
        people = _standings(models, shoppers, now)
        for each, own in settings.items():
            limits.setdefault(each, Thresholds.fit(people, now, **own))
            found = assign(people, before[each], now, limits[each])
            before[each] = {one.person_id: one for one in found}
            history[each].append({one.person_id: one.segment for one in found})
    for each, weekly in history.items():
        changed, reverted = flapping(weekly)
        met = "met" if changed <= MOST_CHANGED and reverted <= MOST_REVERTED else "MISSED"
        verdict = f" (targets {MOST_CHANGED:.0%} and {MOST_REVERTED:.0%}: {met})" if each == "hysteresis on" else ""
        print(f"  {each}: {changed:.2%} change a week, {reverted:.1%} of changes reverted within 4 weeks{verdict}")


def _standings(models: Sequence[Model], shoppers: Tables, now: int) -> list[Standing]:
    past = Snapshots(shoppers, now)
    known = past.matrix(now)
    used = [relevelled(model, newest_line(model, past, now)) for model in models]
    buying, spending = (predict(model, past.tables, now, known=known) for model in used)
    return standings(known, now, buying=buying, spending=spending)


def flapping(weekly: Sequence[Mapping[int, str]]) -> tuple[float, float]:
    """Share of people changing segment per week, and share of the changes taken back within WEEKS_BACK weeks.

    A change near the end counts only when there is time left to take it back.
    """
    changes = people = judged = back = 0
    for week in range(1, len(weekly)):
        for person, segment in weekly[week].items():
            if (old := weekly[week - 1].get(person)) is None:
                continue
            people += 1
            if segment != old:
                changes += 1
                if week + WEEKS_BACK < len(weekly):
                    judged += 1
                    back += any(later[person] == old for later in weekly[week + 1 : week + 1 + WEEKS_BACK])
    return changes / max(people, 1), back / max(judged, 1)


def cdnow() -> Tables | None:
    """All customers of CDNOW, purchases of one day as one; None when the package is not installed."""
    sample = path()
    if sample is None:
        return None
    lines = [line.split() for line in sample.with_name("CDNOW_master.txt").read_text(encoding="ascii").splitlines()]
    spent: dict[tuple[int, str], int] = {}
    for person, day, _, dollars in (line for line in lines if line and line[0].isdigit()):
        key = int(person), day
        spent[key] = spent.get(key, 0) + round(float(dollars) * 100)
    at = [micros(datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)) for _, day in spent]
    people = [person for person, _ in spent]
    since: dict[int, int] = {}
    for person, instant in zip(people, at, strict=True):
        since[person] = min(instant, since.get(person, instant))
    count = len(people)
    activities = pa.table(
        {
            "person_id": pa.array(people, pa.int64()),
            "kind": pa.array(["order"] * count, pa.string()),
            "at": pa.array(at, pa.int64()),
            "amount": pa.array(list(spent.values()), pa.int64()),
            "campaign": pa.array([None] * count, pa.string()),
            "machine": pa.array([False] * count, pa.bool_()),
        }
    )
    known = pa.table({"person_id": pa.array(list(since), pa.int64()), "since": pa.array(since.values(), pa.int64())})
    engine = duckdb.connect()
    return Tables(nw.from_native(engine.from_arrow(activities)), nw.from_native(engine.from_arrow(known)))


def _weeks(start: datetime, end: datetime) -> list[int]:
    return list(range(micros(start), micros(end), 7 * DAY))


def main() -> None:
    shoppers = tables(load())
    print("## Predicted and realised: CompleteJourney\n")
    calibration(shoppers)
    print("\n## Tags\n")
    tags("CompleteJourney", shoppers, _weeks(datetime(2017, 6, 1, tzinfo=UTC), datetime(2017, 12, 31, tzinfo=UTC)))
    customers = cdnow()
    if customers is None:
        print("CDNOW comes with the package lifetimes: pip install --no-deps lifetimes")
    else:
        tags("CDNOW", customers, _weeks(datetime(1997, 10, 1, tzinfo=UTC), datetime(1998, 7, 1, tzinfo=UTC)))


if __name__ == "__main__":
    main()
