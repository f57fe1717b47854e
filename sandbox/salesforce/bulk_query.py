"""Bulk API 2.0 query jobs."""

from typing import Any

from sandbox.salesforce.api import Call, Reply, Route
from sandbox.salesforce.bulk import csv_reply, find_job, finish, forget_job, list_jobs, new_job, poll, set_state
from sandbox.salesforce.errors import RequestError
from sandbox.salesforce.schema import Record
from sandbox.salesforce.soql.compiler import compile_query
from sandbox.salesforce.soql.parser import parse
from sandbox.salesforce.stamps import for_csv

_PAGE = 50_000


def _create(call: Call) -> Reply:
    asked = call.json()
    operation = asked.get("operation")
    if operation not in ("query", "queryAll"):
        raise RequestError(400, "INVALIDJOB", f"operation {operation} is not supported")
    text = str(asked.get("query", ""))
    plan = compile_query(text, call.org)
    if plan.selection is None:
        raise RequestError(400, "API_ERROR", "Aggregate Relationships not supported in Bulk Query")
    job = new_job(call.org, call, operation, plan.source.name, "UploadComplete")
    created = dict(job.status)
    names = [field.text for field in parse(text).fields]
    records = plan.run(call.org.rows(plan.source, operation == "queryAll"))
    job.results["results"] = [names, *(_cells(plan.selection.show(record, ""), names) for record in records)]
    finish(call.org, job, "V2Query", len(records), None)
    return Reply(200, created)


def _cells(shown: Record, names: list[str]) -> list[str]:
    return [_cell(shown, name.split(".")) for name in names]


def _cell(shown: Any, path: list[str]) -> str:
    for part in path:
        if shown is None:
            return ""
        key = next((key for key in shown if key.lower() == part.lower()), None)
        shown = shown if key is None else shown[key]
    if shown is None:
        return ""
    if isinstance(shown, bool):
        return str(shown).lower()
    text = str(shown)
    return for_csv(text) if text.endswith(".000+0000") else text


def _get(call: Call, job_id: str) -> Reply:
    return poll(find_job(call.org, job_id, query=True))


def _results(call: Call, job_id: str) -> Reply:
    job = find_job(call.org, job_id, query=True)
    if job.status["state"] != "JobComplete":
        raise RequestError(400, "INVALIDJOBSTATE", "The job has no results yet")
    header, *rows = job.results["results"]
    start, most = call.params.get("locator", "0"), call.params.get("maxRecords", str(_PAGE))
    if not start.isdigit() or not most.isdigit() or int(most) < 1:
        raise RequestError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    end = int(start) + int(most)
    page = rows[int(start) : end]
    locator = str(end) if end < len(rows) else "null"
    return csv_reply(job, header, page, {"Sforce-Locator": locator, "Sforce-NumberOfRecords": str(len(page))})


def _change(call: Call, job_id: str) -> Reply:
    job = find_job(call.org, job_id, query=True)
    set_state(job, call, ("Aborted",))
    return Reply(200, job.status)


ROUTES: list[Route] = [
    ("POST", "jobs/query", _create),
    ("GET", "jobs/query", lambda call: list_jobs(call.org, query=True)),
    ("GET", "jobs/query/<job_id>", _get),
    ("PATCH", "jobs/query/<job_id>", _change),
    ("GET", "jobs/query/<job_id>/results", _results),
    ("DELETE", "jobs/query/<job_id>", lambda call, job_id: forget_job(call.org, job_id, query=True)),
]
