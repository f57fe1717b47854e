"""The stream `campaigns`: who was sent what, and opened, clicked, bounced or left.

A campaign's activity can only be read as a whole. So the cursor keeps the totals of each report of the last sixty days,
and only campaigns whose totals moved are read, a hundred to an asynchronous batch, a few batches at once. The batches
stand in the cursor too, with the number of files read of their archives, so that a stop in the middle costs nothing.

What Mailchimp takes for a bot's doing, or for Apple's mail proxy, it is asked to leave out.
"""

import json
import logging
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connectors.contract import Page
from connectors.errors import Unavailable
from connectors.mailchimp.answers import instant
from connectors.mailchimp.jobs import Entry, Expired, Jobs
from connectors.mailchimp.pages import whole
from connectors.mailchimp.rules import HUMAN_ONLY
from connectors.mailchimp.sdk import PAGE, Api
from connectors.records import Activity, ActivityKind

log = logging.getLogger(__name__)

STREAM = "campaigns"
WATCHED = timedelta(days=60)
"""How long after a campaign was sent its report is looked at."""
CHUNK = 100
"""Campaigns per batch: bounds the archive, and what is read again when a batch is lost."""
BATCHES = 4
"""Batches under way at once."""
HUMAN_AFTER = timedelta(seconds=10)
"""What is opened or clicked sooner after the sending was opened by a mail scanner or proxy."""

_TRIES = 3
_JOB_LIFE = timedelta(days=1)
_KINDS = {"open": ActivityKind.OPEN, "click": ActivityKind.CLICK, "bounce": ActivityKind.BOUNCE}
_COLUMNS = (
    "id", "list_id", "send_time", "emails_sent", "unsubscribed", "bounces", "clicks.clicks_total", "opens.opens_total",
    "opens.proxy_excluded_opens",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Report:
    """What the report of a sent campaign says."""

    id: str
    sent_at: datetime
    totals: list[int]
    """Mails sent, people who left, opens, clicks, bounces: when none moves, nothing has happened."""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Report | None":
        """The report in an answer; None for a campaign without a sending time."""
        sent_at = instant(row.get("send_time"))
        opens, clicks, bounces = (row.get(part) or {} for part in ("opens", "clicks", "bounces"))
        bounced = sum(count for count in bounces.values() if isinstance(count, int))
        opened = opens.get("proxy_excluded_opens", opens.get("opens_total"))
        answered = (row.get("unsubscribed"), opened, clicks.get("clicks_total"))
        totals = [count or 0 for count in (row.get("emails_sent"), *answered, bounced)]
        return None if sent_at is None else cls(row["id"], sent_at, totals)


@dataclass(slots=True)
class Job:
    """A batch under way: the totals its campaigns had when it began, and how much of its archive was read."""

    id: str
    begun: str
    totals: dict[str, list[int]]
    files: int = 0
    failed: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Cursor:
    """`until`: end of the last pull; `known`: totals of the campaigns that were read; `jobs`: batches under way."""

    until: str | None = None
    known: dict[str, list[int]] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)

    def text(self) -> str:
        """As `Page.cursor`."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, text: str | None) -> "Cursor":
        """The cursor a page gave; the beginning for None."""
        if text is None:
            return cls()
        state = json.loads(text)
        return cls(state["until"], state["known"], [Job(**job) for job in state.get("jobs", ())])


class Campaigns:
    """Pulls the activity of campaigns sent to the `chosen` audiences, or to all."""

    def __init__(self, api: Api, jobs: Jobs, chosen: Sequence[str]) -> None:
        self._api = api
        self._jobs = jobs
        self._chosen = frozenset(chosen)

    def pull(self, cursor: str | None, until: datetime) -> Iterator[Page]:
        """Activity of every campaign whose report changed. Raises Unavailable when some of it stays unreadable."""
        state = Cursor.of(cursor)
        reports = self._reports(state.until, until)
        state.jobs = [job for job in state.jobs if until - datetime.fromisoformat(job.begun) <= _JOB_LIFE]
        tries: Counter[str] = Counter()
        while True:
            under_way = {id_ for job in state.jobs for id_ in job.totals}
            todo = [r for r in reports.values() if r.id not in under_way and state.known.get(r.id) != r.totals]
            chunk = [report for report in todo if tries[report.id] < _TRIES][:CHUNK]
            if chunk and len(state.jobs) < BATCHES:
                tries.update(report.id for report in chunk)
                state.jobs.append(self._start(chunk, until))
                yield Page(STREAM, state.text())
            elif state.jobs:
                yield from self._collect(state, state.jobs[0], reports)
            else:
                break
        if todo:
            raise Unavailable(f"Mailchimp did not give the activity of {len(todo)} campaigns, such as {todo[0].id}")
        watched = {id_ for id_, report in reports.items() if report.sent_at > until - WATCHED}
        known = {id_: totals for id_, totals in state.known.items() if id_ in watched}
        yield Page(STREAM, Cursor(until.isoformat(), known).text())

    def _reports(self, last: str | None, until: datetime) -> dict[str, Report]:
        """The campaigns that may have something new, by id: all of them at the first pull."""
        window: dict[str, Any] = {"before_send_time": (until.replace(microsecond=0) + timedelta(seconds=1)).isoformat()}
        if last:
            window["since_send_time"] = (datetime.fromisoformat(last) - WATCHED).isoformat()
        rows = whole(
            lambda offset: self._api.call(
                self._api.reports.get_all_campaign_reports,
                **window,
                fields=[*(f"reports.{name}" for name in _COLUMNS), "total_items"],
                count=PAGE,
                offset=offset,
            ),
            "reports",
        )
        wanted = [row for row in rows if not self._chosen or row.get("list_id") in self._chosen]
        return {report.id: report for row in wanted if (report := Report.of(row))}

    def _start(self, chunk: Sequence[Report], until: datetime) -> Job:
        reads = [
            {"method": "GET", "path": f"/reports/{each.id}/{what}", "operation_id": each.id, "params": told}
            for each in chunk
            for what, told in _wanted(each)
        ]
        return Job(self._jobs.start(reads), until.isoformat(), {report.id: report.totals for report in chunk})

    def _collect(self, state: Cursor, job: Job, reports: Mapping[str, Report]) -> Iterator[Page]:
        """A page per file of the archive of the first batch; then that is done with."""
        try:
            for files, entries in self._jobs.results(job.id, job.files):
                job.files = files
                job.failed += [entry.id for entry in entries if _failed(entry)]
                activities = [a for entry in entries for a in _activities(entry, reports.get(entry.id))]
                yield Page(STREAM, state.text(), activities=tuple(activities))
        except Expired:
            log.info("batch %s is gone and is started anew", job.id)
        else:
            state.known |= {id_: totals for id_, totals in job.totals.items() if id_ not in job.failed}
        state.jobs.remove(job)


def _wanted(report: Report) -> Iterator[tuple[str, Mapping[str, str]]]:
    """What to read of a campaign; the list of those who left only where there are any."""
    yield "email-activity", HUMAN_ONLY
    if report.totals[1]:
        yield "unsubscribed", {}


def _failed(entry: Entry) -> bool:
    """Whether it is worth asking again. A campaign that is gone, or has nothing of the kind, has nothing to give."""
    if 400 <= entry.status < 500 and entry.status not in (403, 408, 429):
        log.warning("campaign %s has no activity to read: HTTP %d", entry.id, entry.status)
        return False
    return entry.status >= 300 or not isinstance(entry.answer, dict)


def _activities(entry: Entry, report: Report | None) -> Iterator[Activity]:
    if report is None or entry.status >= 300 or not isinstance(entry.answer, dict):
        return
    for row in entry.answer.get("emails") or ():
        key, email = f"{report.id}:{row['email_id']}", row.get("email_address")
        if not email:
            continue
        yield Activity(f"{key}:send", ActivityKind.SEND, report.sent_at, email=email, campaign=report.id)
        for event in row.get("activity") or ():
            kind, at = _KINDS.get(str(event.get("action"))), instant(event.get("timestamp"))
            if kind is None or at is None:
                continue
            link = f":{zlib.crc32(event['url'].encode()):x}" if event.get("url") else ""
            machine = kind is not ActivityKind.BOUNCE and (
                bool(event.get("is_proxy_open")) or at - report.sent_at < HUMAN_AFTER
            )
            id_ = f"{key}:{kind}:{at.timestamp():.0f}{link}"
            yield Activity(id_, kind, at, email=email, campaign=report.id, machine=machine)
    for row in entry.answer.get("unsubscribes") or ():
        at, email = instant(row.get("timestamp")), row.get("email_address")
        if at is not None and email:
            id_ = f"{report.id}:{row['email_id']}:unsubscribe"
            yield Activity(id_, ActivityKind.UNSUBSCRIBE, at, email=email, campaign=report.id)
