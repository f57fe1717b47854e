"""Which model answers an objective: the one in use, or a new one that has earned its place."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from sync.config_sections import Objective
from sync.errors import ForetagError
from sync.instants import instant, micros
from sync.retraining import KNOWN, outcomes_known, reason
from sync.site import Site
from sync.store.models import (
    Level,
    Promotion,
    StoredModel,
    artefact,
    forget_challengers,
    gone_back_at,
    level_at,
    model_in_use,
    newest_level,
    promote,
    save_level,
    save_model,
)

if TYPE_CHECKING:
    from scoring.calibrate import Calibration
    from scoring.indicators import Indicator
    from scoring.model import Model
    from scoring.objectives import Objective as Question
    from scoring.snapshots import Snapshots

ALIKE = 1.25
"""How many times as long a horizon from the data may be as that of the model in use before it is another question."""


@dataclass(frozen=True)
class Used:
    """The model of one objective, and what became of a newer one if there was a training."""

    objective: Objective
    model: "Model"
    """The model in use, at its present level."""
    rule: "Model"
    """The rule of thumb that is scored silently beside it, at its present level."""
    trained: "Model | None" = None
    """What a training just now brought: the model in use, or a challenger."""
    cause: str = ""
    """Why `trained` came into use (see Promotion); "" when it did not."""
    indicators: tuple["Indicator", ...] = ()
    """What marked later top spenders, where that was trained just now."""
    verdict: str = ""
    """What the comparison of `trained` with the model in use said, in one sentence."""
    why_trained: str = ""
    """Why there was a training."""
    outcomes_known: int = 0
    """How often what is predicted had happened when `trained` was."""

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
            f"{self.model.title}, {self.model.ahead}: {ranks}; the top 20 % held "
            f"{measured['capture_20'].value:.0%} of {what}"
        )


def choose(site: Site, past: "Snapshots", objective: Objective, train: bool, others: Sequence[Used]) -> Used:
    """The model to use at `past.as_of`. Where there is a reason to train (always, with `train`), a new one has its
    chance.

    It takes the place of the model in use when that one does not fit any more, or when it was surely better (or as
    good, and simpler or better calibrated) on windows neither had learned from. Churn with one horizon for all
    is buying again asked the other way round: one training (among `others`) answers both. StoreError when a model it
    needs was altered.
    """
    stored, champion, misfit = _in_use(site, objective, past, train)
    why = misfit
    if champion and not why:
        why = reason(site, past, objective, champion.objective.asked, train)
    if stored and champion and not why:
        return _at_its_level(site, objective, champion, stored.id, past)
    trained = _train(site, past, _question(past, objective, champion), others)
    used = _chosen(site, past, objective, stored, champion, misfit, trained)
    known = outcomes_known(past, trained.objective.asked)
    return replace(used, why_trained=why or "it is the first one", outcomes_known=known)


class NoModelFits(ForetagError):
    """A model would have to be trained, and now is not the time."""


def as_it_is(site: Site, past: "Snapshots", objective: Objective) -> Used:
    """The model in use at `past.as_of`, at the level it was set to last: for when the past is not known of everyone, so
    that nothing can be learned from it. NoModelFits when there is none for what is asked; StoreError as `choose`.
    """
    stored, champion, misfit = _in_use(site, objective, past, train=False)
    if stored is None or champion is None or (misfit and not champion.refused):
        raise NoModelFits(f"{objective.title} needs a new model. {misfit}".rstrip())
    level = newest_level(site.db, stored.id)
    rule = champion.rule_of_thumb()
    return Used(objective, champion, rule) if level is None else _set_to(level, objective, champion, rule)


def _chosen(
    site: Site,
    past: "Snapshots",
    objective: Objective,
    stored: StoredModel | None,
    champion: "Model | None",
    misfit: str,
    trained: "Model",
) -> Used:
    """The model in use (`champion`), or the one just trained where it has earned its place or there is no other."""
    from scoring.champion import contest
    from scoring.indicators import indicators
    from scoring.train import CANDIDATES

    if champion and not misfit and champion.rung not in ("rules", *site.config.model.candidates):
        misfit = f"{champion.rung} is not among the candidates any more."
    if champion and not misfit and not trained.refused and _looks_elsewhere(trained, champion):
        misfit = f"Asked is {trained.objective.ahead} now, not {champion.objective.ahead}: people order otherwise."
    marks = tuple(indicators(trained, past)) if objective.predict == "high_value" and not trained.refused else ()
    if misfit or champion is None or stored is None or champion.trained_at == trained.trained_at:
        cause = "replaced" if stored else "first"
        return Used(objective, trained, trained.rule_of_thumb(), trained, cause, marks, misfit)
    if trained.refused:
        kept = _at_its_level(site, objective, champion, stored.id, past)
        return replace(kept, trained=trained, verdict=f"No challenger: {trained.refused}")
    back = gone_back_at(site.db, objective.key, instant(past.as_of))
    verdict = contest(champion, trained, past, CANDIDATES, since=micros(back) if back else 0)
    if verdict.promote:
        return Used(objective, trained, trained.rule_of_thumb(), trained, "evidence", marks, verdict.why)
    kept = _at_its_level(site, objective, champion, stored.id, past)
    return replace(kept, trained=trained, indicators=marks, verdict=verdict.why)


def keep(site: Site, used: Used, as_of: datetime) -> int | None:
    """Keep what was trained and what came into use. The number of the model in use; None when there is none.

    Inside a transaction.
    """
    from scoring.card import card, plain
    from scoring.model import dump
    from scoring.value import spread

    name = used.objective.key
    if used.trained is not None:
        lean = replace(used.trained, check=None)
        ranges = spread(used.trained)
        told = card(lean) | plain(
            {
                "indicators": [asdict(each) for each in used.indicators],
                "spread": ranges.kept() if ranges else None,
                KNOWN: used.outcomes_known,
            }
        )
        number = save_model(site.db, name, as_of, dump(lean), told, used.verdict)
        if used.cause:
            promote(site.db, Promotion(name, as_of, number, used.cause, used.verdict))
        forget_challengers(site.db, name, number)
    stored = model_in_use(site.db, name, as_of)
    return stored.id if stored else None


def _in_use(
    site: Site, objective: Objective, past: "Snapshots", train: bool
) -> tuple[StoredModel | None, "Model | None", str]:
    """The model in use, loaded, and why it does not fit any more ("" when it does).

    A model that was refused for lack of data is no answer: more may have come in since. An altered one is replaced
    only when a training was asked for; else it is an error, so that nobody overlooks it.
    """
    from scoring.model import load
    from sync.store.database import StoreError

    stored = model_in_use(site.db, objective.key, instant(past.as_of))
    if stored is None:
        return None, None, ""
    try:
        model = load(artefact(site.db, stored.id))
    except StoreError:
        if not train:
            raise
        return stored, None, "The model before was altered."
    except ValueError:
        return stored, None, "The model before was kept by an earlier version."
    if model.refused:
        return stored, model, "There was no model before."
    if why := other_question(objective, model.objective):
        return stored, model, why
    if model.features != past.names:
        return stored, model, "The model before knew other features."
    return stored, model, ""


def _looks_elsewhere(one: "Model", other: "Model") -> bool:
    return any(
        getattr(one.objective, name) != getattr(other.objective, name) for name in ("horizon_days", "rhythm_days")
    )


def other_question(objective: Objective, asked: "Question") -> str:
    """Why a model that was `asked` that does not answer `objective`, in a sentence; "" when it does."""
    if objective.within is not None and objective.within.days != asked.horizon_days:
        return f"Asked is {objective.within.days} days ahead now, not {asked.horizon_days}."
    if (asked.kind, asked.event, asked.again) != (objective.predict, objective.event, objective.again):
        return f"Asked is something else now: {objective.title}."
    if objective.own_rhythm and asked.rhythm_days is None:
        return f"Asked is each person's own rhythm now, not {asked.ahead} for everyone."
    if not objective.own_rhythm and asked.rhythm_days is not None:
        return "Asked is the same horizon for everyone now, not each person's own rhythm."
    return ""


def _train(site: Site, past: "Snapshots", question: "Question", others: Sequence[Used]) -> "Model":
    from scoring.mirror import mirrored, opposites
    from scoring.train import train as learn

    for other in others:
        if other.trained and opposites(other.trained.objective, question):
            return mirrored(other.trained, question)
    settings = site.config.model
    return learn(past.tables, question, past.as_of, seed=settings.seed, candidates=settings.candidates, snapshots=past)


def _question(past: "Snapshots", objective: Objective, champion: "Model | None") -> "Question":
    """What is asked, with a horizon from the data where the config names none.

    It is what `champion` was asked as long as the data say about the same (ALIKE): models can only be compared on one
    question.
    """
    from scoring.objectives import Objective as Question
    from scoring.objectives import silence
    from scoring.rhythm import default_horizon

    if objective.own_rhythm:
        asked = silence(objective.title, past.tables, past.as_of)
    else:
        days = objective.within.days if objective.within else default_horizon(past.tables, past.as_of)
        asked = Question(objective.title, objective.predict, days, event=objective.event, again=objective.again)
    if champion is None or champion.refused or other_question(objective, champion.objective):
        return asked
    before = champion.objective
    pairs = ((asked.horizon_days, before.horizon_days), (asked.rhythm_days or 1.0, before.rhythm_days or 1.0))
    return replace(before, name=asked.name) if all(max(pair) <= ALIKE * min(pair) for pair in pairs) else asked


def _at_its_level(site: Site, objective: Objective, model: "Model", number: int, past: "Snapshots") -> Used:
    """`model` and its rule of thumb at the level that is due: computed once a month, then looked up."""
    from scoring.calibrate import Calibration
    from scoring.recalibrate import anchor, newest_line

    at = anchor(model, past.as_of)
    rule = model.rule_of_thumb()
    level = level_at(site.db, number, instant(at))
    if level is None:
        lines = (newest_line(each, past, past.as_of) or Calibration() for each in (model, rule))
        level = Level(*(_pair(line) for line in lines))
        save_level(site.db, number, instant(at), level)
    return _set_to(level, objective, model, rule)


def _set_to(level: Level, objective: Objective, model: "Model", rule: "Model") -> Used:
    from scoring.calibrate import Calibration
    from scoring.recalibrate import relevelled

    return Used(objective, relevelled(model, Calibration(*level.model)), relevelled(rule, Calibration(*level.rule)))


def _pair(line: "Calibration") -> tuple[float, float]:
    return line.slope, line.intercept
