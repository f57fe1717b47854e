"""Routes of the portal: each is reachable by its v3 and its dated path, behind token, limits and scopes."""

from collections.abc import Callable
from datetime import date
from typing import Any, Literal

from flask import Blueprint, Response, current_app, jsonify, request
from werkzeug.exceptions import HTTPException, RequestURITooLarge

from sandbox.hubspot.errors import ApiError, bad_request, refuse
from sandbox.hubspot.limits import Limits

DATED = "2026-09"
LONGEST_ADDRESS = 16_000
"""Characters. Nobody tells the limit; connectors in production stay below this."""
Bucket = Literal["burst", "search", "none"]


class Router:
    """Collects the portal's routes. `scopes` are those the token has; a test may take some away."""

    def __init__(self, token: str, limits: Limits, scopes: set[str], today: Callable[[], date]) -> None:
        self.blueprint = Blueprint("hubspot", __name__)
        self._token, self._limits, self._scopes, self._today = token, limits, scopes, today
        self._needs: dict[str, tuple[str, Bucket]] = {}
        self.blueprint.before_request(self._admit)
        self.blueprint.after_request(self._with_limits)
        self.blueprint.register_error_handler(ApiError, _show_error)
        self.blueprint.register_error_handler(HTTPException, _show_http_error)

    def add(
        self,
        method: str,
        paths: tuple[str, ...],
        view: Callable[..., Any],
        scope: str,
        bucket: Bucket = "burst",
        **fixed: Any,
    ) -> None:
        """Serve `view` at each of `paths`; `fixed` arguments are passed to it."""
        for path in paths:
            endpoint = f"{method} {path}".replace(".", "_")
            self._needs[f"hubspot.{endpoint}"] = (scope, bucket)
            self.blueprint.add_url_rule(path, endpoint, view, methods=[method], defaults=fixed)

    def _admit(self) -> None:
        if request.headers.get("Authorization") != f"Bearer {self._token}":
            raise refuse(
                401,
                "Authentication credentials not found. This API supports OAuth 2.0 authentication.",
                "INVALID_AUTHENTICATION",
            )
        if len(request.full_path) > LONGEST_ADDRESS:
            raise RequestURITooLarge
        scope, bucket = self._needs[str(request.endpoint)]
        if current_app.config["LIMITS"]:
            window = {"burst": self._limits.burst, "search": self._limits.search, "none": None}[bucket]
            self._limits.check(self._today(), window)
        if scope not in self._scopes:
            message = "One or more of the following scopes are required."
            links = ["https://developers.hubspot.com/scopes"]
            raise refuse(403, message, "MISSING_SCOPES", context={"requiredGranularScopes": [scope], "links": links})

    def _with_limits(self, answer: Response) -> Response:
        answer.headers.update(self._limits.headers())
        return answer


def objects(rest: str, dated: str = "crm/objects") -> tuple[str, str]:
    """The v3 and the dated path of a CRM object call."""
    return f"/crm/v3/objects/{rest}", f"/{dated}/{DATED}/{rest}"


def body() -> dict[str, Any]:
    """The JSON object of the request. Raises ApiError when there is none."""
    sent = request.get_json(silent=True)
    if not isinstance(sent, dict):
        raise bad_request("Invalid input JSON on line 1, column 1: expected an object")
    return sent


def inputs(limit: int) -> list[dict[str, Any]]:
    """The `inputs` of a batch call, at most `limit`. Raises ApiError."""
    sent = body().get("inputs")
    if not isinstance(sent, list) or not all(isinstance(each, dict) for each in sent):
        raise bad_request("Invalid input JSON: 'inputs' must be a list of objects")
    if len(sent) > limit:
        raise bad_request(f"The maximum number of inputs supported in a batch request is {limit}")
    return sent


def page_limit(largest: int, default: int = 10) -> int:
    """The `limit` of the request. Raises ApiError outside 1 to `largest`."""
    try:
        limit = int(request.args.get("limit", default))
    except ValueError:
        raise bad_request("limit must be a number") from None
    if not 1 <= limit <= largest:
        raise bad_request(f"The limit must be between 1 and {largest}")
    return limit


def batch_answer(
    results: list[Any], errors: list[dict[str, Any]], started: str, ended: str, complete: int = 200
) -> tuple[Response, int]:
    """The frame of a batch answer. Partial success is 207 on v3; the dated version shows it in the body alone."""
    answer: dict[str, Any] = {"status": "COMPLETE", "startedAt": started, "completedAt": ended, "results": results}
    if not errors:
        return jsonify(answer), complete
    answer |= {"errors": errors, "numErrors": len(errors)}
    return jsonify(answer), complete if f"/{DATED}/" in request.path else 207


def next_page(after: str | None) -> dict[str, Any]:
    """The paging part of an answer; absent on the last page. The link leads to the real HubSpot, as it does there."""
    if after is None:
        return {}
    link = f"https://api.hubapi.com{request.path}?after={after}"
    return {"paging": {"next": {"after": after, "link": link}}}


def _show_error(error: ApiError) -> tuple[Response, int]:
    return jsonify(error.body), error.status


def _show_http_error(error: HTTPException) -> tuple[Response, int]:
    return _show_error(refuse(error.code or 500, error.description or error.name))
