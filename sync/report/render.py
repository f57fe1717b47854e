"""From report data to one self-contained HTML file: no script, no network, every text escaped."""

import json
from collections.abc import Iterable
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sync.report import charts, flowchart, moving, numbers, sentences
from sync.report.data import Objective, RealisedMonth, ReportData
from sync.report.evaluation import Metrics
from sync.report.filters import PLATFORM_NAMES, filters
from sync.report.playbooks import PLAYBOOKS, direction
from sync.report.svg import clean

METRIC_NAMES = {
    "auc": "AUC",
    "lift_10": "Lift at 10 %",
    "lift_20": "Lift at 20 %",
    "capture_20": "Capture at 20 %",
    "precision": "Precision at 20 %",
    "recall": "Recall at 20 %",
    "f1": "F1 at 20 %",
    "brier": "Brier score",
    "log_loss": "Log-loss",
    "ece": "Calibration error (ECE)",
    "slope": "Calibration slope",
    "gini": "Gini, normalised",
    "total_ratio": "Predicted over real total",
    "mae": "Mean absolute error, cents",
}


def render(data: ReportData) -> str:
    """The whole page as HTML text, to be saved as UTF-8."""
    labels = _labels(data)
    moves = moving.moves(data.migration) if data.migration else []
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            data=data,
            labels=labels,
            moves=moves,
            months=_by_objective(data.realised),
            total_people=sum(segment.people for segment in data.segments),
            money=lambda cents: numbers.money(cents, data.currency),
            filters=lambda name: filters(
                name,
                [account.platform for account in data.accounts],
                prefix=data.prefix,
                without_control=data.control_group,
            ),
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("sync.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )
    environment.filters |= {
        "whole": numbers.whole,
        "signed": numbers.signed,
        "percent": numbers.percent,
        "day": numbers.day,
        "moment": numbers.moment,
        "measured": numbers.measured,
        "amount": numbers.amount,
        "as_json": _as_json,
        "sentence_case": _sentence_case,
    }
    environment.globals |= {
        "charts": charts,
        "direction": direction,
        "flow_picture": flowchart.flow_picture,
        "moving": moving,
        "metric_names": METRIC_NAMES,
        "metric_columns": _metric_columns,
        "platform_names": PLATFORM_NAMES,
        "playbooks": PLAYBOOKS,
        "portion": numbers.portion,
        "say": sentences,
    }
    return environment


def _printable(value: object) -> object:
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _as_json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


def _labels(data: ReportData) -> dict[str, str]:
    """Shown name per segment key, best first; keys only the migration knows come last under their own name."""
    labels = {segment.key: segment.name for segment in data.segments}
    for flow in data.migration.flows if data.migration else ():
        for key in (flow.origin, flow.target):
            if key is not None:
                labels.setdefault(key, key)
    return labels


def _by_objective(months: Iterable[RealisedMonth]) -> dict[str, list[RealisedMonth]]:
    """Months per objective, oldest first; months without anyone say nothing and are left out."""
    grouped: dict[str, list[RealisedMonth]] = {}
    for row in sorted(months, key=lambda month: month.month):
        if row.n:
            grouped.setdefault(row.objective, []).append(row)
    return grouped


def _metric_columns(objective: Objective) -> list[tuple[str, Metrics]]:
    """Column heading and metrics for the comparison of all that was tried, the rule of thumb first."""
    evaluation = objective.evaluation
    if evaluation is None:
        return []
    tried = [(f"{one.name} (chosen)" if one.chosen else one.name, one.metrics) for one in evaluation.candidates]
    if not any(one.chosen for one in evaluation.candidates):
        tried.append((f"{objective.rung} (chosen)", evaluation.metrics))
    return [("rule of thumb", evaluation.rule), *tried]
