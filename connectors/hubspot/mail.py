"""What contacts show of the mails they got: a first and a last date of each kind, and, if wanted, the dates between.

HubSpot's list of single mail events is about to end, and no other API shows them. But a contact's properties have a
history, and each value that a last date ever had was a mail sent, opened, clicked or answered.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from connectors.ahead import ahead
from connectors.hubspot.answers import instant, millis
from connectors.hubspot.changes import Row
from connectors.hubspot.sdk import RAW, Api
from connectors.records import Activity, ActivityKind

CAMPAIGN = "hs_email_last_email_name"
OPTED_OUT = "hs_email_optout"
_LAST = {
    "hs_email_last_send_date": ActivityKind.SEND,
    "hs_email_last_open_date": ActivityKind.OPEN,
    "hs_email_last_click_date": ActivityKind.CLICK,
    "hs_email_last_reply_date": ActivityKind.RESPONSE,
}
DATES = {
    **_LAST,
    "hs_email_first_send_date": ActivityKind.SEND,
    "hs_email_first_open_date": ActivityKind.OPEN,
    "hs_email_first_click_date": ActivityKind.CLICK,
    "hs_email_first_reply_date": ActivityKind.RESPONSE,
    "hs_sales_email_last_opened": ActivityKind.OPEN,
    "hs_sales_email_last_clicked": ActivityKind.CLICK,
    "hs_sales_email_last_replied": ActivityKind.RESPONSE,
    "hs_analytics_first_visit_timestamp": ActivityKind.VISIT,
    "hs_analytics_last_visit_timestamp": ActivityKind.VISIT,
    "notes_last_contacted": ActivityKind.TOUCH,
    "engagements_last_meeting_booked": ActivityKind.TOUCH,
}
"""The dates that every HubSpot plan shows of a contact; the last one of a kind comes first."""
COUNTERS = ("hs_email_delivered", "hs_email_open", "hs_email_click", "hs_email_replied")
HISTORY_BATCH = 50
"""Contacts per read with history."""
_AT_ONCE = 4
_HUMAN_AFTER = timedelta(seconds=10)
"""Who opens or clicks sooner after the mail was sent is a mail scanner."""

Told = dict[tuple[ActivityKind, datetime], str | None]
"""What happened when, and in which campaign where that is known."""


def activities(row: Row, past: Row | None = None) -> Iterator[Activity]:
    """A contact's dates as activities, those of its history (`past`) too; what is told twice counts once."""
    contact, told = str(row["id"]), _shown(row["properties"])
    for name, versions in ((past or {}).get("propertiesWithHistory") or {}).items():
        for version in versions:
            # of a calculated value the time of a version is of no use: it is that of the question
            if name in _LAST and (at := instant(version.get("value"))):
                told.setdefault((_LAST[name], at), None)
            elif name == OPTED_OUT and version.get("value") == "true" and (at := instant(version.get("timestamp"))):
                told.setdefault((ActivityKind.UNSUBSCRIBE, at), None)
    sent = [at for kind, at in told if kind is ActivityKind.SEND]
    for (kind, at), campaign in told.items():
        reaction = kind in (ActivityKind.OPEN, ActivityKind.CLICK)
        machine = reaction and any(timedelta(0) <= at - each < _HUMAN_AFTER for each in sent)
        yield Activity(
            f"{contact}:{kind}:{millis(at)}", kind, at, contact_id=contact, campaign=campaign, machine=machine
        )


def pasts(api: Api, rows: Sequence[Row], since: int) -> dict[str, Row]:
    """The history of those contacts that have more to tell than their dates, by id.

    `since` (epoch ms) is what earlier pulls have reached: who was not mailed after that has nothing new to tell.
    """
    ids = [str(row["id"]) for row in rows if not row.get("archived") and _has_more(row["properties"], since)]
    calls = (partial(_read, api, ids[at : at + HISTORY_BATCH]) for at in range(0, len(ids), HISTORY_BATCH))
    return {str(row["id"]): row for found in ahead(calls, _AT_ONCE) for row in found}


def _shown(properties: dict[str, Any]) -> Told:
    told: Told = {}
    for name, kind in DATES.items():
        if at := instant(properties.get(name)):
            campaign = properties.get(CAMPAIGN) or None if name == "hs_email_last_send_date" else None
            told.setdefault((kind, at), campaign)
    return told


def _has_more(properties: dict[str, Any], since: int) -> bool:
    """A first and a last date hide nothing of what happened twice; nobody can date an opt-out from its value."""
    last = max((millis(at) for name in _LAST if (at := instant(properties.get(name)))), default=0)
    several = any(_count(properties.get(name)) > 2 for name in COUNTERS)
    return (several and last >= since) or properties.get(OPTED_OUT) == "true"


def _count(value: object) -> float:
    try:
        return float(str(value or 0))
    except ValueError:
        return 0


def _read(api: Api, ids: Sequence[str]) -> list[Row]:
    question = {
        "inputs": [{"id": id_} for id_ in ids],
        "properties": [],
        "propertiesWithHistory": [*_LAST, OPTED_OUT],
    }
    rows: list[Row] = api.contact_batch.read(question, **RAW)["results"]
    return rows
