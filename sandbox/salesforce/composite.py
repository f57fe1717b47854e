"""Several calls in one: composite and composite/batch."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sandbox.salesforce.api import Call, Reply, Route
from sandbox.salesforce.errors import RequestError, unparsable

_MOST_PARTS, _MOST_COLLECTIONS = 25, 5
_ASSIGNMENT = "sforce-auto-assign"


class _HaltedError(Exception):
    """A sub-request failed and all were to succeed or none."""


def _composite(call: Call) -> Reply:
    body = call.json()
    parts = _parts(body, "compositeRequest")
    heavy = sum("/composite/sobjects" in part["url"] or "/query" in part["url"] for part in parts)
    if heavy > _MOST_COLLECTIONS:
        message = f"Limit of {_MOST_COLLECTIONS} sObject collections and queries in one composite request exceeded"
        raise RequestError(400, "LIMIT_EXCEEDED", message)
    all_or_none = body.get("allOrNone") is True
    answers: list[dict[str, Any]] = []
    try:
        with call.org.records.transaction():
            for part in parts:
                reply = _run(call, part, part["url"])
                answers.append(_answer(reply.status, reply.body, dict(reply.headers), part))
            if all_or_none and any(answer["httpStatusCode"] >= 400 for answer in answers):
                raise _HaltedError
    except _HaltedError:
        call.org.permissions.forget()
        halted = {"errorCode": "PROCESSING_HALTED", "message": "The transaction was rolled back since another operation"
                  " in the same transaction failed."}  # fmt: skip
        for answer in answers:
            if answer["httpStatusCode"] < 400:
                answer.update(body=[halted], httpStatusCode=400)
    return Reply(200, {"compositeResponse": answers})


def _batch(call: Call) -> Reply:
    body = call.json()
    parts = _parts(body, "batchRequests")
    results: list[dict[str, Any]] = []
    failed = False
    for part in parts:
        if failed and body.get("haltOnError") is True:
            halted = {"errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted per request"}
            results.append({"statusCode": 412, "result": [halted]})
            continue
        reply = _run(call, part, f"/services/data/{part['url'].lstrip('/').removeprefix('services/data/')}")
        failed = failed or reply.status >= 400
        results.append({"statusCode": reply.status, "result": reply.body})
    return Reply(200, {"hasErrors": failed, "results": results})


def _parts(body: dict[str, Any], key: str) -> list[dict[str, Any]]:
    parts = body.get(key)
    if not isinstance(parts, list) or not all(isinstance(part, dict) and "url" in part for part in parts):
        raise unparsable(f"{key} is not a list of requests")
    if len(parts) > _MOST_PARTS:
        raise RequestError(400, "LIMIT_EXCEEDED", f"Limit of {_MOST_PARTS} subrequests exceeded: {len(parts)}")
    return parts


def _run(call: Call, part: dict[str, Any], url: str) -> Reply:
    split = urlsplit(url)
    path = split.path.removeprefix(f"{call.base}/")
    headers = {name.lower(): str(value) for name, value in (part.get("httpHeaders") or {}).items()}
    headers.setdefault(_ASSIGNMENT, "")  # nothing promises that a part inherits it
    content = part.get("body", part.get("richInput"))
    return call.api.handle(
        call.part(str(part.get("method", "GET")), path, dict(parse_qsl(split.query)), headers, content)
    )


def _answer(status: int, body: Any, headers: dict[str, str], part: dict[str, Any]) -> dict[str, Any]:
    return {"body": body, "httpHeaders": headers, "httpStatusCode": status, "referenceId": part.get("referenceId")}


ROUTES: list[Route] = [
    ("POST", "composite", _composite),
    ("POST", "composite/batch", _batch),
]
