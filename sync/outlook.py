"""What came of earlier predictions, in one piece: what is wrong, what came true, and whether acting on it helped."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from sync.counted import counted
from sync.effect import effects, sentences
from sync.feedback import findings, months
from sync.movement import movement, movement_lines
from sync.site import Site


def outlook(site: Site) -> dict[str, Any]:
    """All of it as JSON-able data. Shares and chances in [0, 1], money in cents."""
    from scoring.card import plain

    found: dict[str, Any] = plain(
        {
            "findings": [asdict(each) | {"text": each.text} for each in findings(site)],
            "realised": [
                {
                    "objective": objective.title,
                    "month": f"{at:%Y-%m}",
                    "people": one.model.n,
                    "predicted": one.predicted_mean,
                    "happened": one.observed_mean,
                    "line": asdict(one.line) if one.line else None,
                    "measures": {name: asdict(each) for name, each in one.model.metrics.items()},
                    "rule_of_thumb": {name: asdict(each) for name, each in one.rule.metrics.items()}
                    if one.rule
                    else None,
                    "loss_below_rule": asdict(one.gain) if one.gain else None,
                }
                for objective in site.config.objectives
                for at, one in months(site, objective)
            ],
            "effects": [
                {
                    "objective": each.objective.title,
                    "waves": [at.isoformat() for at in each.waves],
                    "months_needed": each.months_needed,
                    "one_wave": each.one_wave,
                    "words": sentences(each, site.config.currency),
                    **asdict(each.found),
                }
                for each in effects(site)
            ],
            "movement": movement(site),
        }
    )
    return found


def outlook_lines(site: Site, found: Mapping[str, Any]) -> Iterator[str]:
    """The same for people."""
    yield "What looks wrong"
    for each in found["findings"]:
        yield f"  {'(hint) ' if each['hint'] else ''}{each['text']}"
    if not found["findings"]:
        yield "  Nothing."
    yield "What came true"
    for each in found["realised"]:
        yield f"  {each['month']}  {each['objective']}: {_came_true(each)}"
    if not found["realised"]:
        yield "  No prediction has come to its end yet."
    yield "What acting on it brought"
    for each in found["effects"]:
        yield f"  {each['objective']}: {' '.join(each['words'])}"
    yield "Who moves"
    yield from movement_lines(site, found["movement"])


def _came_true(each: Mapping[str, Any]) -> str:
    if "auc" not in each["measures"]:
        expected, spent = each["predicted"] / 100, each["happened"] / 100
        return f"{counted(each['people'], 'person')}, {expected:,.2f} expected, {spent:,.2f} spent"
    text = f"{counted(each['people'], 'person')}, {each['predicted']:.1%} predicted, {each['happened']:.1%} happened"
    auc = each["measures"]["auc"]["value"]
    rule = each["rule_of_thumb"] and each["rule_of_thumb"]["auc"]["value"]
    if auc is None or rule is None:
        return text
    return f"{text}; AUC {auc:.3f}, rule of thumb {rule:.3f}; calibration error {each['measures']['ece']['value']:.3f}"
