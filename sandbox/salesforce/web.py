"""The HTTP side: tokens, headers and JSON around the API."""

import json

from flask import Blueprint, Response, request

from sandbox.salesforce import (
    account,
    bulk_ingest,
    bulk_query,
    composite,
    describe,
    queries,
    replication,
    sobjects,
    tooling,
)
from sandbox.salesforce.api import Api, Call, Reply
from sandbox.salesforce.errors import RequestError, not_found
from sandbox.salesforce.org import INTEGRATION_USER, ORGANISATION, Org

_LONGEST_URI = 16_384
_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]
_PARTS = (account, queries, describe, composite, replication, sobjects, bulk_query, bulk_ingest, tooling)


def make_blueprint(org: Org) -> Blueprint:
    """All routes, to be mounted below `/salesforce`."""
    blueprint = Blueprint("salesforce", __name__)
    routes = [route for part in _PARTS for route in part.ROUTES]
    api = Api(org, routes)

    @blueprint.before_request
    def refuse_long_uri() -> Response | None:
        if len(request.full_path) <= _LONGEST_URI:
            return None
        page = "<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>"
        return Response(page, 414, content_type="text/html;charset=iso-8859-1")

    @blueprint.post("/services/oauth2/token")
    def token() -> Response:
        refused = org.session.grant(request.form, request.headers.get("Authorization", ""))
        if refused is not None:
            return _respond(Reply(400, refused))
        return _respond(Reply(200, _grant(org)))

    @blueprint.get("/services/oauth2/userinfo")
    @blueprint.get(f"/id/{ORGANISATION}/{INTEGRATION_USER}")
    def user() -> Response:
        try:
            org.session.enter(request.headers.get("Authorization", ""))
        except RequestError as error:
            return _respond(Reply(error.status, error.body()))
        return _respond(Reply(200, account.user_info(org, _site())))

    @blueprint.get("/services/data/")
    def versions() -> Response:
        return _respond(Reply(200, account.versions()))

    def data(version: str, **_: str) -> Response:
        path = request.path.partition(f"/services/data/v{version}")[2].lstrip("/")
        response = _respond(_answer(api, version, path))
        response.headers["Sforce-Limit-Info"] = account.limit_info(org)
        return response

    base = "/services/data/v<version>/"
    for method, path, _ in routes:
        blueprint.add_url_rule(f"{base}{path}", view_func=data, methods=[method], strict_slashes=False)
    blueprint.add_url_rule(f"{base}<path:path>", view_func=data, methods=_METHODS)
    return blueprint


def _answer(api: Api, version: str, path: str) -> Reply:
    try:
        api.org.session.enter(request.headers.get("Authorization", ""))
        if version not in [each["version"] for each in account.versions()]:
            raise not_found()
    except RequestError as error:
        return Reply(error.status, error.body())
    headers = {name.lower(): value for name, value in request.headers.items()}
    return api.handle(Call(api, request.method, version, path, request.args, headers, request.get_data()))


def _site() -> str:
    return f"{request.host_url.rstrip('/')}{request.path.partition('/services/')[0].partition('/id/')[0]}"


def _grant(org: Org) -> dict[str, str]:
    site = _site()
    return {
        "access_token": org.session.token,
        "scope": "api",
        "instance_url": site,
        "id": f"{site}/id/{ORGANISATION}/{INTEGRATION_USER}",
        "token_type": "Bearer",
        "issued_at": str(int(org.clock.now().timestamp() * 1000)),
    }


def _respond(reply: Reply) -> Response:
    if reply.body is None:
        return Response(status=reply.status, headers=dict(reply.headers))
    text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body, separators=(",", ":"))
    return Response(text, reply.status, dict(reply.headers), content_type=reply.content_type)
