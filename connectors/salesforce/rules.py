"""Every request the Salesforce adapter may send, and what it may hold."""

import csv
import io
import re
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from connectors.allowlist import BodyCheck, RawCheck, Rule, not_ours, unexpected
from connectors.salesforce.login import TOKEN_PATH
from connectors.salesforce.names import ours
from connectors.salesforce.setup_rules import setup_rules

NO_ASSIGNMENT = {"Sforce-Auto-Assign": "FALSE"}
"""Without this header an update may hand a lead to another owner."""
BATCH = 200
"""Records of one collection."""
COLLECTIONS = 5
"""Collections of one composite call."""
RETRIEVED = 2000
"""Records of one retrieval."""

_ID_PREFIX = {"Contact": "003", "Lead": "00Q"}
_ID = r"(003|00Q)(\w{12}|\w{15})"


def token_rules() -> list[Rule]:
    """What the login may send: the request for an access token."""
    return [Rule("access token", "POST", TOKEN_PATH, _client_credentials)]


def rules(version: str, prefix: str, removable: Collection[str] = (), *, provision: bool = False) -> list[Rule]:
    """What the adapter may send, with fields of `prefix` only; they are made and shown with `provision` only.

    `removable` holds the fields, such as `Contact.FT_Segment__c`, that may be removed, and with them our permission
    set: none, but for a cleanup.
    """
    data, pattern = f"/services/data/v{version}", ours(prefix)
    setup, learn = setup_rules(re.escape(data), pattern, removable, provision=provision)
    reads = [
        Rule("describe", "POST", re.escape(f"{data}/composite/batch"), _reads(version)),
        Rule("query", "GET", rf"{re.escape(data)}/query(All)?/[\w-]*", learn=learn),
    ]
    return [*(replace(rule, headers=NO_ASSIGNMENT) for rule in (*reads, *_writes(data, pattern))), *setup]


def _writes(data: str, pattern: str) -> list[Rule]:
    path, jobs = re.escape(data), _Jobs()
    job = rf"{path}/jobs/ingest/\w+"
    results = "(successfulResults|failedResults)"
    return [
        Rule("read scores", "POST", rf"{path}/composite/sobjects/(Contact|Lead)", _retrieval(pattern)),
        Rule("write scores", "PATCH", f"{path}/composite/sobjects", _collection(pattern)),
        Rule("write scores", "POST", f"{path}/composite", _collections(data, pattern)),
        Rule("bulk jobs there are", "GET", f"{path}/jobs/ingest"),
        Rule("bulk job", "POST", f"{path}/jobs/ingest", _new_job, learn=jobs.learn),
        Rule("bulk rows", "PUT", f"{job}/batches", raw=_rows(pattern), place=jobs.place),
        Rule("bulk start", "PATCH", job, _start, place=jobs.place),
        Rule("bulk state", "GET", job),
        Rule("bulk results", "GET", f"{job}/{results}", place=jobs.place),
    ]


def _client_credentials(body: Any) -> str | None:
    return None if body == {"grant_type": "client_credentials"} else "it asks for another kind of token"


def _reads(version: str) -> BodyCheck:
    """A batch of describes, and of looks into the log of deletions."""
    name = rf"v{re.escape(version)}/sobjects/\w+"
    readable = rf"{name}/(describe|deleted/\?start=[\w%.-]+&end=[\w%.-]+)"

    def check(body: Any) -> str | None:
        problem = unexpected("the body", body, ("batchRequests",))
        parts = [] if problem else body["batchRequests"]
        for part in parts:
            reads = isinstance(part, dict) and set(part) == {"method", "url"} and part["method"] == "GET"
            if not reads or not re.fullmatch(readable, part["url"]):
                return "a part of it is not a describe"
        return problem

    return check


def _retrieval(pattern: str) -> BodyCheck:
    def check(body: Any) -> str | None:
        problem = unexpected("the body", body, ("ids", "fields"))
        if problem or not 0 < len(body.get("ids", ())) <= RETRIEVED:
            return problem or "it is about no records, or too many"
        if not all(isinstance(id_, str) and re.fullmatch(_ID, id_) for id_ in body["ids"]):
            return "a record is neither a contact nor a lead"
        return not_ours("the field", [name for name in body["fields"] if name not in ("Id", "IsConverted")], pattern)

    return check


def _collection(pattern: str) -> BodyCheck:
    def check(body: Any) -> str | None:
        problem = unexpected("the body", body, ("allOrNone", "records"))
        if problem or body.get("allOrNone") is not False or not isinstance(body.get("records"), list):
            return problem or "the body is not a list of records to be written independently"
        if len(body["records"]) > BATCH:
            return f"it holds more than {BATCH} records"
        return next(filter(None, (_score_record(record, pattern) for record in body["records"])), None)

    return check


def _collections(data: str, pattern: str) -> BodyCheck:
    """A composite of collections. Its parts carry the header too: whether they inherit it is written nowhere."""
    collection, keys = _collection(pattern), {"method", "url", "referenceId", "httpHeaders", "body"}

    def part_problem(part: Any) -> str | None:
        if not isinstance(part, dict) or set(part) != keys:
            return "a part of it is not a collection"
        if (part["method"], part["url"]) != ("PATCH", f"{data}/composite/sobjects"):
            return "a part of it does something else than updating a collection"
        if part["httpHeaders"] != NO_ASSIGNMENT:
            return "a part of it could hand leads to other owners"
        return collection(part["body"])

    def check(body: Any) -> str | None:
        problem = unexpected("the body", body, ("allOrNone", "compositeRequest"))
        if problem or body.get("allOrNone") is not False or not isinstance(body.get("compositeRequest"), list):
            return problem or "the body is not a list of collections to be written independently"
        return next(filter(None, map(part_problem, body["compositeRequest"])), None)

    return check


def _score_record(record: Any, pattern: str) -> str | None:
    if not isinstance(record, dict) or not isinstance(record.get("attributes"), dict):
        return "a record does not say what it is"
    problem = unexpected("attributes", record["attributes"], ("type",))
    object_ = str(record["attributes"].get("type"))
    if problem or object_ not in _ID_PREFIX:
        return problem or f"{object_!r} is neither a contact nor a lead"
    id_ = str(record.get("id"))
    if not re.fullmatch(_ID, id_) or not id_.startswith(_ID_PREFIX[object_]):
        return f"a record has no id of a {object_}"
    if any(isinstance(record[name], list | dict) for name in record.keys() - {"attributes"}):
        return "a value is not a single one"
    return not_ours("the field", set(record) - {"attributes", "id"}, pattern)


def _new_job(body: Any) -> str | None:
    problem = unexpected("the body", body, ("object", "operation", "contentType", "lineEnding"))
    if problem is None and (body.get("operation") != "update" or body.get("object") not in _ID_PREFIX):
        return "the job does something else than updating contacts or leads"
    return problem


def _start(body: Any) -> str | None:
    return None if body == {"state": "UploadComplete"} else "it does something else than starting the job"


def _rows(pattern: str) -> RawCheck:
    def check(body: bytes | str | None) -> str | None:
        text = body.decode() if isinstance(body, bytes) else body or ""
        rows = csv.reader(io.StringIO(text, newline=""))
        header = next(rows, [])
        if header[:1] != ["Id"]:
            return "its rows do not begin with an id"
        return not_ours("the field", header[1:], pattern) or next(
            ("a row has no id of a contact or lead" for row in rows if not re.fullmatch(_ID, "".join(row[:1]))), None
        )

    return check


class _Jobs:
    """The bulk jobs this connector has made: rows go into no other."""

    def __init__(self) -> None:
        self._ids: set[str] = set()

    def learn(self, answer: Any) -> None:
        self._ids.add(str(answer.get("id")))

    def place(self, path: str) -> str | None:
        return None if path.partition("/ingest/")[2].split("/")[0] in self._ids else "the job is not ours"
