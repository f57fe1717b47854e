"""A trained model of one objective: what it is, how good it was, and how to keep it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from zipfile import ZIP_DEFLATED

import numpy as np
import skops.io
from scipy.special import expit

from scoring.calibrate import Calibration
from scoring.evaluate import Evaluation, evaluate
from scoring.features import FEATURES
from scoring.ladder.base import Rung
from scoring.objectives import Objective
from scoring.snapshots import Floats, Ints
from scoring.workers import side_by_side

_MAGIC = b"foretag model 2\n"

TRUSTED = frozenset(
    {
        "scoring.btyd.gamma_gamma.GammaGamma",
        "scoring.btyd.pareto.ParetoNbd",
        "scoring.calibrate.Calibration",
        "scoring.evaluate.Bin",
        "scoring.evaluate.Evaluation",
        "scoring.evaluate.Interval",
        "scoring.ladder.buyers.BuyersChance",
        "scoring.ladder.buyers.BuyersMoney",
        "scoring.ladder.buyers.BuyersReturn",
        "scoring.ladder.forests.Forest",
        "scoring.ladder.forests.Tree",
        "scoring.ladder.hurdle.Hurdle",
        "scoring.ladder.linear.Lines",
        "scoring.ladder.linear.LogLinear",
        "scoring.ladder.linear.Logistic",
        "scoring.ladder.neural.Neural",
        "scoring.ladder.rules.Fifths",
        "scoring.ladder.rules.OneColumn",
        "scoring.ladder.rules.ScaledColumn",
        "scoring.ladder.trees.Boosting",
        "scoring.ladder.trees.PoissonBoosting",
        "scoring.model.Check",
        "scoring.model.Model",
        "scoring.objectives.Objective",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.tree._tree.Tree",
    }
)
"""What a model may be made of, beside plain values and what skops itself trusts (numpy, scikit-learn's estimators)."""


@dataclass(frozen=True)
class Check:
    """The rows a model was judged on: what happened, and what each rung had said, as calibrated log-odds (log-money).

    For churn too, both are about buying again.
    """

    person_ids: Ints
    cuts: Ints
    y: Floats
    links: Mapping[str, Floats]

    def judged(self, objective: Objective, seed: int) -> dict[str, Evaluation]:
        """The evaluation of each rung as a prediction of `objective`."""
        truth = 1 - self.y if direction(objective) < 0 else self.y
        cuts, money = tuple(np.unique(self.cuts).tolist()), objective.in_money

        def judge(link: Floats) -> Evaluation:
            return evaluate(truth, respond(link, objective), self.person_ids, seed=seed, in_money=money, cuts=cuts)

        return dict(zip(self.links, side_by_side(judge, self.links.values()), strict=True))


@dataclass(frozen=True)
class Model:
    """The outcome of training one objective. When `refused` says why there is none, `estimator` is None."""

    objective: Objective
    trained_at: int
    """The as-of instant of the training, µs UTC."""
    seed: int
    why: str
    """One plain sentence: which rung was chosen, over what, by how much (or why there is none)."""
    refused: str | None = None
    rung: str = ""
    """rules, btyd, logistic or boosting."""
    rule: str = ""
    """Name of the best rule of thumb."""
    rows: int = 0
    """Labelled rows the model was finally fitted on."""
    evaluation: Evaluation | None = None
    """Of the chosen rung, on cut-offs after everything it had learned from."""
    candidates: dict[str, Evaluation] = field(default_factory=dict)
    """The same for every rung that was tried; `rules` is the rule of thumb."""
    notes: tuple[str, ...] = ()
    """What a reader of the numbers should know, in plain sentences."""
    estimator: Rung | None = None
    calibration: Calibration = field(default_factory=Calibration)
    rule_estimator: Rung | None = None
    rule_calibration: Calibration = field(default_factory=Calibration)
    check: Check | None = None
    """There after training only: for mirroring a model and for comparing it with the one in use."""
    prior: float = float("nan")
    """What is said of people outside the population: their base rate (or mean, cents), shrunk."""
    threshold: float | None = None
    """For high_value: the spend within the horizon (cents) that counts as high."""
    features: tuple[str, ...] = FEATURES
    """The columns it was trained on; those beyond FEATURES are extra ones."""
    quarantined: tuple[str, ...] = ()
    """Columns that were kept out, and why, one sentence each."""
    horizons: str = ""
    """Where each person has a horizon of their own: how long these were in training, in words."""

    @property
    def horizon_days(self) -> int:
        """How far ahead the model predicts."""
        return self.objective.horizon_days

    @property
    def ahead(self) -> str:
        """How far it looks ahead, in words; with horizons of people's own also how long these are."""
        return self.objective.ahead + (f", {self.horizons}" if self.horizons else "")

    @property
    def title(self) -> str:
        """The rung under its own name."""
        return f"rule of thumb ({self.rule})" if self.rung == "rules" else self.rung

    @property
    def slope(self) -> float:
        """Factor between the estimator's contributions and those to the calibrated score; negative for churn."""
        return self.calibration.slope * direction(self.objective)

    def rule_of_thumb(self) -> "Model":
        """The rule of thumb as a model of its own, judged on the same rows; a refused model is refused again."""
        if self.refused is not None or self.rung == "rules":
            return self
        check = self.check and replace(self.check, links={"rules": self.check.links["rules"]})
        return replace(
            self,
            why=f"The rule of thumb, scored silently to compare with {self.title}.",
            rung="rules",
            evaluation=self.candidates["rules"],
            candidates={"rules": self.candidates["rules"]},
            estimator=self.rule_estimator,
            calibration=self.rule_calibration,
            check=check,
        )

    def score(self, x: Floats) -> Floats:
        """Calibrated probability (or cents) per row of FEATURES. Raises ValueError when the model was refused."""
        if self.estimator is None:
            raise ValueError(f"there is no model for {self.objective.name}: {self.refused}")
        return respond(self.calibration(self.estimator.raw(x)), self.objective)


def direction(objective: Objective) -> int:
    """-1 for churn, which is the complement of buying again and learned as such; 1 for everything else."""
    return -1 if objective.kind == "churn" else 1


def respond(link: Floats, objective: Objective) -> Floats:
    """From calibrated log-odds (log-money) to probability (cents) of the objective."""
    answer: Floats = np.exp(link) if objective.in_money else expit(direction(objective) * link)
    return answer


def dump(model: Model) -> bytes:
    """The model as bytes: a SHA-256 and a skops archive, which holds plain values and names of types, no code."""
    archive: bytes = skops.io.dumps(model, compression=ZIP_DEFLATED, compresslevel=1)
    return _MAGIC + sha256(archive).digest() + archive


def load(data: bytes) -> Model:
    """The model `dump` made. Raises ValueError when the bytes are something else, were altered, or name a type that
    no model of ours is made of: nothing of them runs then.
    """
    start = len(_MAGIC)
    digest, archive = data[start : start + 32], data[start + 32 :]
    if not data.startswith(_MAGIC) or sha256(archive).digest() != digest:
        raise ValueError("these bytes are not a model, or were altered")
    if strange := sorted(set(skops.io.get_untrusted_types(data=archive)) - TRUSTED):
        raise ValueError(f"these bytes are not a model of ours: they name {', '.join(strange)}")
    model = skops.io.loads(archive, trusted=sorted(TRUSTED))
    if not isinstance(model, Model):
        raise ValueError("these bytes are not a model")
    return model
