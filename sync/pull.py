"""Stage 1: from the platforms into the store. Streams are read side by side, one writer stores their pages."""

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from queue import PriorityQueue
from threading import Event, Thread

from connectors.contract import Connector, Page
from connectors.errors import ConnectorError, QuotaSpent, Retry
from sync.accounts import Unopened
from sync.errors import ForetagError
from sync.patience import Patience
from sync.redact import redact
from sync.rosters import read_rosters
from sync.site import Site
from sync.store import facts, outbox, passes, people, properties
from sync.store.database import transaction
from sync.store.exclusion import exclude

log = logging.getLogger(__name__)

LOOK_UP_SECONDS = 0.2
"""How often a reader that waits for its page to be stored looks whether the pull was given up."""


@dataclass
class Pulled:
    """What one stream of one account brought."""

    account: str
    stream: str
    contacts: int = 0
    activities: int = 0
    contacts_changed: int = 0
    activities_new: int = 0
    problem: str | None = None
    """Why the stream stopped early; what came before is stored, the next pull goes on from there."""
    passing: bool = False
    """Whether that is likely to pass by itself."""
    cause: str = ""
    """The problem's kind, of `connectors.errors`."""


@dataclass(frozen=True, slots=True, order=True)
class _Arrival:
    """Small pages are stored first: a stream that comes in many of them must not wait for those of a few big ones."""

    rows: int
    turn: int
    pulled: Pulled = field(compare=False)
    page: Page | None = field(default=None, compare=False)
    error: Exception | None = field(default=None, compare=False)
    stored: Event = field(default_factory=Event, compare=False)


Progress = Callable[[Pulled, Page], None]


def pull(
    site: Site,
    now: datetime,
    progress: Progress | None = None,
    *,
    contacts_only: bool = False,
    accounts: Collection[str] | None = None,
) -> list[Pulled]:
    """Bring every stream of `accounts` (all, for None) up to `now`, or those with contacts; settle who is who, who is
    never scored.

    A stream that fails, takes too long or is told to stop (between two pages) says so in its `problem`; the others
    go on. Any other exception ends the pull.
    """
    db = site.db
    connectors = {name: each for name, each in site.connectors.items() if accounts is None or name in accounts}
    queue: PriorityQueue[_Arrival] = PriorityQueue()
    turns = count()
    given_up = Event()
    for account in (each for each in site.config.accounts if each.name in connectors):
        streams = connectors[account.name].capabilities.contact_streams
        with transaction(db):
            properties.watch(db, account.name, account.properties, now)
        if isinstance(connectors[account.name], Unopened):
            continue
        if passes.begin_if_due(db, account.name, streams, now, account.full_pull):
            log.info("%s: all contacts are read anew (full_pull)", account.name)
    results = [
        Pulled(account, stream)
        for account, connector in connectors.items()
        for stream in connector.streams
        if not contacts_only or stream in connector.capabilities.contact_streams
    ]
    for pulled in results:
        start = facts.cursor(db, pulled.account, pulled.stream)
        reader = (connectors[pulled.account], pulled, start, now, queue, turns, given_up, Patience(site.clock))
        Thread(target=_read, args=reader, name=f"pull {pulled.account} {pulled.stream}", daemon=True).start()
    try:
        _store(site, queue, len(results), now, progress)
    finally:
        given_up.set()
    for name, connector in connectors.items():
        _end_pass(site, name, [each for each in results if each.stream in connector.capabilities.contact_streams], now)
    outbox.resolve(db, now)
    people.resolve(db)
    exclude(db, site.config)
    if not contacts_only:
        read_rosters(site, {each.account: connectors[each.account] for each in results if not each.problem})
    return results


def _end_pass(site: Site, account: str, results: Sequence[Pulled], now: datetime) -> None:
    mine = [each for each in results if each.account == account]
    if mine and not any(each.problem for each in mine):
        gone, believed = passes.end(site.db, account, now, site.config.guard.max_input_drop_share)
        mine[0].contacts_changed += gone * believed
        with transaction(site.db):
            properties.begin(site.db, account, now)
        if gone:
            what = "are gone, which the platform did not tell" if believed else "did not come, too many to believe it"
            log.warning("%s: %d contacts %s", account, gone, what)


def pull_contacts(site: Site, now: datetime, progress: Progress | None = None) -> list[Pulled]:
    """Bring the contacts of every account up to `now`, and leave out what they did.

    ForetagError when some could not be read: what they hold of ours is not known then.
    """
    pulled = pull(site, now, progress, contacts_only=True)
    broken = [f"{each.account} {each.stream}: {each.problem}" for each in pulled if each.problem]
    if broken:
        raise ForetagError(f"not all contacts could be read, so nothing was written. {'; '.join(broken)}")
    return pulled


def _read(
    connector: Connector,
    pulled: Pulled,
    start: str | None,
    until: datetime,
    queue: PriorityQueue[_Arrival],
    turns: Iterator[int],
    given_up: Event,
    patience: Patience,
) -> None:
    """Hand over page by page, the next one when the last one is stored.

    What a crash costs is what the connector has read ahead by then: a page or a few.
    """
    error: Exception | None = None
    try:
        for page in connector.pull(pulled.stream, start, until):
            arrival = _Arrival(len(page.contacts) + len(page.activities), next(turns), pulled, page)
            queue.put(arrival)
            while not arrival.stored.wait(LOOK_UP_SECONDS):
                if given_up.is_set():
                    return
            patience.check()
    except Exception as caught:  # noqa: BLE001 - handed to the main thread, which raises what it does not know
        error = caught
    queue.put(_Arrival(0, next(turns), pulled, error=error))


def _store(site: Site, queue: PriorityQueue[_Arrival], readers: int, now: datetime, progress: Progress | None) -> None:
    while readers:
        arrival = queue.get()
        pulled, page = arrival.pulled, arrival.page
        if page is not None:
            saved = facts.save_page(site.db, pulled.account, page, now)
            arrival.stored.set()
            site.beat()
            pulled.contacts += saved.contacts
            pulled.activities += saved.activities
            pulled.contacts_changed += saved.contacts_changed
            pulled.activities_new += saved.activities_new
            if progress:
                progress(pulled, page)
            continue
        readers -= 1
        if isinstance(arrival.error, ConnectorError):
            pulled.problem = redact(str(arrival.error))
            pulled.passing = isinstance(arrival.error, Retry | QuotaSpent)
            pulled.cause = type(arrival.error).__name__
            log.error("%s %s: %s", pulled.account, pulled.stream, pulled.problem)
        elif arrival.error is not None:
            raise arrival.error
