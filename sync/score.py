"""Stage 2: from the store to a prediction, reasons and a segment for everyone; contacts nobody."""

import logging
from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sync.answers import said, said_since
from sync.choosing import Used, as_it_is, choose, keep
from sync.config_accounts import MODES, Mode
from sync.engine import predict, tables
from sync.feedback import judge, outcomes
from sync.fields import SEGMENTS
from sync.instants import micros
from sync.rollout import arm
from sync.site import Site
from sync.standings import as_before, standings
from sync.store import pilots
from sync.store.database import transaction
from sync.store.exclusion import exclude
from sync.store.facts import foreign_amounts
from sync.store.ledger import Wave, save_outcomes, save_predictions, save_wave
from sync.store.properties import watched_since
from sync.store.scores import save_moves, save_standings
from sync.traits import traits
from sync.upkeep import sum_up, thin_out

if TYPE_CHECKING:
    from scoring.predict import Predictions
    from scoring.snapshots import Snapshots

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scored:
    """What scoring brought."""

    as_of: datetime
    people: int
    """Those who were scored; who waits is not among them, but in `segments`."""
    segments: dict[str, int]
    """People per segment, under the names the shop uses, best first."""
    models: list[Used]

    def cards(self) -> list[dict[str, Any]]:
        """The model cards, as JSON-able data."""
        from scoring.card import card

        return [card(used.model) for used in self.models]


def score(site: Site, as_of: datetime, *, train: bool = False, waiting: Set[int] | None = None) -> Scored:
    """Join what has come true since, train where it is due (always, with `train`), predict, and place everyone.

    Doing it again for the same instant gives the same result and replaces what was kept. StoreError when a model it
    needs was altered.

    `waiting` are the people of whom not everything could be read (None: all of everyone was). They keep what they had,
    and nothing is learned from the others alone: the models in use answer as they are (NoModelFits when one does not),
    limits between segments stay, no outcome is joined, and the ledger, which is judged as a whole, gets no entry.
    """
    # Noted anew here too: the last pull may have been cut off, or the config changed since.
    exclude(site.db, site.config)
    whole = waiting is None
    past = _past(site, as_of, waiting or frozenset(), whole=whole)
    used: list[Used] = []
    for objective in site.config.objectives:
        used.append(choose(site, past, objective, train, used) if whole else as_it_is(site, past, objective))
    predictions = {each.objective.key: predict(each.model, past) for each in used if not each.model.refused}
    rules = {name: predict(each.rule, past) for each in used if (name := each.objective.key) in predictions}
    came_true = list(outcomes(site, past.tables, as_of)) if whole else []
    deciding = ("repeat_purchase", "value")
    new_model = any(each.cause in ("evidence", "replaced") for each in used if each.objective.key in deciding)
    placed, moves = standings(site, past, predictions, as_of, new_model=new_model, settle=whole)
    everyone = placed + as_before(site, as_of, waiting or frozenset())
    in_pilots = pilots.chosen(site.db, site.config, {each.person_id: each for each in everyone})
    pilots.note(site.db, site.config, in_pilots)
    modes = _modes(site, in_pilots)
    with transaction(site.db):
        for due_one, found in came_true:
            save_outcomes(site.db, due_one.objective, due_one.as_of, found)
        if whole:
            judge(site)
            save_wave(site.db, Wave(as_of, site.config.boldest_mode, site.config.holdout.share))
            for each in used:
                _keep(site, each, as_of, modes, predictions.get(each.objective.key), rules.get(each.objective.key))
        save_standings(site.db, as_of, everyone)
        save_moves(site.db, as_of, moves)
        sum_up(site, as_of)
    thin_out(site, as_of)
    counts = Counter(standing.segment for standing in everyone)
    segments = {site.config.segments.name(segment): counts[segment] for segment in SEGMENTS}
    return Scored(as_of, len(placed), segments, used)


def _past(site: Site, as_of: datetime, without: Set[int], *, whole: bool) -> "Snapshots":
    """The past with what the objectives ask about. What is not watched yet is taken as unknown up to now."""
    from scoring.snapshots import Snapshots

    now, config = micros(as_of), site.config
    reached = [each.reached for each in config.objectives if each.reached]
    watched = {f"{name}={value}": watched_since(site.db, name) or now for name, value in reached}
    for currency, amounts in foreign_amounts(site.db, config.currency).items():
        log.warning("%d amounts in %s are left out: `currency` is %s", amounts, currency, config.currency)
    for kind, since in said_since(site, now).items():
        watched[kind] = max(watched.get(kind, since), since)
    known = tables(site.db, config.currency, config.engine.master, reached, said(site), without)
    return Snapshots(known, now, traits(site, known, now, settle=whole), watched)


def _modes(site: Site, in_pilots: Set[int] | None) -> dict[int, Mode]:
    """The boldest mode of the accounts each person is on; a pilot is shadow for those who are not in it."""
    of_account = {account.name: site.config.mode_of(account) for account in site.config.accounts}
    found: dict[int, Mode] = {}
    for row in site.db.execute("SELECT DISTINCT person_id, account FROM contact WHERE NOT deleted"):
        here = of_account.get(row["account"], "shadow")
        if here == "pilot" and in_pilots is not None and row["person_id"] not in in_pilots:
            here = "shadow"
        found[row["person_id"]] = max(found.get(row["person_id"], here), here, key=MODES.index)
    return found


def _keep(
    site: Site,
    used: Used,
    as_of: datetime,
    modes: Mapping[int, Mode],
    predictions: "Predictions | None",
    rules: "Predictions | None",
) -> None:
    """Keep new models, and enter into the ledger what they say of everyone they know something about."""
    number = keep(site, used, as_of)
    if predictions is None or rules is None or number is None:
        return
    known = ~predictions.prior_only
    people, values, beside = (
        column[known].tolist() for column in (predictions.person_ids, predictions.values, rules.values)
    )
    arms = (arm(person, modes.get(person, "shadow"), site.config) for person in people)
    rows = zip(people, values, beside, arms, strict=True)
    save_predictions(site.db, as_of, used.objective.key, used.model.horizon_days, number, rows)
