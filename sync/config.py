"""Everything that can be configured, and what presets change. Sections are in config_sections, accounts in
config_accounts; reading a file is configfile's work.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from sync import secrets
from sync.config_accounts import MODES, Account, HubSpot, Mailchimp, Mode, Salesforce, Section
from sync.config_model import Model
from sync.config_people import ROSTERS, Mark, Pilot, Privacy
from sync.config_sections import (
    TITLES,
    Alerts,
    Backup,
    Engine,
    Guard,
    Health,
    Holdout,
    Objective,
    Retention,
    Schedule,
    Write,
)
from sync.config_segments import Segments, Survey
from sync.config_values import Day, Folder, Hours, TimeZone

Location = tuple[str | int, ...]
KINDS = ("hubspot", "mailchimp", "salesforce")

PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    "solo": {
        "holdout": {"share": 0.2},
        "schedule": {"pull": "0 */6 * * *"},
        "model": {"candidates": ["rules", "btyd", "logistic"]},
    },
    "small": {},
    "mid": {
        "holdout": {"share": 0.05},
        "schedule": {"pull": "*/15 * * * *"},
        "model": {"candidates": ["rules", "btyd", "logistic", "tree", "forest", "hurdle", "boosting", "neural"]},
    },
}
"""What each preset sets unless the file says otherwise; `small` is the defaults themselves."""


class Conflicts(ValueError):
    """Settings that are fine alone but not together; `problems` holds where and what."""

    def __init__(self, problems: list[tuple[Location, str]]) -> None:
        super().__init__("; ".join(text for _, text in problems))
        self.problems = problems


def _default_objectives() -> list[Objective]:
    return [Objective(predict=prediction) for prediction in TITLES]


class Config(Section):
    """The whole file."""

    preset: Literal["solo", "small", "mid"] = Field(
        "small", description="Size of the shop: solo (below 2,000 contacts), small (below 20,000), mid (below 200,000)."
    )
    timezone: TimeZone = Field(description='Your time zone, such as "Europe/Berlin".')
    currency: str = Field("USD", pattern=r"^[A-Z]{3}$", description="Currency of the amounts, as three letters.")
    mode: Mode = Field(
        "shadow", description="shadow (write nothing), pilot (write to a share of people) or full (write to everyone)."
    )
    data_dir: Folder = Field(
        Path("foretag-data"), description="Folder of the store and the reports; relative to this file."
    )
    hubspot: list[HubSpot] = Field([], description="HubSpot accounts.")
    mailchimp: list[Mailchimp] = Field([], description="Mailchimp accounts.")
    salesforce: list[Salesforce] = Field([], description="Salesforce orgs.")
    objectives: list[Objective] = Field(
        default_factory=_default_objectives, min_length=1, description="What to predict; by default all but conversion."
    )
    segments: Segments = Field(Segments(), description=Segments.__doc__)
    surveys: list[Survey] = Field(
        [],
        description="Answers to surveys that decide a segment (the first one that fits), or an objective's outcome.",
    )
    write: Write = Field(Write(), description=Write.__doc__)
    guard: Guard = Field(Guard(), description=Guard.__doc__)
    pilot: Pilot = Field(Pilot(), description=Pilot.__doc__)
    holdout: Holdout = Field(Holdout(), description=Holdout.__doc__)
    retention: Retention = Field(Retention(), description=Retention.__doc__)
    schedule: Schedule = Field(Schedule(), description=Schedule.__doc__)
    backup: Backup = Field(Backup(), description=Backup.__doc__)
    privacy: Privacy = Field(Privacy(), description=Privacy.__doc__)
    alerts: Alerts = Field(Alerts(), description=Alerts.__doc__)
    health: Health = Field(Health(), description=Health.__doc__)
    engine: Engine = Field(Engine(), description=Engine.__doc__)
    model: Model = Field(Model(), description=Model.__doc__)

    @property
    def zone(self) -> ZoneInfo:
        """The shop's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def accounts(self) -> tuple[Account, ...]:
        """Every account of every platform, in the order of the file's sections."""
        return (*self.hubspot, *self.mailchimp, *self.salesforce)

    def mode_of(self, account: Account) -> Mode:
        """The mode this account is in."""
        return self.mode if account.mode == "same" else account.mode

    def hours_of(self, account: Account) -> Hours | None:
        """When this account may be written to, in local time; None is any time."""
        return self.write.hours if account.write.hours == "same" else account.write.hours

    def days_of(self, account: Account) -> list[Day]:
        """The days on which this account may be written to."""
        return account.write.days or self.write.days

    @property
    def boldest_mode(self) -> Mode:
        """The mode of the account that most is written to."""
        return max(map(self.mode_of, self.accounts), key=MODES.index)

    @property
    def secret_names(self) -> tuple[str, ...]:
        """Every secret that is looked for: the accounts' tokens, and where alerts go."""
        names = [account.secret_name for account in self.accounts]
        names += [secrets.of_alert(place) for place in self.alerts.to]
        return (*names, secrets.PING) if self.alerts.ping else tuple(names)

    @model_validator(mode="before")
    @classmethod
    def _fill_in_the_preset(cls, given: Any) -> Any:
        preset = given.get("preset") if isinstance(given, dict) else None
        if not isinstance(preset, str):
            return given
        merged = dict(given)
        for section, defaults in PRESETS.get(preset, {}).items():
            own = given.get(section, {})
            if isinstance(own, dict):
                merged[section] = defaults | own
        return merged

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems = [
            *self._missing_accounts(),
            *self._double_names(),
            *self._unknown_marks(),
            *self._half_an_engine(),
            *self._unread_properties(),
            *self._surveys_that_answer_nothing(),
        ]
        if problems:
            raise Conflicts(problems)
        return self

    def _missing_accounts(self) -> Iterator[tuple[Location, str]]:
        if not self.accounts:
            yield (), "no account: add at least one of [[hubspot]], [[mailchimp]], [[salesforce]]"

    def _double_names(self) -> Iterator[tuple[Location, str]]:
        seen: Counter[str] = Counter()
        for kind in KINDS:
            for index, account in enumerate(getattr(self, kind)):
                seen[account.name] += 1
                if seen[account.name] > 1:
                    yield (kind, index, "name"), f"another account is called {account.name} too: give each its own name"
                elif account.name in KINDS and account.name != kind:
                    yield (kind, index, "name"), f"{account.name} is the name of another platform"
        yield from self._double_objectives()

    def _double_objectives(self) -> Iterator[tuple[Location, str]]:
        keys: set[str] = set()
        titles: set[str] = set()
        for index, objective in enumerate(self.objectives):
            what = f"{objective.predict} stands in two objectives"
            if objective.key in keys and objective.field:
                yield ("objectives", index, "field"), f"two objectives have the field {objective.field}"
            elif objective.key in keys and objective.counts:
                yield (
                    ("objectives", index, "field"),
                    f'{what}: give this one a field of its own, such as field = "demo"',
                )
            elif objective.key in keys:
                yield ("objectives", index, "predict"), f"{what}; once is enough"
            elif objective.title in titles:
                yield ("objectives", index, "name"), f'two objectives are called "{objective.title}"'
            keys.add(objective.key)
            titles.add(objective.title)

    def _unread_properties(self) -> Iterator[tuple[Location, str]]:
        read = {name for account in self.accounts for name in account.properties}
        for index, objective in enumerate(self.objectives):
            if objective.reached and objective.reached[0] not in read:
                name = objective.reached[0]
                yield ("objectives", index, "counts"), f'no account reads {name}: set properties = ["{name}"] there'
        for index, name in enumerate(self.model.immutable):
            if name not in read:
                yield ("model", "immutable", index), f'no account reads {name}: set properties = ["{name}"] there'

    def _surveys_that_answer_nothing(self) -> Iterator[tuple[Location, str]]:
        asked = {each.key: each for each in self.objectives}
        for index, survey in enumerate(self.surveys):
            if not survey.label:
                continue
            where = ("surveys", index, "label")
            if survey.label not in asked:
                yield where, f"there is no objective {survey.label}: choose from {', '.join(asked)}"
            elif not asked[survey.label].counts or asked[survey.label].event == "order":
                yield where, f"{survey.label} is about orders, which no survey answers: choose an objective with counts"
            of = [each for each in self.accounts if survey.account in (each.name, each.kind)]
            if not survey.by_hand and not any(survey.name in each.properties for each in of):
                yield (
                    ("surveys", index, "answer"),
                    f'no such account reads {survey.name}: set properties = ["{survey.name}"] there',
                )

    def _half_an_engine(self) -> Iterator[tuple[Location, str]]:
        if (self.engine.kind == "spark") != bool(self.engine.master):
            key = "kind" if self.engine.kind == "spark" else "master"
            yield ("engine", key), 'master belongs to kind = "spark", and spark needs it'

    def _unknown_marks(self) -> Iterator[tuple[Location, str]]:
        known = {account.name for account in self.accounts} | {account.kind for account in self.accounts}
        named = {("privacy", "exclude_when"): self.privacy.exclusions, ("pilot", "only"): self.pilot.marks}
        for place, marks in named.items():
            for index, mark in enumerate(marks):
                if mark.account not in known:
                    yield (*place, index), f"there is no account {mark.account}"
                elif mark.is_roster:
                    yield from (((*place, index), text) for text in self._not_that_list(mark))

    def _not_that_list(self, mark: Mark) -> Iterator[str]:
        kind = next(each.kind for each in self.accounts if mark.account in (each.name, each.kind))
        has = ROSTERS.get(kind, "tag")
        if has != mark.what:
            yield f'{kind} has no {mark.what}s to choose people by: write "{mark.account}:{has}:{mark.name}"'
