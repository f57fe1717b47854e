"""From the store to the report page."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sync.config import Config
from sync.config_sections import TITLES
from sync.counted import counted
from sync.effect import effects, sentences
from sync.feedback import findings
from sync.fields import SEGMENTS, score_key
from sync.files import OWNER_ONLY, write_whole
from sync.learned import marks, objectives, realised_months
from sync.movement import chain_sentences, doubt, movement
from sync.persons import name_of
from sync.plan import TOO_OLD, too_old
from sync.report.data import (
    Account,
    Concern,
    Effect,
    Flow,
    Headline,
    LogLine,
    Migration,
    Mover,
    Movers,
    ReportData,
    Segment,
    Skipped,
    Status,
    Written,
)
from sync.report.evaluation import Interval
from sync.report.render import render
from sync.site import Site
from sync.status import freshness
from sync.store import runs
from sync.store.scores import Standing, newest_standings

MOVERS = 20
"""People shown whose score moved most, up and down."""
AGES = {"ok": "fresh", "stale": "old, please look", "expired": "too old to use"}
LIBRARIES = ("foretag", "scikit-learn", "numpy", "duckdb", "narwhals")

Standings = Mapping[int, Standing]


def write_report(site: Site, now: datetime, path: Path | None = None) -> Path:
    """Write the page (to data_dir/report.html by default) and return its path. The file is replaced as a whole.

    It names people, so only its owner may read it.
    """
    target = path or site.config.data_dir / "report.html"
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target, render(report_data(site, now)), OWNER_ONLY)
    return target


def report_data(site: Site, now: datetime) -> ReportData:
    """Everything the page shows, from the last run and the scores there are."""
    newest = newest_standings(site.db)
    as_of, after = newest if newest else (now, {})
    earlier = newest_standings(site.db, before=as_of)
    before = earlier[1] if earlier else {}
    summary = _summary(site)
    learned = objectives(site, as_of)
    spending = next((each for each in learned if each.measures == "money"), None)
    return ReportData(
        generated_at=now.astimezone(site.config.zone),
        as_of=as_of.astimezone(site.config.zone),
        mode=site.config.boldest_mode,
        currency=site.config.currency,
        headline=_headline(site.config, now, newest, summary, learned),
        value_label=f"in the next {spending.horizon_days} days" if spending else "expected",
        seed=site.config.model.seed,
        accounts=tuple(_accounts(site, summary)),
        objectives=learned,
        realised=tuple(realised_months(site)),
        concerns=tuple(
            Concern(each.about, each.numbers, each.cause, each.next_step, each.hint) for each in findings(site)
        ),
        effects=tuple(
            Effect(each.objective.title, tuple(sentences(each, site.config.currency))) for each in effects(site)
        ),
        marks=marks(site),
        segments=tuple(_segments(site, before, after)),
        migration=_migration(site, earlier[0], before, after) if earlier else None,
        movers=_movers(site, before, after) if before else None,
        written=tuple(_written(site, summary)),
        run_log=tuple(_log(site)),
        versions={name: version(name) for name in LIBRARIES},
        prefix=site.config.write.prefix,
        control_group=site.config.holdout.share > 0,
    )


def _summary(site: Site) -> dict[str, Any]:
    """Of the last run that has ended; where it only wrote, what it wrote is entered into the run before it."""
    ended = [each.summary for each in runs.last(site.db, 50) if each.ended]
    whole = next((each for each in ended if each.get("pulled") or "error" in each), {})
    newest = ended[0] if ended else {}
    return {**whole, **{key: value for key, value in newest.items() if value or key in ("withheld", "objections")}}


def _headline(
    config: Config,
    now: datetime,
    newest: tuple[datetime, Standings] | None,
    summary: Mapping[str, Any],
    learned: Iterable[Any],
) -> Headline:
    objections, problems = summary.get("objections", []), list(_problems(summary))
    if newest is None:
        return Headline("stale", ("Nobody has been scored yet",), tuple(problems[:3]))
    scored = min(each.scored_at or newest[0] for each in newest[1].values()) if newest[1] else newest[0]
    age = freshness(now - scored, config.alerts)
    refused = [each.title for each in learned if each.refused]
    status: Status = "ok"
    if objections:
        status = "refused"
    elif age != "ok":
        status = "stale"
    elif problems or refused:
        status = "degraded"
    emptied = [f"scores are {TOO_OLD}"] if too_old(config, scored, now) else []
    things = [*emptied, *objections, *problems, *(f"no prediction yet: {title}" for title in refused)]
    day = f"{scored.astimezone(config.zone):%d %B %Y}"
    parts = [f"Scores are {AGES[age]} ({day})", f"{counted(len(newest[1]), 'person')} scored"]
    parts += [f"{people:,} wait for {account}" for account, people in summary.get("waiting", {}).items()]
    if summary.get("withheld"):
        parts.append("nothing was written by the last run")
    return Headline(status, tuple(parts), tuple(things[:3]))


def _problems(summary: Mapping[str, Any]) -> Iterator[str]:
    if "error" in summary:
        yield f"the last run ended with an error ({summary['error']})"
    for account, streams in summary.get("pulled", {}).items():
        for stream, found in streams.items():
            if found["problem"]:
                yield f"{account}: {stream} could not be read to the end"
    for account, found in summary.get("written", {}).items():
        if found["problem"] or found["failed"]:
            yield f"{account}: {counted(sum(found['failed'].values()), 'contact')} could not be written"


def _accounts(site: Site, summary: Mapping[str, Any]) -> Iterator[Account]:
    for account in site.config.accounts:
        streams = summary.get("pulled", {}).get(account.name, {})
        yield Account(
            platform=account.kind,  # type: ignore[arg-type] # one of the three kinds
            name=account.name,
            contacts=summary.get("contacts", {}).get(account.name, 0),
            rows=sum(found["rows"] for found in streams.values()),
            calls=summary.get("calls", {}).get(account.name, 0),
        )


def _value(standing: Standing) -> int:
    """Expected value in cents; 0 where there is none."""
    return round(100 * (standing.fields.get(score_key("value")) or 0))


def _segments(site: Site, before: Standings, after: Standings) -> Iterator[Segment]:
    now, then = (Counter(each.segment for each in standings.values()) for standings in (after, before))
    worth: Counter[str] = Counter()
    for each in after.values():
        worth[each.segment] += _value(each)
    for key in SEGMENTS:
        yield Segment(key, site.config.segments.name(key), now[key], then[key] if before else None, worth[key])


def _migration(site: Site, since: datetime, before: Standings, after: Standings) -> Migration:
    found = movement(site)
    return Migration(
        since,
        tuple(_flows(before, after)),
        unusual=tuple(each["text"] for each in found["unusual"]),
        causes=found["causes"],
        stay={
            site.config.segments.name(key): Interval(*found["expected_days"][key].values())
            for key in SEGMENTS
            if key in found["expected_days"]
        },
        doubt=doubt(found),
        chain=tuple(chain_sentences(found)),
        sizes={
            site.config.segments.name(key): (found["backtest"]["predicted"][key], found["backtest"]["observed"][key])
            for key in (SEGMENTS if found["backtest"] else ())
        },
    )


def _flows(before: Standings, after: Standings) -> Iterator[Flow]:
    from scoring.migration import ABSENT, moves

    then, now = ({person: each.segment for person, each in standings.items()} for standings in (before, after))
    found = moves(then, now, {person: _value(each) for person, each in before.items()})
    for (origin, target), people in found.people.items():
        money = found.money[origin, target]
        yield Flow(None if origin == ABSENT else origin, None if target == ABSENT else target, people, money)


def _movers(site: Site, before: Standings, after: Standings) -> Movers | None:
    key = score_key("repeat_purchase")
    moved = sorted(
        (after[person].fields[key] - before[person].fields[key], person)
        for person in before.keys() & after.keys()
        if key in before[person].fields and key in after[person].fields
    )
    if not moved:
        return None
    titles = {each.predict: each.title for each in site.config.objectives}

    def mover(person: int) -> Mover:
        name, record = name_of(site.db, person)
        old, new = (round(standings[person].fields[key]) for standings in (before, after))
        why = after[person].reasons.get("repeat_purchase", [])
        speaking = [text for text, share in why if (share > 0) == (new > old)]
        return Mover(name, record, old, new, speaking[0] if speaking else "other signals")

    return Movers(
        titles.get("repeat_purchase", TITLES["repeat_purchase"]),
        tuple(mover(person) for change, person in reversed(moved[-MOVERS:]) if round(change) > 0),
        tuple(mover(person) for change, person in moved[:MOVERS] if round(change) < 0),
    )


def _written(site: Site, summary: Mapping[str, Any]) -> Iterator[Written]:
    for account in site.config.accounts:
        found = summary.get("written", {}).get(account.name, {})
        planned = summary.get("planned", {}).get(account.name, {})
        skipped = summary.get("skipped", {}).get(account.name, {})
        if not found and site.config.mode_of(account) != "shadow":
            planned = {}  # refused, or not now: only shadow mode shows what would have been written
        yield Written(
            platform=account.kind,  # type: ignore[arg-type] # one of the three kinds
            account=account.name,
            contacts=found.get("contacts", planned.get("contacts", 0)),
            fields=planned.get("fields", 0),
            tags=planned.get("tags", 0),
            calls=found.get("calls", 0),
            failed=sum(found.get("failed", {}).values()),
            skipped=tuple(Skipped(reason, count) for reason, count in sorted(skipped.items()) if count),
        )


def _log(site: Site) -> Iterator[LogLine]:
    for each in runs.last(site.db, 10):
        written = sum(found["contacts"] for found in each.summary.get("written", {}).values())
        text = (
            f"run {each.id}: {each.verdict or 'cut off'}, {counted(each.summary.get('people', 0), 'person')} scored, "
        )
        yield LogLine(each.started.astimezone(site.config.zone), "run", f"{text}{counted(written, 'contact')} written")
