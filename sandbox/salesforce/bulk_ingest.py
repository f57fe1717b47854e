"""Bulk API 2.0 ingest jobs: rows come as CSV, each succeeds or fails on its own."""

import csv
import io
from functools import partial

from sandbox.salesforce.api import Call, Reply, Route
from sandbox.salesforce.bulk import (
    csv_reply,
    delimiter,
    find_job,
    finish,
    forget_job,
    list_jobs,
    new_job,
    poll,
    set_state,
)
from sandbox.salesforce.errors import RequestError, RowError, unknown_type, unparsable
from sandbox.salesforce.org import Job, Org
from sandbox.salesforce.schema import Field, ObjectType
from sandbox.salesforce.sobjects import assigns, refuse_twice
from sandbox.salesforce.values import read_cell
from sandbox.salesforce.writes import create, delete, update

_OPERATIONS = ("insert", "update", "delete")
_LARGEST_UPLOAD = 100_000_000
_ASKED = {
    "object", "operation", "contentType", "lineEnding", "columnDelimiter", "externalIdFieldName", "assignmentRuleId",
}  # fmt: skip


def _create(call: Call) -> Reply:
    asked = call.json()
    object_type = call.org.find(str(asked.get("object", "")))
    if object_type is None:
        raise unknown_type(str(asked.get("object", "")))
    unknown = sorted(set(asked) - _ASKED)
    if unknown:
        raise unparsable(f"Unrecognized field {unknown[0]}")
    if asked.get("contentType", "CSV") != "CSV":
        raise RequestError(400, "INVALIDJOB", f"contentType {asked['contentType']} is not supported")
    operation = str(asked.get("operation"))
    if operation not in _OPERATIONS:
        raise RequestError(400, "INVALIDJOB", f"operation {operation} is not supported")
    job = new_job(call.org, call, operation, object_type.name, "Open")
    job.status["contentUrl"] = f"{call.base.lstrip('/')}/jobs/ingest/{job.status['id']}/batches"
    return Reply(200, job.status)


def _upload(call: Call, job_id: str) -> Reply:
    job = find_job(call.org, job_id, query=False)
    if not call.header("Content-Type").startswith("text/csv"):
        raise RequestError(400, "INVALIDJOB", f"Unsupported content type: {call.header('Content-Type') or 'none'}")
    if job.status["state"] != "Open" or job.upload:
        raise RequestError(400, "INVALIDJOBSTATE", "Found multiple contents for the job, or it is closed")
    if len(call.body) > _LARGEST_UPLOAD:
        raise RequestError(413, "INVALIDBATCH", "The upload is larger than 100 MB")
    if not call.body.strip():
        raise RequestError(400, "INVALIDBATCH", "The upload is empty")
    job.upload = call.body.decode("utf-8", "replace").replace("\0", "")
    return Reply(201, None)


def _change(call: Call, job_id: str) -> Reply:
    job = find_job(call.org, job_id, query=False)
    state = set_state(job, call, ("UploadComplete", "Aborted"))
    shown = {name: value for name, value in job.status.items() if name != "contentUrl"}
    if state == "UploadComplete":
        _run(call.org, job, assign=assigns(call))
    return Reply(200, shown)


def _run(org: Org, job: Job, *, assign: bool) -> None:
    object_type = org.object_type(job.status["object"])
    header, *rows = list(csv.reader(io.StringIO(job.upload, newline=""), delimiter=delimiter(job))) or [[]]
    problem = _problem(org, job, header, rows)
    job.upload = ""
    visible, operation = org.visible(object_type), job.status["operation"]
    job.results = {"header": [header], **{name: [] for name in _EXTRA}}
    if problem:
        job.results["unprocessedRecords"] = rows
        finish(org, job, "V2Ingest", 0, 0, problem)
        return
    fields, now = [visible[name.lower()] for name in header], org.now()
    seen: set[str] = set()
    for cells in rows:
        try:
            key = _id_in(fields, cells)
            if key and key[:15] in seen:
                refuse_twice(key)
            seen.add((key or "")[:15])
            record_id = _write(org, object_type, operation, fields, cells, now, assign=assign)
            job.results["successfulResults"].append([record_id, str(operation == "insert").lower(), *cells])
        except RowError as error:
            named = ",".join(error.fields)
            job.results["failedResults"].append(["", f"{error.code}:{error.message}:{named}--", *cells])
    finish(org, job, "V2Ingest", len(rows), len(job.results["failedResults"]))


def _problem(org: Org, job: Job, header: list[str], rows: list[list[str]]) -> str | None:
    """Why the upload cannot be worked on at all, as the job's status says it; None when it can."""
    crlf = job.status["lineEnding"] == "CRLF"
    if rows and job.upload.endswith("\r\n") != crlf:
        setting = "CRLF" if crlf else "LF"
        return f"InvalidBatch : LineEnding is invalid on user data. Current LineEnding setting is {setting}"
    names = [name.lower() for name in header]
    visible = org.visible(org.object_type(job.status["object"]))
    unknown = next((name for name in header if name.lower() not in visible), None)
    if unknown is not None or (job.status["operation"] != "insert" and "id" not in names):
        return f"InvalidBatch : Field name not found : {unknown or 'Id'}"
    if len(set(names)) < len(names):
        return "InvalidBatch : Field name provided more than once"
    if any(len(cells) != len(header) for cells in rows):
        return "InvalidBatch : The number of cells in a row is not that of the header"
    return None


def _id_in(fields: list[Field], cells: list[str]) -> str | None:
    return next((cell for field, cell in zip(fields, cells, strict=True) if field.name == "Id" and cell), None)


def _write(
    org: Org, object_type: ObjectType, operation: str, fields: list[Field], cells: list[str], now: str, *, assign: bool
) -> str:
    pairs = zip(fields, cells, strict=True)
    values = [(field, read_cell(field, cell)) for field, cell in pairs if cell and field.name != "Id"]
    if operation == "insert":
        return create(org, object_type, values, now, assign=assign)
    raw_id = _id_in(fields, cells)
    if operation == "delete":
        return delete(org, object_type, raw_id, now)
    return update(org, object_type, raw_id, values, now, assign=assign)


def _get(call: Call, job_id: str) -> Reply:
    return poll(find_job(call.org, job_id, query=False))


_EXTRA: dict[str, list[str]] = {
    "successfulResults": ["sf__Id", "sf__Created"],
    "failedResults": ["sf__Id", "sf__Error"],
    "unprocessedRecords": [],
}
"""Columns put before the uploaded ones, by the name of the result."""


def _results(call: Call, job_id: str, name: str) -> Reply:
    job = find_job(call.org, job_id, query=False)
    if job.status["state"] not in ("JobComplete", "Failed", "Aborted"):
        raise RequestError(400, "INVALIDJOBSTATE", "The job has no results yet")
    (header,) = job.results.get("header", [[]])
    return csv_reply(job, [*_EXTRA[name], *header], job.results.get(name, []))


_JOB = "jobs/ingest/<job_id>"
ROUTES: list[Route] = [
    ("POST", "jobs/ingest", _create),
    ("GET", "jobs/ingest", lambda call: list_jobs(call.org, query=False)),
    ("GET", _JOB, _get),
    ("PATCH", _JOB, _change),
    ("PUT", f"{_JOB}/batches", _upload),
    *(("GET", f"{_JOB}/{name}", partial(_results, name=name)) for name in _EXTRA),
    ("DELETE", _JOB, lambda call, job_id: forget_job(call.org, job_id, query=False)),
]
