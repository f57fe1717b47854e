"""What acting on the scores has brought so far: everyone acted on against the control group, over all waves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sync.config_sections import Objective
from sync.counted import counted
from sync.site import Site
from sync.store.ledger import Wave, made_by, matured, matured_at, predicted_at, values_at, waves

if TYPE_CHECKING:
    from scoring.uplift import Uplift

MEASURED = ("repeat_purchase", "value")
"""The objectives that say whether it pays: buying, and money."""
WORTH_FINDING = 0.1
"""The relative change for which the waiting time is told beforehand."""


@dataclass(frozen=True)
class Effect:
    """The effect on one objective; `found.verdict` says whether anything can be said at all."""

    objective: Objective
    found: "Uplift"
    waves: tuple[datetime, ...]
    """When the predictions were made that were compared; their horizons do not overlap."""
    people: int
    """People in the next wave, or the one that is under way."""
    rate: float
    """What is expected of them on average: a share, or cents."""
    months_needed: float | None
    """How many months it takes to find a change by a tenth of a share; None for money, inf without a control group."""
    one_wave: float | None
    """The smallest difference of shares this one wave can show, known beforehand; None as above and without people."""


def effects(site: Site) -> list[Effect]:
    """The effect on each objective of MEASURED that is predicted, from the ledger.

    Only waves count in which scores were written and whose control group had the present share; in a pilot both arms
    are of the pilot.
    """
    return [_effect(site, each) for each in site.config.objectives if each.predict in MEASURED]


def _effect(site: Site, objective: Objective) -> Effect:
    import numpy as np

    from scoring.uplift import Arms, detectable, pooled, uplift, waves_needed

    name, share = objective.key, site.config.holdout.share
    counted = _counted(site, name, waves(site.db))
    arms = []
    for as_of in counted:
        rows = [row for row in matured(site.db, name, as_of) if row.arm != "none"]
        arms.append(
            Arms(
                np.array([row.person_id for row in rows], dtype=np.int64),
                np.array([row.arm == "act" for row in rows], dtype=np.bool_),
                np.array([row.outcome for row in rows]),
                np.array([row.value for row in rows]),
            )
        )
    found = uplift(pooled(arms), share, seed=site.config.model.seed, in_money=name == "value")
    instants = predicted_at(site.db, name)
    expected = list(values_at(site.db, name, instants[-1]).values()) if instants else []
    rate = sum(expected) / len(expected) if expected else 0.0
    needed, one_wave, control = None, None, share * len(expected)
    if name != "value":
        one_wave = detectable(len(expected) - control, control, (rate * (1 - rate)) ** 0.5) if control else None
        days = made_by(site.db, name, instants[-1])[1] if instants else 30
        needed = waves_needed(len(expected), share, rate, WORTH_FINDING) * max(days, 30) / 30
    return Effect(objective, found, tuple(counted), len(expected), rate, needed, one_wave)


def _counted(site: Site, name: str, known: Sequence[Wave]) -> list[datetime]:
    """The instants at which scores were written, as far as their horizons do not overlap."""
    share = site.config.holdout.share
    written = {wave.as_of for wave in known if wave.mode != "shadow" and wave.holdout == share}
    counted: list[datetime] = []
    for as_of in (at for at in matured_at(site.db, name) if at in written):
        if not counted or as_of - counted[-1] >= timedelta(days=made_by(site.db, name, counted[-1])[1]):
            counted.append(as_of)
    return counted


def sentences(effect: Effect, currency: str) -> list[str]:
    """The effect in words: the verdict, the numbers, and what it would take."""
    found, money = effect.found, effect.objective.predict == "value"

    def told(number: float, *, signed: bool = True) -> str:
        sign = "+" if signed else ""
        return f"{number / 100:{sign},.2f} {currency}" if money else f"{100 * number:{sign}.1f} points"

    if found.verdict == "no control group":
        return ["There is no control group, so nobody can know: set holdout.share."]
    said = []
    if found.adjusted is not None:
        likely = f"{told(found.adjusted.value)}, likely {told(found.adjusted.low)} to {told(found.adjusted.high)}"
        verdict = {
            "helps": f"It helps: {likely} per person.",
            "harms": f"It harms: {likely} per person. Look at what these people are sent.",
            "cannot tell yet": f"Cannot tell yet ({likely} per person).",
            "the split is off": "The control group is not as large as it was drawn, which chance hardly explains "
            f"(p = {found.split_chance:.4f}): the comparison is not shown as one. Are people missing from one side?",
        }[found.verdict]
        said += [
            verdict,
            _size(effect, told(found.detectable, signed=False)),
        ]
    else:
        said.append("Nothing can be compared yet: no predictions of a written run have come to their end.")
    if effect.months_needed is not None and effect.people:
        said.append(_beforehand(effect))
    return said


def _size(effect: Effect, smallest: str) -> str:
    acted, control = effect.found.people
    waves_text = counted(len(effect.waves), "wave")
    return (
        f"{counted(acted, 'person')} acted on, {control:,} in the control group, {waves_text}. These can show a "
        f"difference from about {smallest} on; what was predicted explains {effect.found.explained:.0%} of the spread."
    )


def _beforehand(effect: Effect) -> str:
    base = f"{counted(effect.people, 'person')}, of whom {effect.rate:.0%} are expected to do it"
    if effect.one_wave is not None:
        base += f", one wave can show a difference from about {100 * effect.one_wave:.1f} points on"
    if effect.months_needed is None or effect.months_needed > 120:
        return f"With {base}; a change by a tenth cannot be found within ten years: take a larger control group."
    months = max(round(effect.months_needed), 1)
    unit = "month" if months == 1 else "months"
    return f"With {base}; a change by a tenth takes about {months} {unit} to find."
