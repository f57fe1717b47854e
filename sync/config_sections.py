"""The config's sections: one class each, every key with its meaning and default. Platform blocks: config_accounts."""

import re
from datetime import time, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from sync.config_accounts import NAME, Section
from sync.config_segments import Segment
from sync.config_values import Cron, DailyHours, Day, Duration, Horizon, Hours, Share

Prediction = Literal["repeat_purchase", "churn", "high_value", "value", "response", "conversion"]
Meaning = Literal[Prediction, "leaving", "again", "silence"]
"""What is meant by an objective: `leaving` is a churn that happens at an instant, such as a cancellation."""
COUNTED = ("order", "deal_won", "form", "visit", "click", "response", "touch", "deal_lost", "unsubscribe")
"""Kinds of activity an objective may count."""


def _counts(text: str) -> str:
    if not text or text in COUNTED or re.fullmatch(r"property:\w+=.+", text):
        return text
    raise ValueError(f'counts should be one of {", ".join(COUNTED)}, or "property:NAME=VALUE"')


Counts = Annotated[str, AfterValidator(_counts)]

TITLES: dict[Prediction, str] = {
    "repeat_purchase": "Buys again",
    "churn": "Stops buying",
    "high_value": "Becomes a top spender",
    "value": "Expected spend",
    "response": "Answers a campaign",
}
"""What is predicted when the file has no objectives, and what reports call it when the file gives it no name."""
TAKEN = frozenset(
    {"SEGMENT", "TAGS", "BUY", "CHURN", "HIGH", "VALUE", "RESP", "CONV"}
    | {"REASONS", "SCORED", "CONTROL", "SEGPREV", "SEGSINC"}
)
"""Short names that our fields have anyway."""


class Objective(Section):
    """One thing to predict for every person; any number, also several conversions and ways to leave.

    Without any such section all but conversion are predicted.
    """

    predict: Prediction = Field(
        description="repeat_purchase (buys again), churn (stops buying), high_value (among the top tenth of spenders), "
        "value (money to expect), response (answers a campaign) or conversion (does for the first time what `counts`)."
    )
    counts: Counts = Field(
        "",
        description='For conversion: the first activity of this kind counts, such as "order", "deal_won" or "form"; '
        '"property:NAME=VALUE" is reaching that value, dated from when the property is watched. '
        'For churn: the activity somebody leaves with, such as "unsubscribe"; "" is not buying any more.',
    )
    again: bool = Field(False, description="For conversion: ask also about people who have done it before.")
    name: str = Field("", max_length=60, description='What reports call it; "" takes a plain title.')
    field: str = Field(
        "",
        pattern=r"^([a-z][a-z0-9]{1,6})?$",
        description='Short name of its own field, such as "demo" for ft_demo_score (FT_DEMO on Mailchimp); needed for '
        "a second objective of the same kind. Another name is another field, whose predictions are judged anew.",
    )
    within: Horizon = Field(
        None,
        description='How far to look ahead, such as "30d"; "auto" follows how often your customers buy. For churn '
        "without counts it follows how often each person does: everyone has a horizon of their own.",
    )

    @property
    def key(self) -> str:
        """What the store and its score field know it by; unique among the objectives of a config."""
        return self.field or self.predict

    @property
    def title(self) -> str:
        """What reports call it."""
        if self.name or not self.counts:
            return self.name or TITLES[self.predict]
        if self.predict == "conversion":
            return f"{'Next' if self.again else 'First'} {self.step}"
        return f"Leaves ({self.step})"

    @property
    def meaning(self) -> Meaning:
        """What is asked, for texts."""
        if self.again:
            return "again"
        if self.own_rhythm:
            return "silence"
        return "leaving" if self.predict == "churn" and self.counts else self.predict

    @property
    def own_rhythm(self) -> bool:
        """Whether each person is asked about within the time in which they usually order again."""
        return self.predict == "churn" and not self.counts and self.within is None

    @property
    def step(self) -> str:
        """What counts, in words."""
        return {"deal_won": "won deal", "deal_lost": "lost deal"}.get(self.counts, self.event)

    @property
    def event(self) -> str:
        """What counts, as the store's kind of activity: a won deal is an order there."""
        return "order" if self.counts == "deal_won" else self.counts.removeprefix("property:")

    @property
    def reached(self) -> tuple[str, str] | None:
        """The property and the value that counts; None where an activity does."""
        name, _, value = self.event.partition("=")
        return (name, value) if value else None

    @model_validator(mode="after")
    def _says_what_counts(self) -> Self:
        if self.predict == "conversion" and not self.counts:
            raise ValueError("a conversion needs counts: the first activity of which kind is meant?")
        if self.counts and self.predict not in ("conversion", "churn"):
            raise ValueError('counts belongs to predict = "conversion" or "churn"')
        if self.again and self.predict != "conversion":
            raise ValueError(
                'again belongs to predict = "conversion": the others are asked about everybody they can be'
            )
        if self.predict == "churn" and self.event == "order":
            raise ValueError('nobody leaves by buying: counts should be such as "unsubscribe", or "" for not buying')
        if self.field and not self.counts:
            raise ValueError("field belongs to objectives with counts: the others have their fields already")
        if self.field.upper() in TAKEN:
            raise ValueError(f"field {self.field} is the name of another field of ours: choose another word")
        return self


class Write(Section):
    """What is written to the platforms, and when."""

    prefix: str = Field(
        "ft_",
        pattern=r"^[a-z][a-z0-9]?_$",
        description="Start of every field and tag of ours: one or two characters and an underscore.",
    )
    profile: Literal["compact", "default", "full"] = Field(
        "default", description="How many fields to write per person: few, the usual ones, or all."
    )
    min_change_points: int = Field(
        5, ge=0, le=50, description="Scores are rewritten only when they moved by this many points or changed band."
    )
    respect_manual: Duration = Field(
        timedelta(days=30), description='How long a value of ours that somebody edited over there is left; "0d": not.'
    )
    blank_after: Duration = Field(
        timedelta(0),
        description="Empty our fields and tags when scores are older than this, until everyone is scored again; "
        'such as "14d"; "0d": not.',
    )
    hours: DailyHours = Field(
        Hours(time(8), time(18)), description='When writing is allowed, in your time zone; "" for any time.'
    )
    days: list[Day] = Field(
        ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], min_length=1, description="Days on which writing is allowed."
    )


class Guard(Section):
    """When to refuse a run (exit code 3): limits on what one run may change."""

    max_segment_change_share: Share = Field(
        0.2, gt=0, le=1, description="Refuse when more than this share of people would change segment."
    )
    max_one_segment_change_share: Share = Field(
        0.5, gt=0, le=1, description="Refuse when one segment would grow or shrink by more than this share …"
    )
    one_segment_min_people: int = Field(50, ge=1, description="… and by more than this many people.")
    max_input_drop_share: Share = Field(
        0.5, gt=0, le=1, description="Refuse when an account suddenly shows this share of contacts fewer."
    )
    max_calibration_error: Share = Field(0.1, gt=0, le=1, description="Refuse when a month was off by more than this.")
    max_write_days: int = Field(
        7, ge=1, le=365, description="Refuse when writing takes the calls of more days than this."
    )


class Holdout(Section):
    """The control group: scored, but marked so that campaigns leave it out."""

    share: Share = Field(0.1, ge=0, le=0.5, description="Share of people in the control group; 0 for none.")


LEAST_DELETED = timedelta(days=7)
LEAST_ACTIVITIES = timedelta(days=396)


class Retention(Section):
    """How long things stay in the store. What was judged of scores (by month), and how many moved, stays for good."""

    daily: Duration = Field(timedelta(days=14), description="Every scoring is kept this long …")
    weekly: Duration = Field(timedelta(days=200), description="… then the first of each week …")
    total: Duration = Field(timedelta(days=3 * 365), description="… then the first of each month, this long.")
    deleted: Duration = Field(
        timedelta(days=90),
        description="How long somebody is kept whom no platform has any more; then everything about them goes. "
        'From "7d" on.',
    )
    activities: Duration = Field(
        timedelta(0),
        description='How long it is kept what people did; "0d": as long as they are. From "396d" (13 months) on.',
    )

    @model_validator(mode="after")
    def _longer_and_longer(self) -> Self:
        if not timedelta(days=1) <= self.daily <= self.weekly <= self.total:
            raise ValueError("daily, weekly and total should grow in this order, from one day on")
        if self.deleted < LEAST_DELETED:
            raise ValueError(
                'deleted should be at least "7d": a contact may be missing by mistake, and what it did would not come '
                "back with it. To delete one person at once: foretag privacy forget"
            )
        if timedelta(0) != self.activities < LEAST_ACTIVITIES:
            raise ValueError(
                'activities should be at least "396d" (13 months), or "0d" for no end: models compare a month with '
                "the year before it, and from less they learn nothing of seasons and of people who buy seldom"
            )
        return self


class Schedule(Section):
    """When the daemon does what: cron lines in your time zone (0 and 7 are Sunday)."""

    pull: Cron = Field("0 * * * *", description="Read what is new.")
    score: Cron = Field("15 6 * * *", description="Score everyone and plan.")
    train: Cron = Field("0 3 * * 0", description="Train again and compare with the present model.")
    write: Cron = Field("30 * * * *", description="Write what is planned, inside write.hours.")
    backup: Cron = Field("0 2 * * *", description="Save the store into the folder backups in data_dir.")


class Backup(Section):
    """How long copies of the store are kept. They hold personal data too, and somebody who was forgotten since."""

    keep: int = Field(7, ge=1, le=366, description="Copies the daemon keeps in its folder; older ones are deleted.")


class AlertRule(Section):
    """Alert when people move from one segment to another."""

    moved_from: Segment = Field(description='Segment they leave, such as "Champions".')
    moved_to: Segment = Field(description='Segment they enter, such as "Cooling".')
    min_people: int = Field(1, ge=1, description="Alert from this many people on.")
    min_value: float = Field(0, ge=0, description="… with at least this expected spend together, in your currency.")


class Alerts(Section):
    """What is worth a message, and where it goes."""

    to: list[Annotated[str, Field(pattern=NAME, max_length=40)]] = Field(
        [],
        description='Names of the places alerts go to, such as ["team"]; the secret "alerts.team" is an address as '
        "apprise writes it: mailtos://…, slack://…, ntfys://…, jsons://….",
    )
    ping: bool = Field(
        False, description='Call the address kept as the secret "alerts.ping" after each good run (dead man\'s switch).'
    )
    stale_after: Duration = Field(
        timedelta(hours=36), ge=timedelta(hours=1), description="Warn when scores are older than this."
    )
    expired_after: Duration = Field(
        timedelta(hours=72),
        ge=timedelta(hours=1),
        description="From this age on it is an error: /readyz says no, the report that they are too old to use.",
    )
    rules: list[AlertRule] = Field([], description="Movements between segments to alert on.")

    @model_validator(mode="after")
    def _warns_first(self) -> Self:
        if self.expired_after < self.stale_after:
            raise ValueError("expired_after should be at least stale_after: first a warning, then an error")
        return self


class Health(Section):
    """What may be asked of the daemon: /healthz, /readyz, /metrics and a page at /, on 127.0.0.1 only."""

    port: int = Field(0, ge=0, le=65535, description="Port to answer on; 0 for none.")


class Engine(Section):
    """What computes the features."""

    kind: Literal["duckdb", "spark"] = Field(
        "duckdb", description="duckdb (in memory, on this machine) or spark (foretag[spark])."
    )
    master: str = Field("", description='Spark only: "local[2]", "spark://HOST:7077" or "sc://HOST".')
