"""Stage 2: from the store to a prediction, reasons and a segment for everyone; contacts nobody."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cronsim import CronSim

from sync.config_sections import Objective
from sync.engine import tables
from sync.fields import SEGMENTS
from sync.instants import instant, micros
from sync.site import Site
from sync.standings import standings
from sync.store.database import transaction
from sync.store.exclusion import exclude
from sync.store.scores import Due, due, newest_model, save_model, save_outcomes, save_predictions, save_standings

if TYPE_CHECKING:
    from scoring.model import Model
    from scoring.predict import Predictions
    from scoring.snapshots import Snapshots
    from scoring.tables import Tables


@dataclass(frozen=True)
class Scored:
    """What scoring brought."""

    as_of: datetime
    people: int
    segments: dict[str, int]
    """People per segment, under the names the shop uses, best first."""
    models: "list[Used]"

    def cards(self) -> list[dict[str, Any]]:
        """The model cards, as JSON-able data."""
        from scoring.card import card

        return [card(used.model) for used in self.models]


@dataclass(frozen=True)
class Used:
    """The model of one objective."""

    objective: Objective
    model: "Model"
    trained: bool
    """Whether it was trained just now."""

    @property
    def title(self) -> str:
        """What reports call the objective."""
        return self.objective.title

    @property
    def sentence(self) -> str:
        """Which model is used and how well it ranks, or why there is none."""
        if self.model.refused or self.model.evaluation is None:
            return f"no model yet: {self.model.refused}"
        measured, rule = self.model.evaluation.metrics, self.model.candidates["rules"].metrics
        name, what = ("gini", "the money") if self.model.objective.in_money else ("auc", "those it happened to")
        ranks = f"{name.upper()} {measured[name].value:.3f} (rule of thumb {rule[name].value:.3f})"
        return (
            f"{self.model.title}, {self.model.horizon_days} days ahead: {ranks}; the top 20 % held "
            f"{measured['capture_20'].value:.0%} of {what}"
        )


def score(site: Site, as_of: datetime, *, train: bool = False) -> Scored:
    """Join what has come true since, train where it is due (always, with `train`), predict, and place everyone.

    Doing it again for the same instant gives the same result and replaces what was kept. StoreError when a model it
    needs was altered.
    """
    from scoring.snapshots import Snapshots

    # Noted anew here too: the last pull may have been cut off, or the config changed since.
    exclude(site.db, site.config)
    past = Snapshots(tables(site.db, site.config.currency, site.config.engine.master), micros(as_of))
    used: list[Used] = []
    for objective in site.config.objectives:
        used.append(_used(site, past, objective, train, used))
    predictions = {each.objective.predict: _predict(each.model, past) for each in used if not each.model.refused}
    rules = {
        name: _predict(each.model.rule_of_thumb(), past)
        for each in used
        if (name := each.objective.predict) in predictions
    }
    outcomes = list(_outcomes(site, past.tables, as_of))
    placed = standings(site, past, predictions, as_of)
    with transaction(site.db):
        for due_one, came_true in outcomes:
            save_outcomes(site.db, due_one.objective, due_one.as_of, came_true)
        for each in used:
            _keep(site, each, as_of, predictions.get(each.objective.predict), rules.get(each.objective.predict))
        save_standings(site.db, as_of, placed)
    counts = Counter(standing.segment for standing in placed)
    segments = {site.config.segments.name(segment): counts[segment] for segment in SEGMENTS}
    return Scored(as_of, len(placed), segments, used)


def _used(site: Site, past: "Snapshots", objective: Objective, train: bool, others: Sequence[Used]) -> Used:
    """The model to use: the one on hand while it is young and asks the same question, else a new one.

    Churn is buying again asked the other way round: one training (among `others`) answers both.
    """
    from scoring.objectives import Objective as Question
    from scoring.objectives import default_horizon
    from scoring.train import mirrored
    from scoring.train import train as learn

    if not train and (used := _on_hand(site, objective, past.as_of)):
        return used
    days = objective.within.days if objective.within else default_horizon(past.tables, past.as_of)
    question = Question(objective.title, objective.predict, days)
    for other in others:
        pair = {other.objective.predict, objective.predict} == {"repeat_purchase", "churn"}
        if pair and other.trained and other.model.horizon_days == days:
            return Used(objective, mirrored(other.model, question), trained=True)
    settings = site.config.model
    model = learn(past.tables, question, past.as_of, seed=settings.seed, candidates=settings.candidates, snapshots=past)
    return Used(objective, model, trained=True)


def _on_hand(site: Site, objective: Objective, as_of: int) -> Used | None:
    """The model kept; None when a training is due, or when it does not answer what is asked.

    A model that was refused for lack of data is no answer: more may have come in since.
    """
    from scoring.features import FEATURES
    from scoring.model import load

    stored = newest_model(site.db, objective.predict, instant(as_of))
    if stored is None or _old(site, stored.trained_at, as_of):
        return None
    model = load(stored.artefact)
    another = objective.within is not None and objective.within.days != model.horizon_days
    if model.refused or another or model.features != FEATURES:
        return None
    return Used(objective, model, trained=False)


def _old(site: Site, trained: datetime, as_of: int) -> bool:
    """Whether the schedule had a training between `trained` and now."""
    return next(CronSim(site.config.schedule.train, trained.astimezone(site.config.zone))) <= instant(as_of)


def _predict(model: "Model", past: "Snapshots") -> "Predictions":
    from scoring.predict import predict

    return predict(model, past.tables, past.as_of, known=past.matrix(past.as_of))


def _outcomes(site: Site, known: "Tables", as_of: datetime) -> Iterator[tuple[Due, dict[int, float]]]:
    """What came true of the predictions whose horizon has passed."""
    from scoring.model import load
    from scoring.objectives import labels

    for each in due(site.db, as_of):
        model = load(each.artefact)
        found = labels(known, model.objective, micros(each.as_of), model.threshold)
        yield each, dict(zip(found.person_ids.tolist(), found.y.tolist(), strict=True))


def _keep(
    site: Site, used: Used, as_of: datetime, predictions: "Predictions | None", rules: "Predictions | None"
) -> None:
    """Keep new models, and enter into the ledger what they say of everyone they know something about."""
    from scoring.card import card
    from scoring.model import dump

    if used.trained:
        save_model(site.db, used.objective.predict, as_of, dump(used.model), card(used.model))
    stored = newest_model(site.db, used.objective.predict, as_of)
    if predictions is None or rules is None or stored is None:
        return
    columns = (predictions.person_ids, predictions.values, rules.values)
    known = ~predictions.prior_only
    rows = zip(*(column[known].tolist() for column in columns), strict=True)
    save_predictions(site.db, as_of, used.objective.predict, used.model.horizon_days, stored.id, rows)
