"""What came of earlier predictions: outcomes joined, months judged, and what is wrong told."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sync.config_sections import Objective
from sync.instants import micros
from sync.site import Site
from sync.store.ledger import (
    Due,
    RealisedRow,
    due,
    made_by,
    matured,
    matured_at,
    predicted_at,
    realised_rows,
    save_realised,
    values_at,
)
from sync.store.models import model_in_use
from sync.store.people import known_since
from sync.store.runs import waiting

if TYPE_CHECKING:
    from scoring.ledger import Realised
    from scoring.monitor import Finding, Scores, Weeks
    from scoring.tables import Tables


def outcomes(site: Site, known: "Tables", as_of: datetime) -> Iterator[tuple[Due, dict[int, float]]]:
    """What came true of the predictions whose horizon has passed by `as_of`. None is judged before."""
    from scoring.model import load
    from scoring.objectives import labels

    for each in due(site.db, as_of):
        try:
            model = load(each.artefact)
        except ValueError:
            continue  # Kept by an earlier version, in a format that is no longer read.
        found = labels(known, model.objective, micros(each.as_of), model.threshold)
        yield each, dict(zip(found.person_ids.tolist(), found.y.tolist(), strict=True))


def judge(site: Site) -> None:
    """Compare the first predictions of each month with what happened, once they are complete. Inside a transaction."""
    for objective in site.config.objectives:
        name = objective.key
        known = {row.as_of for row in realised_rows(site.db, name)}
        for as_of in first_of_months(matured_at(site.db, name)):
            if as_of not in known:
                number, days = made_by(site.db, name, as_of)
                found = _plain(_realised(site, name, as_of))
                save_realised(site.db, RealisedRow(name, as_of, days, number, found))


def first_of_months(instants: Iterable[datetime]) -> list[datetime]:
    """The first instant of each calendar month (UTC), oldest first."""
    return sorted({(at.year, at.month): at for at in sorted(instants, reverse=True)}.values())


def _realised(site: Site, name: str, as_of: datetime) -> "Realised":
    import numpy as np

    from scoring.ledger import realised

    rows = matured(site.db, name, as_of)
    rules = [row.rule for row in rows if row.rule is not None]
    return realised(
        np.array([row.value for row in rows]),
        np.array([row.outcome for row in rows]),
        np.array([row.person_id for row in rows]),
        seed=site.config.model.seed,
        rule_p=np.array(rules) if len(rules) == len(rows) else None,
        in_money=name == "value",
    )


def _plain(found: "Realised") -> dict[str, Any]:
    from scoring.card import plain

    kept: dict[str, Any] = plain(asdict(found))
    for each in (kept["model"], kept["rule"]):
        if each:
            del each["gains"]
    return kept


def months(site: Site, objective: Objective) -> list[tuple[datetime, "Realised"]]:
    """Everything of this objective that was judged, oldest first."""
    return [(row.as_of, _read(row.found)) for row in realised_rows(site.db, objective.key)]


def _read(found: dict[str, Any]) -> "Realised":
    from scoring.evaluate import Bin, Evaluation, Interval
    from scoring.ledger import Line, Realised

    def interval(kept: dict[str, Any]) -> Interval:
        return Interval(*(float("nan") if number is None else number for number in kept.values()))

    def evaluation(kept: dict[str, Any]) -> Evaluation:
        metrics = {name: interval(each) for name, each in kept["metrics"].items()}
        bins = tuple(Bin(**each) for each in kept["reliability"])
        return Evaluation(kept["n"], kept["outcomes"], kept["base_rate"], metrics, bins, ())

    line, gain = found["line"], found["gain"]
    return Realised(
        evaluation(found["model"]),
        evaluation(found["rule"]) if found["rule"] else None,
        found["predicted_mean"],
        found["observed_mean"],
        Line(interval(line["level"]), interval(line["slope"])) if line else None,
        interval(gain) if gain else None,
    )


def findings(site: Site) -> list["Finding"]:
    """What is wrong, in the order of what to believe first: data, calibration, ranking; hints of drift come last."""
    from scoring.monitor import ORDER, calibration_finding, data_findings, drift_hint, ranking_finding

    found = list(data_findings(list(_weeks(site))))
    for objective in site.config.objectives:
        if objective.predict == "value":
            continue
        realised = [each for _, each in months(site, objective)]
        about = [calibration_finding(objective.title, realised), ranking_finding(objective.title, realised)]
        scores = _then_and_now(site, objective)
        about.append(drift_hint(objective.title, *scores) if scores else None)
        found += [each for each in about if each]
    return sorted(found, key=lambda each: ORDER.index(each.kind))


def _then_and_now(site: Site, objective: Objective) -> "tuple[Scores, Scores] | None":
    """The first and the newest scores of the model in use; None while they are the same."""
    instants = predicted_at(site.db, objective.key)
    stored = model_in_use(site.db, objective.key, instants[-1]) if instants else None
    own = predicted_at(site.db, objective.key, stored.id) if stored else []
    if len(own) < 2:
        return None
    return _scores(site, objective, own[0]), _scores(site, objective, own[-1])


def _scores(site: Site, objective: Objective, at: datetime) -> "Scores":
    import numpy as np

    from scoring.monitor import Scores
    from scoring.tables import DAY

    values, since = values_at(site.db, objective.key, at), known_since(site.db)
    ages = [(micros(at) - since[person]) / DAY if person in since else np.nan for person in values]
    return Scores(np.array(list(values.values())), np.array(ages))


def _weeks(site: Site) -> "Iterator[Weeks]":
    """Activities by kind in each of the weeks before the last scoring, of the accounts that were read for it."""
    from scoring.monitor import USUAL_WEEKS, Weeks
    from sync.store.scores import last_scored

    until = last_scored(site.db)
    if until is None:
        return
    week = 7 * 86_400_000_000
    start = micros(until) - (USUAL_WEEKS + 1) * week
    rows = site.db.execute(
        """SELECT kind, (at - ?) / ? AS week, count(*) AS count, sum(machine) AS machine, sum(amount IS NULL) AS bare
        FROM activity WHERE at >= ? AND at < ? AND account NOT IN (SELECT value FROM json_each(?))
        GROUP BY kind, week ORDER BY kind""",
        (start, week, start, micros(until), json.dumps(list(waiting(site.db)))),
    ).fetchall()
    for kind in sorted({row["kind"] for row in rows}):
        counts = {row["week"]: row for row in rows if row["kind"] == kind}

        def column(name: str, counts: dict[int, Any] = counts) -> tuple[int, ...]:
            return tuple(counts[at][name] if at in counts else 0 for at in range(USUAL_WEEKS + 1))

        # Only orders have to have an amount.
        bare = column("bare") if kind == "order" else (0,) * (USUAL_WEEKS + 1)
        yield Weeks(kind, column("count"), column("machine"), bare)
