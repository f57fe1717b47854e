"""How long scoring takes and how much memory, beside a plain pandas and scikit-learn pipeline; an invented shop.

Three processes after one another, on the same two Parquet files: foretag learns all five default objectives and scores
everyone with reasons; foretag scores anew with the models it kept; and `benchmarks.plain` does the same job without
checks and without reasons. Seconds are from start to end of each process, the interpreter included; memory is its peak.
Run: python -m benchmarks.scoring [--contacts 100000] [--contacts 1000000]; `make bench-scoring`.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scoring.model import Model
    from scoring.snapshots import Snapshots
    from scoring.tables import Tables

SEED = 7
OBJECTIVES = ("repeat_purchase", "churn", "high_value", "value", "response")
GOALS = {100_000: {"train": (60, 2.0)}, 1_000_000: {"train": (480, 6.0), "score": (90, 6.0)}}
"""Seconds and gigabytes, by contacts."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contacts", type=int, action="append", help="How many there are; 100,000 if not said.")
    parser.add_argument("--only", choices=("train", "score", "plain"), action="append", help="Leave the others out.")
    parser.add_argument("--part", choices=("invent", *_PARTS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.part:
        laps = _Laps()
        if asked.part == "invent":
            from benchmarks.made_up import shop

            print(json.dumps(shop(asked.contacts[0], SEED, asked.folder)))
            return
        _PARTS[asked.part](asked.folder, laps)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        print(json.dumps({"laps": laps.found, "cpu": process_time(), "peak": peak}))
        return
    for contacts in asked.contacts or [100_000]:
        with tempfile.TemporaryDirectory() as folder:
            _compare(contacts, Path(folder), asked.only or list(_PARTS))


def _compare(contacts: int, folder: Path, parts: list[str]) -> None:
    activities = _run("invent", contacts, folder)
    print(f"{contacts:,} contacts, {activities:,} activities")
    took = {}
    for part in parts:
        began = perf_counter()
        found = _run(part, contacts, folder)
        took[part] = perf_counter() - began, found["cpu"], found["peak"]
        seconds, cpu, peak = took[part]
        goal = GOALS.get(contacts, {}).get(part)
        wanted = f"; goal {goal[0]} s, {goal[1]:g} GB" if goal else ""
        print(f"  {_TITLES[part]}: {seconds:.1f} s ({cpu:.1f} s of processor), {peak:.2f} GB{wanted}")
        print("    " + ", ".join(f"{name} {lap:.1f}" for name, lap in found["laps"].items()), flush=True)
    if {"train", "plain"} <= took.keys():
        ratios = [ours / theirs for ours, theirs in zip(took["train"], took["plain"], strict=True)]
        print("  foretag / plain: {:.2f} of the time, {:.2f} of the processor, {:.2f} of the memory".format(*ratios))


def _run(part: str, contacts: int, folder: Path) -> Any:
    command = [sys.executable, "-m", "benchmarks.scoring", "--part", part]
    done = subprocess.run(
        [*command, "--contacts", str(contacts), "--folder", str(folder)], check=True, stdout=subprocess.PIPE
    )
    return json.loads(done.stdout.splitlines()[-1])


class _Laps:
    """Seconds since the lap before, by name."""

    def __init__(self) -> None:
        self.found: dict[str, float] = {}
        self._last = perf_counter()

    def __call__(self, name: str) -> None:
        now = perf_counter()
        self.found[name], self._last = now - self._last, now


def _train(folder: Path, laps: _Laps) -> None:
    from benchmarks.made_up import AS_OF
    from scoring.model import dump
    from scoring.objectives import Objective, silence
    from scoring.rhythm import default_horizon
    from scoring.snapshots import Snapshots
    from scoring.train import train

    past = Snapshots(_tables(folder), AS_OF)
    days = default_horizon(past.tables, AS_OF)
    laps("read")
    models = {}
    for kind in OBJECTIVES:
        own = kind == "churn"
        objective = silence(kind, past.tables, AS_OF) if own else Objective(kind, kind, days)
        models[kind] = train(past.tables, objective, AS_OF, seed=SEED, snapshots=past)
        laps(f"learn {kind} ({models[kind].title or 'refused'})")
        (folder / f"{kind}.model").write_bytes(dump(models[kind]))
    _everyone(models, past, folder, laps)


def _score(folder: Path, laps: _Laps) -> None:
    from benchmarks.made_up import AS_OF
    from scoring.model import load
    from scoring.snapshots import Snapshots

    past = Snapshots(_tables(folder), AS_OF)
    models = {kind: load((folder / f"{kind}.model").read_bytes()) for kind in OBJECTIVES}
    laps("read")
    _everyone(models, past, folder, laps)


def _plain(folder: Path, laps: _Laps) -> None:
    from benchmarks.made_up import AS_OF
    from benchmarks.plain import plain

    plain(folder, AS_OF).to_parquet(folder / "plain.parquet")
    laps("all")


def _everyone(models: "Mapping[str, Model]", past: "Snapshots", folder: Path, laps: _Laps) -> None:
    """Score everyone, with reasons; those for buying, which go to the platform, in words."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from scoring.predict import predict

    known = past.matrix(past.as_of)
    laps("features")
    columns = {"person_id": known.person_ids}
    for kind, model in models.items():
        if model.refused is None:
            found = predict(model, past.tables, past.as_of, known=known)
            columns[kind] = found.values
            laps(f"score {kind}")
            if kind == "repeat_purchase":
                columns["reasons"] = ["; ".join(reason.text for reason in given) for given in found.reasons]
                laps("words")
    pq.write_table(pa.table(columns), folder / "scores.parquet")


def _tables(folder: Path) -> "Tables":
    import duckdb
    import narwhals.stable.v2 as nw
    import pyarrow.parquet as pq

    from scoring.tables import Tables

    engine = duckdb.connect(config={"threads": 1})
    names = ("activities", "people")
    return Tables(*(nw.from_native(engine.from_arrow(pq.read_table(folder / f"{name}.parquet"))) for name in names))


_PARTS = {"train": _train, "score": _score, "plain": _plain}
_TITLES = {
    "train": "foretag, learning and scoring",
    "score": "foretag, scoring alone",
    "plain": "pandas and scikit-learn",
}

if __name__ == "__main__":
    main()
