"""The company's Spark: the tables on it, and models applied where the rows are."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from sync.errors import ForetagError

if TYPE_CHECKING:
    import pyarrow as pa

    from scoring.model import Model
    from scoring.predict import Answers, Predictions
    from scoring.snapshots import Floats, Snapshots

ANSWER = "person_id bigint, value double, families array<tinyint>, shares array<double>"
"""What comes back of each person: the value, and two columns of `scoring.explain.Picked`; no extra columns here."""

Batches = Iterable["pa.RecordBatch"]


def on_spark(table: "pa.Table", master: str) -> Any:
    """The Arrow table as a Spark data frame. ForetagError without foretag[spark]."""
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise ForetagError('engine.kind = "spark" needs Spark: install foretag[spark] and Java 17') from error
    if master.startswith("local"):
        # Its workers are of this machine: they run in the environment foretag is installed in.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder
    named = builder.remote(master) if master.startswith("sc://") else builder.master(master)
    return named.appName("foretag").getOrCreate().createDataFrame(table)


def predict(model: "Model", past: "Snapshots") -> "Predictions":
    """`scoring.predict.predict` for tables on Spark: its workers, which need foretag too, apply the model to the
    features they computed. ValueError when the model was refused.
    """
    from scoring.predict import predict as predicted

    known = past.matrix(past.as_of)
    return predicted(
        model, past.tables, past.as_of, known=known, elsewhere=lambda average: _answers(model, past, average)
    )


def _answers(model: "Model", past: "Snapshots", average: "Floats") -> "Answers":
    import numpy as np

    from scoring.explain import Picked
    from scoring.features import features
    from scoring.model import dump
    from scoring.objectives import population

    rows = features(past.tables, past.as_of).join(
        population(past.tables, model.objective, past.as_of), on="person_id", how="semi"
    )
    applied = rows.to_native().mapInArrow(_work(dump(model), average), ANSWER)
    table = applied.toArrow().sort_by("person_id").combine_chunks()

    families, shares = (
        table[name].combine_chunks().flatten().to_numpy().reshape(table.num_rows, -1) for name in ("families", "shares")
    )
    return table["value"].to_numpy(), Picked(families, shares, np.empty((table.num_rows, 0), dtype=np.int32))


def _work(kept: bytes, average: "Floats") -> Callable[[Batches], Iterator["pa.RecordBatch"]]:
    """The model goes to the workers as the bytes it is kept in, which are checked when they are read."""

    def work(batches: Batches) -> Iterator["pa.RecordBatch"]:
        import pyarrow as pa

        from scoring.features import FEATURES
        from scoring.model import load
        from scoring.predict import answers
        from scoring.snapshots import numbers

        model = load(kept)
        for batch in batches:
            values, picked = answers(model, numbers(batch, FEATURES), average)
            columns = {
                "person_id": batch["person_id"],
                "value": pa.array(values),
                "families": pa.array(list(picked.families), pa.list_(pa.int8())),
                "shares": pa.array(list(picked.shares), pa.list_(pa.float64())),
            }
            yield pa.RecordBatch.from_pydict(columns)

    return work
