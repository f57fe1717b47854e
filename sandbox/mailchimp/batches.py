"""Asynchronous batches: operations that are run later and fetched as an archive from a signed address."""

import gzip
import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Response, current_app, request

from sandbox.mailchimp.account import Account
from sandbox.mailchimp.records import digest, stamp
from sandbox.mailchimp.wire import Body, Problem, base_url, invalid, links, not_found, page, sent_body

OPERATIONS_MAX = 1_000
RESULT_LIFE = timedelta(minutes=10)
"""How long an address of a result is good for; each look at the batch gives another one."""
PAGE_ROWS = 100
"""Rows per page when an operation leaves `count` out: each page is an entry of its own in the result."""
ENTRIES_PER_FILE = 50
RESULT_RULE = "batch-results/<batch_id>-response.tar.gz"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(slots=True)
class Batch:
    """One batch; `entries` is filled when it finishes."""

    id: str
    operations: list[Body]
    authorization: str
    submitted_at: str
    status: str = "pending"
    completed_at: str = ""
    entries: list[Body] = field(default_factory=list)

    def signature(self, expires: str) -> str:
        """What the address of the result has to carry, when it is good until `expires`."""
        return digest("signature", self.id, expires)


class BatchRoutes:
    """Batches over HTTP. The first look at a batch finds it started, the second finished."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.batches: dict[str, Batch] = {}
        self._submitted = 0

    def submit(self) -> Body:
        """POST /batches."""
        operations = sent_body().get("operations")
        if not isinstance(operations, list) or not operations:
            raise invalid(("operations", "Schema describes array, something else found instead"))
        if len(operations) > OPERATIONS_MAX:
            raise invalid(("operations", f"There should be no more than {OPERATIONS_MAX} items in the array"))
        for i, operation in enumerate(operations):
            if not isinstance(operation, dict) or operation.get("method") not in METHODS:
                raise invalid((f"operations.item:{i}.method", "Data presented is not one of the accepted values."))
            if not str(operation.get("path", "")).startswith("/"):
                raise invalid((f"operations.item:{i}.path", "This value should not be blank."))
        self._submitted += 1
        id_ = digest("batch", self._submitted)[:10]
        now = stamp(self.account.clock.now())
        self.batches[id_] = Batch(id_, operations, request.headers["Authorization"], now)
        return self._shape(self.batches[id_])

    def all(self) -> Body:
        """GET /batches."""
        rows = list(self.batches.values())
        return {
            "batches": [self._shape(batch) for batch in page(rows)],
            "total_items": len(rows),
            "_links": links(f"{base_url()}/batches", {"self": ("GET", "")}),
        }

    def poll(self, batch_id: str) -> Body:
        """GET one batch; looking moves it on."""
        batch = self._known(batch_id)
        if batch.status == "pending":
            batch.status = "started"
        elif batch.status == "started":
            batch.entries = [entry for operation in batch.operations for entry in _run(operation, batch)]
            batch.status, batch.completed_at = "finished", stamp(self.account.clock.now())
        return self._shape(batch)

    def drop(self, batch_id: str) -> None:
        """DELETE a batch; its result is gone with it."""
        del self.batches[self._known(batch_id).id]

    def result(self, batch_id: str) -> Response:
        """The archive. Whoever has the signed address may fetch it, and only without other credentials."""
        if "Authorization" in request.headers:
            return _storage_error(400, "InvalidArgument", "Only one auth mechanism allowed")
        batch = self.batches.get(batch_id)
        expires = request.args.get("X-Expires", "")
        if batch is None or batch.status != "finished" or request.args.get("X-Signature") != batch.signature(expires):
            return _storage_error(403, "AccessDenied", "Access Denied")
        if stamp(self.account.clock.now()) > expires:
            return _storage_error(403, "AccessDenied", "Access Denied")
        return Response(_archive(batch), 200, content_type="application/x-gzip")

    def _known(self, batch_id: str) -> Batch:
        if (batch := self.batches.get(batch_id)) is None:
            raise not_found()
        return batch

    def _shape(self, batch: Batch) -> Body:
        finished = batch.status == "finished"
        host, expires = base_url().removesuffix("/3.0"), stamp(self.account.clock.now() + RESULT_LIFE)
        query = urlencode({"X-Expires": expires, "X-Signature": batch.signature(expires)})
        result = f"{host}/batch-results/{batch.id}-response.tar.gz?{query}"
        return {
            "id": batch.id,
            "status": batch.status,
            "total_operations": len(batch.entries) if finished else len(batch.operations),
            "finished_operations": len(batch.entries),
            "errored_operations": sum(entry["status_code"] >= 400 for entry in batch.entries),
            "submitted_at": batch.submitted_at,
            "completed_at": batch.completed_at,
            "response_body_url": result if finished else "",
            "_links": links(f"{base_url()}/batches/{batch.id}", {"self": ("GET", ""), "delete": ("DELETE", "")}),
        }


def _run(operation: Body, batch: Batch) -> Iterator[Body]:
    """Carry out one operation; a GET without `count` is paged to its end."""
    params = {name: str(value) for name, value in (operation.get("params") or {}).items()}
    if operation["method"] != "GET" or "count" in params:
        yield _entry(operation, _called(operation, params, batch))
        return
    offset = 0
    while True:
        answer = _called(operation, params | {"count": str(PAGE_ROWS), "offset": str(offset)}, batch)
        yield _entry(operation, answer)
        offset += PAGE_ROWS
        if not answer.is_json or offset >= (answer.get_json() or {}).get("total_items", 0):
            return


def _called(operation: Body, params: dict[str, str], batch: Batch) -> Response:
    """The answer of this very API to one operation, without passing its front door again."""
    prefix = base_url().removeprefix(request.host_url.rstrip("/"))
    context = current_app.test_request_context(
        prefix + operation["path"],
        method=operation["method"],
        base_url=request.host_url,
        query_string=params,
        data=operation.get("body", ""),
        headers={"Authorization": batch.authorization},
    )
    with context:
        try:
            return current_app.make_response(current_app.dispatch_request())
        except Problem as problem:
            return current_app.make_response(current_app.handle_user_exception(problem))


def _entry(operation: Body, answer: Response) -> Body:
    return {
        "status_code": answer.status_code,
        "operation_id": operation.get("operation_id"),
        "response": answer.get_data(as_text=True),
    }


def _archive(batch: Batch) -> bytes:
    """A tar.gz with a folder entry, files of JSON arrays, and one empty file, as the real one has them."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        folder = tarfile.TarInfo(f"{batch.id}/")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for n, start in enumerate(range(0, len(batch.entries), ENTRIES_PER_FILE)):
            _add(archive, f"{batch.id}/{n}.json", json.dumps(batch.entries[start : start + ENTRIES_PER_FILE]).encode())
        _add(archive, f"{batch.id}/empty.json", b"")
    return gzip.compress(packed.getvalue(), mtime=0)


def _add(archive: Any, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def _storage_error(status: int, code: str, message: str) -> Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(text, status, content_type="application/xml")
