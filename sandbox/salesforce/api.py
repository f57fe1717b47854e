"""Requests below `/services/data/vXX.0/`: which function answers which method and path."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import Map, Rule

from sandbox.salesforce.errors import RequestError, not_found, unparsable
from sandbox.salesforce.org import Org


@dataclass(frozen=True, slots=True)
class Call:
    """One request, or one sub-request of a composite. `path` is below `/services/data/vXX.0/`."""

    api: "Api"
    method: str
    version: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes

    @property
    def org(self) -> Org:
        return self.api.org

    @property
    def base(self) -> str:
        return f"/services/data/v{self.version}"

    def header(self, name: str) -> str:
        return self.headers.get(name.lower(), "")

    def json(self) -> dict[str, Any]:
        """The body as an object; JSON_PARSER_ERROR when it is none."""
        try:
            read = json.loads(self.body)
        except ValueError:
            raise unparsable("Unexpected character or end of the request body") from None
        if not isinstance(read, dict):
            raise unparsable("The request body is not a JSON object")
        return read

    def part(self, method: str, path: str, params: Mapping[str, str], headers: Mapping[str, str], body: Any) -> "Call":
        """A sub-request of this one."""
        content = b"" if body is None else json.dumps(body).encode()
        headers = {**self.headers, **headers}
        return replace(self, method=method, path=path, params=params, headers=headers, body=content)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `body` is JSON data, text as it is, or None for nothing."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json;charset=UTF-8"


Handler = Callable[..., Reply]
Route = tuple[str, str, Handler]
"""Method, path with `<name>` parts, and the function called with the call and those parts."""


class Api:
    """Every route of the REST API."""

    def __init__(self, org: Org, routes: list[Route]) -> None:
        self.org = org
        rules = [Rule(f"/{path}", endpoint=handler, methods=[method]) for method, path, handler in routes]
        self._paths = Map(rules, strict_slashes=False).bind("")

    def handle(self, call: Call) -> Reply:
        """Answer one call; refusals are answers too."""
        try:
            return self._dispatch(call)
        except RequestError as error:
            return Reply(error.status, error.body())

    def _dispatch(self, call: Call) -> Reply:
        try:
            handler, parts = self._paths.match(f"/{call.path}", call.method)
        except MethodNotAllowed as error:
            allowed = ",".join(sorted(error.valid_methods or ()))
            message = f"HTTP Method '{call.method}' not allowed. Allowed are {allowed}"
            raise RequestError(405, "METHOD_NOT_ALLOWED", message) from None
        except HTTPException:
            raise not_found() from None
        return cast("Handler", handler)(call, **parts)
