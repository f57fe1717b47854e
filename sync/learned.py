"""What the report says about the models: how good they were in their test, and whether they came true."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from math import isnan
from typing import TYPE_CHECKING

from sync.config_sections import Meaning
from sync.config_sections import Objective as Wanted
from sync.feedback import months
from sync.fields import score_key
from sync.instants import instant
from sync.report.data import Objective, RealisedMonth, ValueRange
from sync.report.evaluation import Candidate, Evaluation, GainsPoint, Interval, Metrics, ReliabilityBin
from sync.site import Site
from sync.store.models import StoredModel, artefact, model_in_use, models
from sync.store.scores import newest_standings

if TYPE_CHECKING:
    from scoring.evaluate import Evaluation as Measured
    from scoring.model import Model

WORDS: dict[Meaning, tuple[str, str, str]] = {
    "repeat_purchase": ("chance to buy again in {days} days", "later buyers", "bought"),
    "churn": ("chance to stop buying for {days} days", "people who stopped", "stopped"),
    "silence": ("chance not to buy within the time in which they usually order again", "people who stopped", "stopped"),
    "high_value": ("chance to be a top spender in {days} days", "later top spenders", "became top spenders"),
    "value": ("expected spend in {days} days", "later spend", "spent"),
    "response": ("chance to answer a campaign in {days} days", "later answers", "answered"),
    "leaving": ("chance to leave within {days} days", "people who left", "left"),
    "conversion": ("chance of a first one in {days} days", "later conversions", "converted"),
    "again": ("chance of another one in {days} days", "later conversions", "converted"),
}
"""Per prediction: the plain title, those it happens to, and what they did."""


def objectives(site: Site, as_of: datetime) -> tuple[Objective, ...]:
    """Every objective with the model in use at `as_of`."""
    newest = newest_standings(site.db)
    scores = [standing.fields for standing in newest[1].values()] if newest else []
    found = []
    for wanted in site.config.objectives:
        stored = model_in_use(site.db, wanted.key, as_of)
        if stored is not None:
            values = [fields[score_key(wanted.key)] for fields in scores if score_key(wanted.key) in fields]
            found.append(_objective(site, wanted, stored, values))
    return tuple(found)


def marks(site: Site) -> tuple[str, ...]:
    """What marked later top spenders at the newest training, in sentences without causes."""
    newest = models(site.db, "high_value")[-1:]
    return tuple(
        f"{each['text'].capitalize()}: {each['share']:.0%} became top spenders, of the others {each['others']:.0%} "
        f"({100 * each['gap']['value']:.0f} points more, likely {100 * each['gap']['low']:.0f} to "
        f"{100 * each['gap']['high']:.0f}; {each['people']:,} observations)."
        for model in newest
        for each in model.card.get("indicators", ())
    )


def _objective(site: Site, wanted: Wanted, stored: StoredModel, values: list[float]) -> Objective:
    from scoring.model import load

    model = load(artefact(site.db, stored.id))
    title, noun, verb = WORDS[wanted.meaning]
    money = model.objective.in_money
    return Objective(
        name=wanted.title,
        title=title.format(days=model.horizon_days),
        noun=noun,
        verb=verb,
        horizon_days=model.horizon_days,
        ahead=model.ahead,
        rung=model.title if model.rung else "",
        why=model.why,
        measures="money" if money else "people",
        refused=model.refused,
        evaluation=_evaluation(model) if model.evaluation else None,
        score_counts=() if money else tuple(sum(_tenth(value) == tenth for value in values) for tenth in range(10)),
        ranges=tuple(_ranges(stored, values)) if money else (),
        features=model.features,
        card=stored.card,
    )


def _ranges(stored: StoredModel, values: list[float]) -> Iterator[ValueRange]:
    """The people of today by the ranges of the model, which were learned on what it was tested on."""
    import numpy as np

    from scoring.value import Spread

    if not (kept := stored.card.get("spread")):
        return
    spread, cents = Spread.read(kept), 100 * np.array(values)
    group = np.searchsorted(spread.edges, cents, side="left")
    for place in np.unique(group)[::-1]:
        middle = np.array([np.median(cents[group == place])])
        low, high = spread.around(middle)
        yield ValueRange(int((group == place).sum()), *(round(float(each[0])) for each in (middle, low, high)))


def _tenth(score: float) -> int:
    return min(int(score // 10), 9)


def _evaluation(model: "Model") -> Evaluation:
    measured = model.evaluation
    assert measured is not None
    rule = model.candidates["rules"]
    return Evaluation(
        tested_on=tuple(instant(cut).date() for cut in measured.cuts),
        rows=measured.n,
        outcomes=measured.outcomes,
        base_rate=measured.base_rate,
        metrics=_metrics(measured),
        rule=_metrics(rule),
        gains=tuple(
            GainsPoint(people, outcomes, other)
            for (people, outcomes), (_, other) in zip(measured.gains, rule.gains, strict=True)
        ),
        reliability=()
        if model.objective.in_money
        else tuple(ReliabilityBin(b.predicted, b.observed, b.low, b.high, b.n) for b in measured.reliability),
        candidates=tuple(
            Candidate(
                f"rule of thumb ({model.rule})" if name == "rules" else name,
                _metrics(judged),
                chosen=name == model.rung,
            )
            for name, judged in model.candidates.items()
        ),
    )


def _metrics(measured: "Measured") -> Metrics:
    return Metrics.of({name: (each.value, each.low, each.high) for name, each in measured.metrics.items()})


def realised_months(site: Site) -> Iterator[RealisedMonth]:
    """Per objective and month: what its first run predicted, and what came true."""
    for wanted in site.config.objectives:
        if wanted.predict == "value":
            continue
        for as_of, found in months(site, wanted):
            auc = found.model.metrics["auc"]
            yield RealisedMonth(
                objective=wanted.title,
                month=_day(as_of),
                predicted=found.predicted_mean,
                realised=found.model.outcomes,
                n=found.model.n,
                auc=None if isnan(auc.value) else Interval(auc.value, auc.low, auc.high),
            )


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()
