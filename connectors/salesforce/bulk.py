"""Writes many rows of one object by a job of the Bulk API 2.0.

A job is not remembered over a crash. Its rows stay open in the outbox and are sent again in a new one: values are
absolute, so the second time changes nothing. Only an older job that ran on would be a danger, for it could put old
values over newer ones: so every new job waits for those of ours that are still running.
"""

import csv
import io
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from connectors.contract import Change, Outcome, Result
from connectors.errors import NotPermitted, Rejected, SchemaDrift
from connectors.salesforce.answers import error_code
from connectors.salesforce.verdicts import Next, outcome, refusal

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

log = logging.getLogger(__name__)

NA = "#N/A"
"""What empties a field; a blank cell would leave it as it is."""
JOB_ROWS = 50_000
"""Rows of one job: below 100 MB, whatever they hold."""
CALLS_OF_A_JOB = 8
"""Older jobs, new job, rows, start, two looks at its state, rows that were written, rows that were refused."""
PATIENCE = 1500.0
"""Seconds a job is waited for: less than the half hour after which a run counts as silent."""
_LONGEST_LOOK = 30.0
_RUNNING = ("UploadComplete", "InProgress")
_RESULT_ATTEMPTS = 3

Values = Callable[[Change], Mapping[str, str | float | bool | None]]


class Bulk:
    """Writes changes of one account; `values` are the fields of a change by Salesforce's names."""

    def __init__(self, sf: "Salesforce", values: Values, sleep: Callable[[float], None]) -> None:
        self._sf = sf
        self._values = values
        self._sleep = sleep

    def write(self, changes: Sequence[Change]) -> tuple[list[Outcome], list[Change]]:
        """The outcomes of changes of one object, and those that should be tried by collections instead.

        SchemaDrift when one of our fields is missing.
        """
        object_ = changes[0].object
        try:
            self._wait_for_older(object_)
            path = self._start(object_, changes)
        except (Rejected, NotPermitted) as error:
            log.warning("no bulk job for %s, so collections are used: %s", object_, error)
            return [], list(changes)
        return self._outcomes(changes, path, self._finished(path))

    def _wait_for_older(self, object_: str) -> None:
        jobs = (self._sf.restful("jobs/ingest", params={"jobType": "V2Ingest"}) or {}).get("records", ())
        running = [job for job in jobs if job["state"] in _RUNNING and job["object"] == object_]
        if not running:
            return
        me = (self._sf.oauth2("userinfo") or {}).get("user_id", "")
        for job in running:
            if str(job["createdById"])[:15] == me[:15]:
                self._finished(f"jobs/ingest/{job['id']}")

    def _start(self, object_: str, changes: Sequence[Change]) -> str:
        asked = {"object": object_, "operation": "update", "contentType": "CSV", "lineEnding": "LF"}
        job = self._sf.restful("jobs/ingest", method="POST", json=asked) or {}
        path = f"jobs/ingest/{job['id']}"
        rows = _table(changes, self._values)
        self._once(f"{path}/batches", "PUT", data=rows.encode(), headers={"Content-Type": "text/csv; charset=UTF-8"})
        self._once(path, "PATCH", json={"state": "UploadComplete"})
        return path

    def _once(self, path: str, method: str, **content: Any) -> None:
        """A step that a job takes once. It is refused when it was sent again because its answer was lost."""
        try:
            self._call(method, path, **content)
        except Rejected as error:
            if error_code(error.body)[0] != "INVALIDJOBSTATE":
                raise

    def _finished(self, path: str) -> Mapping[str, Any]:
        """The state of a job that has ended, or that was waited for long enough."""
        waited, pause = 0.0, 1.0
        while True:
            status: Mapping[str, Any] = self._call("GET", path).json()
            if status["state"] not in _RUNNING or waited >= PATIENCE:
                return status
            self._sleep(pause)
            waited, pause = waited + pause, min(2 * pause, _LONGEST_LOOK)

    def _outcomes(
        self, changes: Sequence[Change], path: str, status: Mapping[str, Any]
    ) -> tuple[list[Outcome], list[Change]]:
        state, message = status["state"], str(status.get("errorMessage", ""))
        if "Field name not found" in message:
            raise SchemaDrift(f"bulk job {status['id']}: {message}. Make the field with: foretag provision")
        if state in (*_RUNNING, "Open"):
            reason = f"bulk job {status['id']} is still {state}; the next run waits for it"
            return [outcome(change, Result.UNKNOWN, reason) for change in changes], []
        failed = int(status.get("numberRecordsFailed", 0))
        processed = int(status.get("numberRecordsProcessed", 0))
        written = self._results(f"{path}/successfulResults", processed - failed)
        refused = self._results(f"{path}/failedResults", failed)
        told: list[Outcome] = []
        again: list[Change] = []
        for change in changes:
            key = change.id[:15]
            if key in written:
                told.append(outcome(change, Result.WRITTEN))
            elif key in refused:
                answer = refusal(change, *_error(refused[key]))
                again += [change] if answer.next is not Next.NOTHING else []
                told += [answer.outcome] if answer.next is Next.NOTHING else []
            elif state == "Failed":
                again.append(change)
            else:  # complete without a word about it, or aborted by someone who will have had a reason
                told.append(outcome(change, Result.UNKNOWN, f"bulk job {status['id']}, {state}, does not tell of it"))
        return told, again

    def _results(self, path: str, count: int) -> dict[str, str]:
        """Rows of a result by id: what is said of each. Read again when there are not as many as there should be."""
        found: dict[str, str] = {}
        for _ in range(_RESULT_ATTEMPTS if count else 0):
            text = self._call("GET", path).content.decode()
            rows = csv.DictReader(io.StringIO(text, newline=""))
            found = {str(row.get("Id"))[:15]: str(row.get("sf__Error") or "") for row in rows}
            if len(found) == count:
                break
        return found

    def _call(self, method: str, path: str, **content: Any) -> Any:
        headers = {**self._sf.headers, **content.pop("headers", {})}
        return self._sf.session.request(method, f"{self._sf.base_url}{path}", headers=headers, **content)


def _table(changes: Sequence[Change], values: Values) -> str:
    """The rows as CSV. A field that a change leaves alone is blank."""
    rows = [values(change) for change in changes]
    columns = sorted({name for row in rows for name in row})
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["Id", *columns])
    for change, row in zip(changes, rows, strict=True):
        writer.writerow([change.id, *(_cell(row[name]) if name in row else "" for name in columns)])
    return text.getvalue()


def _cell(value: str | float | bool | None) -> str:
    if value is None:
        return NA
    return str(value).lower() if isinstance(value, bool) else str(value)


def _error(text: str) -> tuple[str, str]:
    """Code and message of `CODE:message:fields--`."""
    code, _, rest = text.partition(":")
    return code, rest.rpartition(":")[0] or rest
