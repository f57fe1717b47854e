"""Reads what our fields hold right now, a hundred contacts a call."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial

from connectors.ahead import ahead
from connectors.contract import Change, Held
from connectors.hubspot.fields import Fields
from connectors.hubspot.rules import WRITE_BATCH
from connectors.hubspot.sdk import RAW, Api

_AT_ONCE = 4


def held(api: Api, fields: Fields, changes: Sequence[Change]) -> Iterator[list[Held]]:
    """One list per call. HubSpot answers for a merged contact with the one it was merged into: that one is left out."""
    ids = list(dict.fromkeys(change.id for change in changes))
    parts = (ids[start : start + WRITE_BATCH] for start in range(0, len(ids), WRITE_BATCH))
    with closing(ahead((partial(_read, api, fields, part) for part in parts), _AT_ONCE)) as answers:
        yield from answers


def _read(api: Api, fields: Fields, ids: Sequence[str]) -> list[Held]:
    question = {"inputs": [{"id": id_} for id_ in ids], "properties": fields.names, "propertiesWithHistory": []}
    rows = {str(row["id"]): row["properties"] for row in api.contact_batch.read(question, **RAW)["results"]}
    return [Held("contacts", id_, fields.read(rows[id_])) for id_ in ids if id_ in rows]
