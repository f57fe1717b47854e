"""The model card: everything a reader needs to judge a model, as plain values, and as Markdown."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from scoring.gate import day
from scoring.model import Model

LIMITS = (
    "A score is a chance, not a verdict about a person; it is meant for choosing whom to write to first.",
    "Nothing in it says why somebody acts, or that writing to them changes what they do: the control group does.",
    "It must not decide prices, credit, or whether somebody is served.",
    "It knows only what the connected platforms know, and nothing that happened outside of them.",
)


def card(model: Model) -> dict[str, Any]:
    """`model` as a dict that JSON can hold: no NaN, no objects; instants in µs UTC."""
    found: dict[str, Any] = plain(
        {
            "objective": asdict(model.objective),
            "ahead": model.ahead,
            "trained_at": model.trained_at,
            "seed": model.seed,
            "refused": model.refused,
            "rung": model.rung,
            "title": model.title if model.rung else None,
            "why": model.why,
            "notes": list(model.notes),
            "rows": model.rows,
            "prior": model.prior,
            "threshold": model.threshold,
            "calibration": asdict(model.calibration),
            "features": list(model.features),
            "quarantined": list(model.quarantined),
            "evaluation": None if model.evaluation is None else asdict(model.evaluation),
            "candidates": {name: asdict(found) for name, found in model.candidates.items()},
            "limits": list(LIMITS),
        }
    )
    return found


def plain(value: Any) -> Any:
    """`value` without what JSON cannot hold: NaN and infinities become None, tuples lists."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def markdown(found: Mapping[str, Any]) -> str:
    """A card as Markdown. Beside what `card` gives it may hold `data` (name → text), `realised` (rows of month, people,
    predicted, happened), `segments` (rows of segment, people, happened), `groups` (property → rows of fairness.Group as
    dicts), `versions` (name → version) and `status` (a sentence).
    """
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    objective = found["objective"]
    yield f"# {objective['name']}: {found['title'] or 'no model yet'}"
    yield ""
    if status := found.get("status"):
        yield f"{status}"
        yield ""
    yield from _table(("", ""), _facts(found))
    if found["refused"]:
        yield f"**No model:** {found['refused']}"
        yield ""
    yield from _list("Worth knowing", found["notes"])
    yield from _quality(found)
    yield from _outcomes(found)
    for name, groups in found.get("groups", {}).items():
        yield from _fairness(name, groups)
    yield from _list("Limits", found.get("limits", ()))
    yield from _list("Columns that were kept out", found.get("quarantined", ()))
    yield f"## Features\n\n{', '.join(f'`{name}`' for name in found['features'])}"
    yield ""
    yield from _table(("library", "version"), list(found.get("versions", {}).items()))


def _facts(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    objective = found["objective"]
    # Cards that were kept before people had horizons of their own do not say it in words.
    ahead = found.get("ahead") or f"{objective['horizon_days']} days ahead"
    facts = [
        ("predicts", f"{objective['kind']}, {ahead}"),
        ("trained on what was known at", day(found["trained_at"])),
        *found.get("data", {}).items(),
        ("labelled rows", f"{found['rows']:,}"),
        ("chosen because", found["why"]),
        ("seed", str(found["seed"])),
    ]
    if found["threshold"] is not None:
        facts.append(("counts as high from", f"{found['threshold'] / 100:,.2f} within the horizon"))
    return facts


def _quality(found: Mapping[str, Any]) -> Iterator[str]:
    if found["evaluation"] is None:
        return
    test = found["evaluation"]
    yield "## How good it was on later dates"
    yield ""
    yield (
        f"{test['n']:,} predictions at {', '.join(day(cut) for cut in test['cuts'])}, "
        f"{test['outcomes']:,} with the outcome. In brackets the 95 % interval over people."
    )
    yield ""
    names = list(found["candidates"])
    titles = [
        f"**{name}**" if name == found["rung"] else "rule of thumb" if name == "rules" else name for name in names
    ]
    rows = [
        (metric, *(_interval(found["candidates"][name]["metrics"][metric]) for name in names))
        for metric in test["metrics"]
    ]
    yield from _table(("measure", *titles), rows)
    if found["objective"]["kind"] != "value":
        yield "## Do the percentages come true?"
        yield ""
        bins = [
            (f"{row['predicted']:.1%}", f"{row['observed']:.1%} [{row['low']:.1%}, {row['high']:.1%}]", f"{row['n']:,}")
            for row in test["reliability"]
        ]
        yield from _table(("predicted", "happened", "people"), bins)


def _outcomes(found: Mapping[str, Any]) -> Iterator[str]:
    if found.get("realised"):
        yield "## What came true since"
        yield ""
        yield from _table(("month", "people", "predicted", "happened"), [tuple(row) for row in found["realised"]])
    if found.get("segments"):
        yield "## Outcome by segment"
        yield ""
        yield from _table(("segment then", "people", "happened"), [tuple(row) for row in found["segments"]])


def _fairness(name: str, groups: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield f"## By {name}"
    yield ""
    yield "Whether the best scored fifth and the percentages serve groups alike. Small groups are not judged."
    yield ""
    rows = [
        (
            each["name"],
            f"{each['n']:,}",
            f"{each['predicted']:.1%}",
            _interval(each["observed"]),
            _interval(each["picked"]),
            "–" if each["level"] is None else "off" if each["off"] else "as predicted",
        )
        for each in groups
    ]
    yield from _table(("group", "people", "predicted", "happened", "share in the top fifth", "percentages"), rows)


def _interval(found: Mapping[str, Any] | None) -> str:
    if found is None or found["value"] is None:
        return "–"
    if found["low"] is None:
        return f"{found['value']:.3f}"
    return f"{found['value']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


def _table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    if not rows:
        return
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(str(cell).replace('|', '/') for cell in row)} |"
    yield ""


def _list(title: str, items: Sequence[str]) -> Iterator[str]:
    if items:
        yield f"## {title}"
        yield ""
        yield from (f"- {item}" for item in items)
        yield ""
