"""The config's sections about segments: their limits, order and names, and surveys that decide one."""

import re
from datetime import timedelta
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sync.config_accounts import Section
from sync.config_values import Duration, Share

Segment = Literal["Champions", "Loyal", "Rising", "Promising", "New", "Steady", "Cooling", "At risk", "Lost"]


_NONE = BeforeValidator(lambda given: None if given == "auto" else given)
Fitted = Annotated[Annotated[Share, Field(gt=0, lt=1)] | None, _NONE]
"""A share; None is "auto": fitted."""


def _distinct_names(names: dict[Segment, str]) -> dict[Segment, str]:
    seen = {"control"}
    for segment in get_args(Segment):
        name = names.get(segment, segment)
        if not re.fullmatch(r"[^;,|\s](?:[^;,|]{0,38}[^;,|\s])?", name):
            raise ValueError(f'"{name}" should have 1 to 40 characters, none of them ; , or |')
        if name.lower() in seen:
            raise ValueError(f'two tags would be called "{name}"')
        seen.add(name.lower())
    return names


def _all_nine(order: list[Segment]) -> list[Segment]:
    if sorted(order) != sorted(get_args(Segment)):
        raise ValueError("should hold each of the nine segments once")
    return order


def _per_week(capacity: str) -> str:
    if not re.fullmatch(r"|[1-9][0-9]{0,6}/week", capacity):
        raise ValueError('should look like "50/week", or be empty')
    return capacity


class Limits(Section):
    """Limits between segments in place of the fitted ones; "auto" is fitted to your buyers."""

    likely: Fitted = Field(None, description="Chance from which a person is likely to come back.")
    cooling: Fitted = Field(None, description="Chance below which a person is cooling off.")
    unlikely: Fitted = Field(None, description="Chance below which a person is at risk.")
    lost: Fitted = Field(None, description="Chance below which a person is lost.")
    valuable: Annotated[float | None, Field(ge=0), _NONE] = Field(
        None, description="Expected spend, in your currency, from which a person is a champion."
    )
    new: Duration = Field(timedelta(days=60), description="How long a person counts as new.")
    rising: float = Field(
        1.25, gt=1, le=10, description="Spend of 90 days over that of the 90 before from which a person is rising."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        given = [limit for limit in (self.lost, self.unlikely, self.cooling, self.likely) if limit is not None]
        if given != sorted(given):
            raise ValueError("lost, unlikely, cooling and likely should grow in this order")
        return self


class Segments(Section):
    """How people move between the nine segments."""

    min_stay: Duration = Field(timedelta(days=14), description="How long a person stays in a segment at least.")
    hysteresis: Share = Field(
        0.05,
        ge=0,
        le=0.3,
        description="By how much a probability around one half must pass a threshold before the segment changes; "
        "less towards 0 and 1, in proportion to the odds.",
    )
    calm: Duration = Field(
        timedelta(days=21),
        description="Segments follow the chance of the last weeks: after this time an earlier one counts half.",
    )
    capacity: Annotated[str, AfterValidator(_per_week)] = Field(
        "", description='How many champions you can look after, such as "50/week", in place of a limit; "" for no such.'
    )
    order: Annotated[list[Segment], AfterValidator(_all_nine)] = Field(
        list(get_args(Segment)), description="From best to worst: what a move up is, and what one down."
    )
    limits: Limits = Field(Limits(), description=Limits.__doc__)
    names: Annotated[dict[Segment, str], AfterValidator(_distinct_names)] = Field(
        {}, description='Other names for segments in reports and tags, such as {"At risk" = "Win back"}.'
    )

    def name(self, segment: Segment) -> str:
        """What the shop calls `segment`."""
        return self.names.get(segment, segment)


BY_HAND = "pin:segment"
"""In place of a property: the segment that was set by hand."""


class Survey(Section):
    """People whose answer to a survey (such as an NPS score) says more than their scores: they go into one segment.

    Or the answer is the outcome of an objective, and models learn from it.
    """

    answer: str = Field(
        pattern=r"^[a-z0-9-]+:\w+$",
        description='The property with the answer: "hubspot:nps_score"; "pin:segment" is the segment set by hand.',
    )
    when: str = Field(
        pattern=r"^(?:[<>]= -?\d+(?:\.\d+)?|= .*\S.*)$",
        description='Which answers count: "<= 6", ">= 9", or "= some text".',
    )
    segment: Segment | None = Field(None, description='The segment of whoever answered so, such as "At risk".')
    label: str = Field(
        "",
        description="Short name (`field`, or else `predict`) of the objective with `counts` that asks the same: "
        "answering so is its outcome, dated when the answer is noticed. It learns from what is watched since then.",
    )

    @property
    def by_hand(self) -> bool:
        """Whether it is about segments that humans set."""
        return self.answer == BY_HAND

    @property
    def account(self) -> str:
        """The name of an account, or a kind."""
        return self.answer.partition(":")[0]

    @property
    def name(self) -> str:
        """The name of the property."""
        return self.answer.partition(":")[2]

    def fits(self, value: str) -> bool:
        """Whether this answer counts."""
        sign, _, wanted = self.when.partition(" ")
        if sign == "=":
            return value.strip().lower() == wanted.strip().lower()
        try:
            number = float(value)
        except ValueError:
            return False
        return number <= float(wanted) if sign == "<=" else number >= float(wanted)

    @model_validator(mode="after")
    def _says_what_for(self) -> Self:
        if not (self.segment or self.label):
            raise ValueError("a survey needs a segment to put people into, or a label: the objective it answers")
        if self.by_hand and (self.segment or not self.when.startswith("=")):
            raise ValueError('what is set by hand is a segment already: give when = "= Lost" and a label, no segment')
        return self
