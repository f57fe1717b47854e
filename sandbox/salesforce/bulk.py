"""What bulk query and bulk ingest jobs share: their status, their life and their CSV."""

import csv
import io
from collections.abc import Iterable
from typing import Any

from sandbox.salesforce.api import Call, Reply
from sandbox.salesforce.errors import RequestError, not_found
from sandbox.salesforce.org import INTEGRATION_USER, Job, Org

_DELIMITERS = {"COMMA": ",", "SEMICOLON": ";", "TAB": "\t", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}
_LINE_ENDS = {"LF": "\n", "CRLF": "\r\n"}
_RUNNING = "InProgress"


def new_job(org: Org, call: Call, operation: str, object_name: str, state: str) -> Job:
    """A job in its first state, kept under its id."""
    asked, now, job_id = call.json(), org.now(), org.next_id("750")
    job = Job(
        {
            "id": job_id,
            "operation": operation,
            "object": object_name,
            "createdById": INTEGRATION_USER,
            "createdDate": now,
            "systemModstamp": now,
            "state": state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(call.version),
            "lineEnding": _known("lineEnding", asked.get("lineEnding", "LF"), _LINE_ENDS),
            "columnDelimiter": _known("columnDelimiter", asked.get("columnDelimiter", "COMMA"), _DELIMITERS),
        }
    )
    org.jobs[job_id] = job
    return job


def find_job(org: Org, job_id: str, *, query: bool) -> Job:
    """The job with this id; RequestError 404 when there is none of that kind."""
    job = org.jobs.get(job_id)
    if job is None or job.status["operation"].startswith("query") != query:
        raise not_found()
    return job


def finish(org: Org, job: Job, kind: str, processed: int, failed: int | None, message: str | None = None) -> None:
    """Set a job's outcome; clients first see it running, then JobComplete, or Failed when there is a message."""
    counts = {} if failed is None else {"numberRecordsFailed": failed}
    times = {"retries": 0, "totalProcessingTime": processed}
    if failed is not None:
        times |= {"apiActiveProcessingTime": processed, "apexProcessingTime": 0}
    outcome = {"jobType": kind, "numberRecordsProcessed": processed, **counts, **times}
    if message is not None:
        outcome["errorMessage"] = message
    job.status |= {**outcome, "state": _RUNNING, "systemModstamp": org.now()}


def poll(job: Job) -> Reply:
    """The job's status; each look at a running job is the last that sees it running."""
    shown = dict(job.status)
    if shown["state"] == _RUNNING:
        job.status["state"] = "Failed" if "errorMessage" in shown else "JobComplete"
        shown.pop("errorMessage", None)
    return Reply(200, shown)


def list_jobs(org: Org, *, query: bool) -> Reply:
    """All jobs of one kind."""
    found = [job.status for job in org.jobs.values() if job.status["operation"].startswith("query") == query]
    return Reply(200, {"done": True, "records": found, "nextRecordsUrl": None})


def forget_job(org: Org, job_id: str, *, query: bool) -> Reply:
    """Delete a job and its results."""
    find_job(org, job_id, query=query)
    del org.jobs[job_id]
    return Reply(204, None)


def set_state(job: Job, call: Call, allowed: Iterable[str]) -> str:
    """Move a job to the state the client asks for; INVALIDJOBSTATE when it cannot go there."""
    state = str(call.json().get("state"))
    before = ("Open",) if state == "UploadComplete" else ("Open", "UploadComplete", _RUNNING)
    if state not in allowed or job.status["state"] not in before:
        raise RequestError(400, "INVALIDJOBSTATE", f"Job state {job.status['state']} cannot be changed to {state}")
    job.status["state"] = state
    return state


def csv_reply(job: Job, header: list[str], rows: list[list[str]], headers: dict[str, str] | None = None) -> Reply:
    """Rows as the job's kind of CSV, every cell in quotes."""
    out = io.StringIO()
    end = _LINE_ENDS[job.status["lineEnding"]]
    writer = csv.writer(out, delimiter=delimiter(job), lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([header, *rows])
    return Reply(200, out.getvalue(), headers or {}, "text/csv; charset=UTF-8")


def delimiter(job: Job) -> str:
    return _DELIMITERS[job.status["columnDelimiter"]]


def _known(name: str, value: Any, allowed: dict[str, str]) -> str:
    if value not in allowed:
        raise RequestError(400, "INVALIDJOB", f"{name} {value} is not supported")
    return str(value)
