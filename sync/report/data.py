"""Everything the report shows, as plain values: the only input of the page.

Units: shares and probabilities 0…1, scores 0…100, money whole cents, instants UTC-aware or in the account's zone.
Tuples keep the order in which things are shown; nothing here reads the store or another package.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal
from urllib.parse import urlsplit

from sync.report.evaluation import Evaluation, Interval

Mode = Literal["shadow", "pilot", "full"]
Platform = Literal["hubspot", "mailchimp", "salesforce", "files"]
Status = Literal["ok", "degraded", "stale", "refused"]

MOST_THINGS = 3


@dataclass(frozen=True)
class Headline:
    """The header sentence in parts (joined by commas) and up to three things to look at.

    Raises ValueError for more than three things.
    """

    status: Status
    parts: tuple[str, ...]
    things: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.things) > MOST_THINGS:
            raise ValueError(f"at most {MOST_THINGS} things to look at, got {len(self.things)}")


@dataclass(frozen=True)
class Account:
    """One connected account: contacts it holds, rows pulled and calls made by this run."""

    platform: Platform
    name: str
    contacts: int
    rows: int
    calls: int


@dataclass(frozen=True)
class ValueRange:
    """People of whom about as much is expected: their median (cents), and what nine in ten such people spent."""

    people: int
    expected: int
    low: int
    high: int


@dataclass(frozen=True)
class Objective:
    """One thing that is predicted.

    `title` names it plainly ("chance to buy again in 30 days"), `noun` those it happens to ("later buyers") and
    `verb` what they did ("bought"). With `measures="money"` gains are shares of money and there is no reliability.
    `refused` says what is missing when there is no model; `score_counts` are people per ten points of score, `ranges`
    in their place for money, the most expected first.
    `ahead` says how far it looks ahead; `why` is written for data scientists.
    """

    name: str
    title: str
    noun: str
    verb: str
    horizon_days: int
    ahead: str
    rung: str
    why: str
    measures: Literal["people", "money"] = "people"
    refused: str | None = None
    evaluation: Evaluation | None = None
    score_counts: tuple[int, ...] = ()
    ranges: tuple[ValueRange, ...] = ()
    features: tuple[str, ...] = ()
    card: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class RealisedMonth:
    """Predictions of one month whose horizon has passed: mean predicted, how many of `n` it happened to."""

    objective: str
    month: date
    predicted: float
    realised: int
    n: int
    auc: Interval | None = None


@dataclass(frozen=True)
class Concern:
    """Something to look at, in sentences; a `hint` asks for nothing."""

    about: str
    numbers: str
    cause: str
    next_step: str
    hint: bool = False


@dataclass(frozen=True)
class Effect:
    """What acting on the scores brought for one objective: whole sentences, the verdict first."""

    title: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Segment:
    """One segment, best first; `key` is one of the nine names, `name` what the platforms show.

    `people_before` is None on the first run; `value_cents` is the expected value of everyone in it.
    """

    key: str
    name: str
    people: int
    people_before: int | None
    value_cents: int


@dataclass(frozen=True)
class Flow:
    """People who went from one segment (its key) to another, or stayed, with their expected value before the move.

    `origin` None: not scored last time; `target` None: no longer scored.
    """

    origin: str | None
    target: str | None
    people: int
    value_cents: int


@dataclass(frozen=True)
class Migration:
    """All flows since the last run, stayers included; `unusual` are sentences, `causes` moves of the last four weeks by
    cause. By a segment's shown name: `stay` days people stay in it (value, low, high), `sizes` the people predicted 12
    weeks back and those that came. `doubt` says why the days are rough ("": they are not), `chain` how far movements
    are a chain.
    """

    since: datetime
    flows: tuple[Flow, ...]
    unusual: tuple[str, ...] = ()
    causes: Mapping[str, int] = field(default_factory=dict)
    stay: Mapping[str, Interval] = field(default_factory=dict)
    doubt: str = ""
    chain: tuple[str, ...] = ()
    sizes: Mapping[str, tuple[float, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Mover:
    """One person whose score changed much; `name` is already masked, `record` says where to find them.

    Raises ValueError when `url` is given and is not https.
    """

    name: str
    record: str
    old_score: int
    new_score: int
    reason: str
    url: str = ""

    def __post_init__(self) -> None:
        if self.url and urlsplit(self.url).scheme != "https":
            raise ValueError("the link to a record must be https")


@dataclass(frozen=True)
class Movers:
    """Largest changes of one score (`title` names it), largest first."""

    title: str
    up: tuple[Mover, ...]
    down: tuple[Mover, ...]


@dataclass(frozen=True)
class Skipped:
    """Contacts left alone for one reason."""

    reason: str
    contacts: int


@dataclass(frozen=True)
class Written:
    """What one account received; in shadow mode what it would have received."""

    platform: Platform
    account: str
    contacts: int
    fields: int
    tags: int
    calls: int
    failed: int
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True)
class LogLine:
    """One line of the run log."""

    at: datetime
    stage: str
    text: str


@dataclass(frozen=True)
class ReportData:
    """The whole report.

    `marks` are sentences about what later top spenders had in common.
    `currency` is an ISO code, `value_label` names the time expected values cover ("in the next 12 months"),
    `prefix` that of our properties. Raises ValueError for instants without a zone.
    """

    generated_at: datetime
    as_of: datetime
    mode: Mode
    currency: str
    headline: Headline
    value_label: str
    seed: int
    accounts: tuple[Account, ...] = ()
    objectives: tuple[Objective, ...] = ()
    realised: tuple[RealisedMonth, ...] = ()
    concerns: tuple[Concern, ...] = ()
    effects: tuple[Effect, ...] = ()
    marks: tuple[str, ...] = ()
    segments: tuple[Segment, ...] = ()
    migration: Migration | None = None
    movers: Movers | None = None
    written: tuple[Written, ...] = ()
    run_log: tuple[LogLine, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    prefix: str = "ft_"
    control_group: bool = False

    def __post_init__(self) -> None:
        if self.generated_at.tzinfo is None or self.as_of.tzinfo is None:
            raise ValueError("generated_at and as_of need a time zone")
