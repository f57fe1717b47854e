"""The models there are, which is in use, how it compares, and the card of each with what the store knows of it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import version
from math import isfinite
from typing import Any

from sync.choosing import other_question
from sync.errors import ForetagError
from sync.feedback import months
from sync.fields import SEGMENTS
from sync.instants import instant, micros
from sync.site import Site
from sync.store.ledger import matured, matured_at, values_at
from sync.store.models import Promotion, StoredModel, artefact, model_in_use, models, promote, promotions
from sync.store.scores import segments_at

LIBRARIES = ("foretag", "scikit-learn", "numpy", "scipy", "duckdb", "narwhals")
PAIR = {"repeat_purchase": "churn", "churn": "repeat_purchase"}


def listed(site: Site) -> list[dict[str, Any]]:
    """Every model that is kept, as JSON-able data."""
    now = site.clock.now()
    found = []
    for each in models(site.db):
        used = model_in_use(site.db, each.objective, now)
        came = [promotion for promotion in promotions(site.db, each.objective) if promotion.model_id == each.id]
        found.append(
            {
                "number": each.id,
                "objective": each.objective,
                "trained": each.trained_at.isoformat(),
                "model": each.card["title"] or "none",
                "ahead": each.card.get("ahead", ""),
                "in_use": used is not None and used.id == each.id,
                "came_into_use": [{"at": one.at.isoformat(), "cause": one.cause, "why": one.why} for one in came],
                "verdict": each.verdict,
                "measures": _measures(each),
            }
        )
    return found


def _measures(model: StoredModel) -> dict[str, Any]:
    test = model.card["evaluation"]
    if test is None:
        return {}
    return {name: test["metrics"][name] for name in ("auc", "log_loss", "ece", "gini") if name in test["metrics"]}


def list_lines(found: list[dict[str, Any]]) -> Iterator[str]:
    """The list for people."""
    if not found:
        yield "There is no model yet: foretag score"
    for each in found:
        mark = "in use" if each["in_use"] else "before" if each["came_into_use"] else "challenger"
        what = ", ".join(filter(None, (each["model"], each["ahead"])))
        yield f"{each['number']:>4}  {each['objective']:<16} {each['trained'][:10]}  {mark:<11} {what}"


def compare_lines(site: Site, found: list[dict[str, Any]]) -> Iterator[str]:
    """Per objective the model in use beside the newest challenger, and what came true of the former."""
    for objective in site.config.objectives:
        mine = [each for each in found if each["objective"] == objective.key]
        used = next((each for each in mine if each["in_use"]), None)
        if used is None:
            continue
        yield f"{objective.title}"
        yield f"    in use      {_told(used)}"
        challengers = [each for each in mine if not each["came_into_use"]]
        for each in challengers[-1:]:
            yield f"    challenger  {_told(each)}"
            yield f"                {each['verdict']}"
        for at, realised in months(site, objective)[-3:]:
            if "auc" in realised.model.metrics and realised.rule is not None:
                ranks = [one.metrics["auc"].value for one in (realised.model, realised.rule)]
                # Where it happened to nobody (or to everybody) there is nothing to rank.
                ranked = f"; AUC {ranks[0]:.3f}, rule of thumb {ranks[1]:.3f}" if all(map(isfinite, ranks)) else ""
                yield (
                    f"    {at:%Y-%m}     {realised.predicted_mean:.1%} predicted, {realised.observed_mean:.1%} happened"
                    f"{ranked}"
                )


def _told(each: Mapping[str, Any]) -> str:
    measured = ", ".join(
        f"{name} {one['value']:.3f} [{one['low']:.3f}, {one['high']:.3f}]"
        for name, one in each["measures"].items()
        if one["value"] is not None and one["low"] is not None
    )
    return f"{each['number']} {each['model']}, trained {each['trained'][:10]}: {measured}"


def roll_back(site: Site, objective: str, to: int | None) -> list[Promotion]:
    """Take the model before (or number `to`) into use from now on; buying again and leaving go together where one
    training answered both.

    ForetagError when there is none, or when it would not stay because it answers another question than is asked now;
    StoreError when its bytes were altered.
    """
    now = site.clock.now()
    used = model_in_use(site.db, objective, now)
    if used is None:
        known = ", ".join(sorted({each.objective for each in models(site.db)})) or "none yet"
        raise ForetagError(f"there is no model of {objective}. Models there are: {known}")
    target = _target(site, objective, used, to)
    if why := _misfit(site, target):
        raise ForetagError(f"model {target.id} of {objective} would be replaced at the next scoring. {why}")
    found = [Promotion(objective, now, target.id, "rollback", f"Taken back by hand, instead of model {used.id}.")]
    training = _training(target)
    twin = next((each for each in models(site.db, PAIR.get(objective)) if _training(each) == training), None)
    if objective in PAIR and twin and model_in_use(site.db, twin.objective, now) and not _misfit(site, twin):
        found.append(Promotion(twin.objective, now, twin.id, "rollback", f"Taken back together with {objective}."))
    for each in found:
        promote(site.db, each)
    return found


def _misfit(site: Site, stored: StoredModel) -> str:
    """Why this model cannot answer what is asked now, in a sentence; "" when it can. StoreError when it was altered."""
    from scoring.model import load

    try:
        model = load(artefact(site.db, stored.id))
    except ValueError:
        return "It was kept by an earlier version."
    if model.refused:
        return f"There was no model yet: {model.refused}"
    asked = next((each for each in site.config.objectives if each.key == stored.objective), None)
    return other_question(asked, model.objective) if asked else ""


def _training(model: StoredModel) -> tuple[datetime, int, float | None]:
    """What a model and its mirror image have in common: when they were trained, and how far they look ahead."""
    asked = model.card["objective"]
    return model.trained_at, asked["horizon_days"], asked.get("rhythm_days")


def _target(site: Site, objective: str, used: StoredModel, to: int | None) -> StoredModel:
    kept = {each.id: each for each in models(site.db, objective)}
    if to is not None:
        if to not in kept:
            raise ForetagError(f"there is no model {to} of {objective}: foretag models list")
        return kept[to]
    earlier = [each.model_id for each in promotions(site.db, objective) if each.model_id != used.id]
    if not earlier:
        raise ForetagError(f"{objective} never had another model in use: foretag models list shows challengers (--to)")
    return kept[earlier[-1]]


def full_card(site: Site, name: str) -> dict[str, Any]:
    """The card of the model called by its number, or of the one in use for an objective, as JSON-able data.

    ForetagError when there is none.
    """
    from scoring.card import plain

    stored = _named(site, name)
    used = model_in_use(site.db, stored.objective, site.clock.now())
    first = site.db.execute("SELECT min(at) AS at, count(*) AS count FROM activity WHERE at < ?",
                            (micros(stored.trained_at),)).fetchone()  # fmt: skip
    data = {"activities known then": f"{first['count']:,}"}
    if first["at"] is not None:
        data["history from"] = instant(first["at"]).date().isoformat()
    found: dict[str, Any] = plain(
        {
            **stored.card,
            "number": stored.id,
            "sha256": site.db.execute("SELECT sha256 FROM model WHERE id = ?", (stored.id,)).fetchone()["sha256"],
            "status": "This model is in use." if used and used.id == stored.id else "This model is not in use.",
            "verdict": stored.verdict,
            "data": data,
            "realised": _realised(site, stored.objective),
            "segments": _by_segment(site, stored.objective),
            "groups": {rule: _groups(site, stored.objective, rule) for rule in site.config.model.fairness},
            "versions": {library: version(library) for library in LIBRARIES},
        }
    )
    return found


def _named(site: Site, name: str) -> StoredModel:
    kept = models(site.db)
    if name.isdigit():
        found = next((each for each in kept if each.id == int(name)), None)
    else:
        title = {each.title: each.key for each in site.config.objectives}
        found = model_in_use(site.db, title.get(name, name), site.clock.now())
    if found is None:
        names = ", ".join(sorted({each.objective for each in kept})) or "none yet"
        raise ForetagError(f"there is no model {name}. Objectives with a model: {names}; numbers: foretag models list")
    return found


def _realised(site: Site, objective: str) -> list[tuple[str, str, str, str]]:
    asked = next((each for each in site.config.objectives if each.key == objective), None)
    if asked is None:
        return []
    tell = "{:,.2f}" if objective == "value" else "{:.1%}"
    scale = 100 if objective == "value" else 1
    return [
        (f"{at:%Y-%m}", f"{one.model.n:,}", tell.format(one.predicted_mean / scale),
         tell.format(one.observed_mean / scale))
        for at, one in months(site, asked)
    ]  # fmt: skip


def _by_segment(site: Site, objective: str) -> list[tuple[str, str, str]]:
    """What happened to the people of each segment, at the newest instant that has matured and was kept."""
    for as_of in reversed(matured_at(site.db, objective)):
        then = segments_at(site.db, as_of)
        if not then:
            continue
        outcomes = {row.person_id: row.outcome for row in matured(site.db, objective, as_of)}
        found = []
        for segment in SEGMENTS:
            seen = [outcomes[person] for person, one in then.items() if one == segment and person in outcomes]
            if seen:
                mean = sum(seen) / len(seen)
                told = f"{mean / 100:,.2f}" if objective == "value" else f"{mean:.1%}"
                found.append((site.config.segments.name(segment), f"{len(seen):,}", told))
        return found
    return []


def _groups(site: Site, objective: str, rule: str) -> list[dict[str, Any]]:
    """Predictions (and outcomes, where some have matured) by the values of a property."""
    import numpy as np

    from scoring.fairness import by_group

    if objective == "value":
        return []
    names = _property(site, rule)
    done = matured_at(site.db, objective)
    if done:
        rows = [(row.person_id, row.value, row.outcome) for row in matured(site.db, objective, done[-1])]
        known = [row for row in rows if row[0] in names]
        y = np.array([row[2] for row in known])
        groups = by_group([names[row[0]] for row in known], np.array([row[1] for row in known]), y)
    else:
        from sync.store.ledger import predicted_at

        instants = predicted_at(site.db, objective)
        values = values_at(site.db, objective, instants[-1]) if instants else {}
        people = [person for person in values if person in names]
        groups = by_group([names[person] for person in people], np.array([values[person] for person in people]))
    return [{**asdict(each), "off": each.off} for each in groups]


def _property(site: Site, rule: str) -> dict[int, str]:
    """The value of the property `rule` names (ACCOUNT:NAME), by person."""
    account, _, name = rule.partition(":")
    names = {each.name for each in site.config.accounts if account in (each.name, each.kind)}
    rows = site.db.execute("SELECT person_id, account, properties FROM contact WHERE deleted = 0 AND person_id > 0")
    found = {}
    for row in rows:
        if row["account"] in names and (value := json.loads(row["properties"]).get(name)) is not None:
            found[row["person_id"]] = str(value)
    return found
