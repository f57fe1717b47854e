"""Whether a newly trained model may take the place of the one in use: judged on windows neither had learned from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scoring.evaluate import Interval, difference, losses, miscalibration
from scoring.gate import day
from scoring.model import Check, Model, respond
from scoring.recalibrate import newest_line, relevelled
from scoring.snapshots import Floats, Snapshots
from scoring.tables import DAY

SLICES = 2
"""Matured cut-offs after the training of the model in use that a comparison needs at least."""
MARGIN = 0.002
"""Log-loss by which a challenger may be worse and still counts as no worse; for money this share of the loss."""
CLEARER = 0.005
"""Calibration error by which a challenger has to be nearer to what happened to count as better calibrated."""


@dataclass(frozen=True)
class Verdict:
    """What a comparison of challenger and champion found; without enough slices only `promote` and `why`."""

    promote: bool
    why: str
    """One plain sentence, with the numbers."""
    slices: tuple[int, ...] = ()
    """The cut-offs (µs UTC) both were judged on."""
    rows: int = 0
    gain: Interval | None = None
    """Loss of the champion minus that of the challenger, paired over people: above 0 the challenger is better."""
    calibration_error: tuple[float, float] | None = None
    """Of the champion and of the challenger; None for money."""


def contest(
    champion: Model, challenger: Model, past: Snapshots, simplest_first: Sequence[str], *, since: int = 0
) -> Verdict:
    """Judge `challenger`, fresh from training (its `check` is needed), against `champion` on what came after that one.

    The challenger stands for its trial, which had learned only from windows that ended before the test cut-offs; the
    champion carries the level it had at the first of these. Promoted is whoever loses surely less, or surely hardly
    more (MARGIN) while simpler or better calibrated. Where a human went back to the champion, only evidence after
    that counts: windows from `since` (µs UTC) on. Raises ValueError for a refused model or without a check.
    """
    if champion.estimator is None or challenger.estimator is None or challenger.check is None:
        raise ValueError("a comparison needs two models, and the rows the newer one was judged on")
    check = challenger.check
    since = max(since, champion.trained_at)
    cuts = [cut for cut in np.unique(check.cuts).tolist() if cut >= since]
    if len(cuts) < SLICES:
        return Verdict(False, _not_yet(since, challenger, len(cuts)), tuple(cuts))
    money, seed = challenger.objective.in_money, challenger.seed
    rows = np.isin(check.cuts, cuts)
    truth = 1 - check.y[rows] if challenger.objective.kind == "churn" else check.y[rows]
    found = [
        respond(link, challenger.objective)
        for link in (_champion_links(champion, check, past, cuts)[rows], check.links[challenger.rung][rows])
    ]
    old, new = (losses(truth, p, in_money=money) for p in found)
    gain = difference(old, new, check.person_ids[rows], seed)
    errors = None if money else (miscalibration(truth, found[0]), miscalibration(truth, found[1]))
    margin = MARGIN * (float(old.mean()) if money else 1.0)
    order = list(simplest_first)
    simpler = champion.rung not in order or order.index(challenger.rung) < order.index(champion.rung)
    clearer = errors is not None and errors[1] < errors[0] - CLEARER
    better, no_worse = gain.low > 0, gain.low > -margin
    promote = better or (no_worse and (simpler or clearer))
    return Verdict(
        promote,
        _why(gain, float(old.mean()), better, no_worse, simpler, clearer),
        tuple(cuts),
        int(rows.sum()),
        gain,
        errors,
    )


def _champion_links(champion: Model, check: Check, past: Snapshots, cuts: Sequence[int]) -> Floats:
    """What the champion would have said of each row of `check`; NaN at other cut-offs than `cuts`."""
    levelled = relevelled(champion, newest_line(champion, past, cuts[0]))
    assert levelled.estimator is not None
    links = np.full(check.y.size, np.nan)
    for cut in cuts:
        known, here = past.matrix(cut), check.cuts == cut
        place = np.searchsorted(known.person_ids, check.person_ids[here])
        links[here] = levelled.calibration(levelled.estimator.raw(known.values[place]))
    return links


def _not_yet(since: int, challenger: Model, slices: int) -> str:
    # The second slice begins a month after the first may, and its horizon has to pass as well.
    when = since + challenger.objective.horizon + 30 * (SLICES - 1) * DAY
    return (
        f"{slices} of {SLICES} windows have ended that the model in use had not learned from: "
        f"it stays; the comparison is possible from about {day(max(when, challenger.trained_at))}."
    )


def _why(gain: Interval, loss: float, better: bool, no_worse: bool, simpler: bool, clearer: bool) -> str:
    """In words; the gain as a share of the `loss` of the model in use."""

    def told(found: float) -> str:
        return f"{abs(100 * found / loss):.1f} % {'more' if found < 0 else 'less'}"

    numbers = f"misses by {told(gain.value)} (likely between {told(gain.low)} and {told(gain.high)})"
    if better:
        return f"The challenger {numbers}: surely better."
    if no_worse and (simpler or clearer):
        virtue = " and ".join(text for text, true in (("simpler", simpler), ("better calibrated", clearer)) if true)
        return f"The challenger {numbers}: no worse, and {virtue}."
    if no_worse:
        return f"The challenger {numbers}: no worse, but neither simpler nor better calibrated. The model in use stays."
    return f"The challenger {numbers}: not surely as good. The model in use stays."
