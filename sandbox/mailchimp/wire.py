"""The API's manners: problem documents, `fields`, paging, instants in queries, JSON in and out."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import count as counter
from typing import Any, TypeVar

from flask import Response, request

from sandbox.mailchimp.records import digest, stamp

Body = dict[str, Any]
Tree = dict[str, "Tree | None"]
Row = TypeVar("Row")

GLOSSARY = "https://mailchimp.com/developer/marketing/docs/errors/"
UNTYPED = ("Member Exists", "Member In Compliance State", "Forgotten Email Not Subscribed")
PAGE, PAGE_MAX = 10, 1000

_requests = counter(1)


class Problem(Exception):
    """An answer that is not a 2xx: status, title and detail, with the fields at fault where it has any."""

    def __init__(
        self, status: int, title: str, detail: str, errors: Sequence[tuple[str, str]] = (), allow: str = ""
    ) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail, self.errors, self.allow = status, title, detail, errors, allow


def invalid(*errors: tuple[str, str]) -> Problem:
    """The 400 for a body or query that breaks the schema; each error is (field, message)."""
    detail = "The resource submitted could not be validated. For field-specific details, see the 'errors' array."
    return Problem(400, "Invalid Resource", detail, errors)


def not_found() -> Problem:
    """The 404 for anything that is not there."""
    return Problem(404, "Resource Not Found", "The requested resource could not be found.")


def _request_id() -> str:
    id_ = digest("request", next(_requests))
    return "-".join((id_[:8], id_[8:12], id_[12:16], id_[16:20], id_[20:]))


def problem_response(problem: Problem) -> Response:
    """A problem document (RFC 7807), with the media type the API uses for them."""
    id_ = _request_id()
    body: Body = {} if problem.title in UNTYPED else {"type": GLOSSARY}
    body |= {"title": problem.title, "status": problem.status, "detail": problem.detail, "instance": id_}
    if problem.errors:
        body["errors"] = [{"field": field, "message": message} for field, message in problem.errors]
    headers = {"X-Request-Id": id_} | ({"Allow": problem.allow} if problem.allow else {})
    return Response(json.dumps(body), problem.status, headers, content_type="application/problem+json; charset=utf-8")


def reply(body: Body | None) -> Response:
    """The 200 with `body`, cut down to what the query asks for; 204 for None."""
    headers = {"X-Request-Id": _request_id()}
    if body is None:
        return Response(b"", 204, headers, content_type="application/json; charset=utf-8")
    if request.method == "GET":
        body = select(body, request.args.get("fields", ""), request.args.get("exclude_fields", ""))
    return Response(json.dumps(body), 200, headers, content_type="application/json; charset=utf-8")


def select(body: Body, fields: str, exclude: str) -> Body:
    """Only `fields` of `body`, without `exclude`: comma lists of dotted names that start at the outermost object.

    A list that names nothing in `body` leaves `{}`.
    """
    if fields:
        body = _kept(body, _tree(fields))
    return _dropped(body, _tree(exclude)) if exclude else body


def _tree(names: str) -> Tree:
    root: Tree = {}
    for name in filter(None, map(str.strip, names.split(","))):
        node: Tree | None = root
        *parents, leaf = name.split(".")
        for part in parents:
            node = node.setdefault(part, {}) if node is not None else None
        if node is not None:
            node[leaf] = None
    return root


def _kept(value: Any, tree: Tree) -> Any:
    if isinstance(value, list):
        return [_kept(item, tree) for item in value]
    if not isinstance(value, dict):
        return value
    return {k: v if tree[k] is None else _kept(v, tree[k] or {}) for k, v in value.items() if k in tree}


def _dropped(value: Any, tree: Tree) -> Any:
    if isinstance(value, list):
        return [_dropped(item, tree) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, inner in value.items():
        if key not in tree:
            kept[key] = inner
        elif (below := tree[key]) is not None:
            kept[key] = _dropped(inner, below)
    return kept


def page(rows: Sequence[Row]) -> Sequence[Row]:
    """The part of `rows` that `count` (10 unless told, at most 1000) and `offset` ask for."""
    count = min(_number("count") or PAGE, PAGE_MAX)
    offset = _number("offset")
    return rows[offset : offset + count]


def _number(name: str) -> int:
    text = request.args.get(name, "0")
    if not text.isdecimal():
        raise invalid((name, "Schema describes integer, string found instead"))
    return int(text)


def instant(name: str) -> str | None:
    """The query's instant `name` at second resolution; None when absent.

    A '+' that was sent unescaped arrives as a blank: the filter is then ignored, as the real API does.
    """
    text = request.args.get(name, "")
    if not text or " " in text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise invalid((name, "This value is not a valid datetime.")) from None
    return stamp(at if at.tzinfo else at.replace(tzinfo=UTC))


def one_of(name: str, allowed: Sequence[str]) -> str | None:
    """The query's value `name`, which has to be one of `allowed`; None when absent."""
    value = request.args.get(name)
    if value and value not in allowed:
        raise invalid((name, f"Data presented is not one of the accepted values: {', '.join(allowed)}."))
    return value or None


def flag(name: str) -> bool:
    """Whether the query says `name=true`, in lower case."""
    return request.args.get(name) in ("true", "1")


def sent_body() -> Body:
    """The JSON object of the request. NaN is no JSON, and half a surrogate pair no text: both spoil the whole of it."""
    try:
        body = json.loads(request.get_data(), parse_constant=_no_json)
        json.dumps(body, ensure_ascii=False).encode()
    except ValueError:
        raise Problem(400, "JSON Parse Error", "We encountered an unspecified JSON parsing error.") from None
    if not isinstance(body, dict):
        raise invalid(("", "Schema describes object, array found instead"))
    return body


def _no_json(name: str) -> None:
    raise ValueError(name)


def base_url() -> str:
    """Where the API stands, ending in /3.0."""
    return f"{request.host_url.rstrip('/')}{request.path.split('/3.0', 1)[0]}/3.0"


def links(path: str, rels: Mapping[str, tuple[str, str]]) -> list[dict[str, str]]:
    """The `_links` of an object at the address `path`; `rels` is name → (method, what follows the address)."""
    return [{"rel": rel, "href": f"{path}{tail}", "method": method} for rel, (method, tail) in rels.items()]
