"""The fields foretag owns on a platform: what each means, and which ones a profile writes."""

from collections.abc import Sequence

from connectors.contract import FieldSpec, FieldType
from sync.config import Config
from sync.config_sections import Meaning, Objective, Prediction
from sync.config_segments import Segment

CONTROL = "Control"
"""The tag of people in the control group."""

OWN_TIME = "the time in which this person usually orders again (30 to 180 days)"
"""The horizon of a churn that follows each person's own rhythm."""

_SCORES: dict[Prediction, tuple[str, str, str]] = {
    "repeat_purchase": ("buy_score", "BUY", "Chance in per cent to buy again within {days}"),
    "churn": ("churn_score", "CHURN", "Chance in per cent not to buy within {days}, after having bought before"),
    "high_value": (
        "high_value_score",
        "HIGH",
        "Chance in per cent to be among the top tenth of spenders within {days}",
    ),
    "value": ("expected_value", "VALUE", "Money expected from this person within {days}, in {currency}"),
    "response": ("response_score", "RESP", "Chance in per cent to answer a campaign within {days}"),
    "conversion": ("conversion_score", "CONV", "Chance in per cent of the first {counts} within {days}"),
}
_MEANINGS: dict[Meaning, str] = {
    **{predict: meaning for predict, (_, _, meaning) in _SCORES.items()},
    "silence": f"Chance in per cent not to buy within {OWN_TIME}, after having bought before",
    "leaving": "Chance in per cent to leave ({counts}) within {days}",
    "again": "Chance in per cent of a {counts}, the first or another, within {days}",
}
_COMPACT = {"repeat_purchase", "value"}


def score_key(objective: str) -> str:
    """The key of the field that holds the predictions of the objective with this key."""
    found = next((key for predict, (key, _, _) in _SCORES.items() if predict == objective), None)
    return found or f"{objective}_score"


def written_objectives(config: Config) -> list[Objective]:
    """The objectives whose scores the profile writes: `compact` keeps the chance to buy and the expected value."""
    compact = config.write.profile == "compact"
    return [objective for objective in config.objectives if not compact or objective.predict in _COMPACT]


def field_specs(config: Config) -> tuple[FieldSpec, ...]:
    """Every field the profile writes, described so that a marketer understands it without us."""
    writer = "Written by foretag; changes made by hand do not last."
    names = [config.segments.name(segment) for segment in SEGMENTS]
    scores = [_score_field(objective, config.currency, writer) for objective in written_objectives(config)]
    fields = [
        FieldSpec(
            "segment",
            "SEGMENT",
            "Segment",
            FieldType.CHOICE,
            f"The one group this person is in. {writer}",
            tuple(names),
        ),
        FieldSpec(
            "tags",
            "TAGS",
            "Tags",
            FieldType.TAGS,
            f"The segment as a tag, and Control for people that campaigns should leave out. {writer}",
            (*names, CONTROL),
        ),
        *scores,
        FieldSpec("reasons", "REASONS", "Reasons", FieldType.TEXT, f"What speaks for and against buying. {writer}"),
        FieldSpec("scored_on", "SCORED", "Scored on", FieldType.DATE, f"Day of the last change here. {writer}"),
        FieldSpec(
            "control_group",
            "CONTROL",
            "Control group",
            FieldType.YES_NO,
            f"Yes: leave this person out of campaigns, so that their effect can be measured. {writer}",
        ),
    ]
    if config.write.profile == "full":
        fields.append(
            FieldSpec("segment_before", "SEGPREV", "Segment before", FieldType.TEXT, f"The previous group. {writer}")
        )
        fields.append(FieldSpec("segment_since", "SEGSINC", "Segment since", FieldType.DATE, f"Day it began. {writer}"))
    return tuple(fields)


def every_field(config: Config) -> tuple[FieldSpec, ...]:
    """Every field that any profile could have made, under the prefix of this config.

    Those of all kinds of objectives, and those with a field of their own that the config names still.
    """
    usual = [Objective(predict=predict, counts="order" if predict == "conversion" else "") for predict in _SCORES]
    everything = {
        "objectives": [*usual, *(each for each in config.objectives if each.field)],
        "write": config.write.model_copy(update={"profile": "full"}),
    }
    return field_specs(config.model_copy(update=everything))


def _score_field(objective: Objective, currency: str, writer: str) -> FieldSpec:
    short = objective.field.upper() or _SCORES[objective.predict][1]
    days = f"{objective.within.days} days" if objective.within else "the horizon named in foretag's report"
    meaning = _MEANINGS[objective.meaning].format(days=days, currency=currency, counts=objective.step)
    text = f"{meaning}. {writer}"
    return FieldSpec(score_key(objective.key), short, objective.title, FieldType.NUMBER, text)


SEGMENTS: Sequence[Segment] = (
    "Champions", "Loyal", "Rising", "Promising", "New", "Steady", "Cooling", "At risk", "Lost",
)  # fmt: skip
"""The nine segments from best to worst."""
