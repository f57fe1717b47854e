"""The vendor SDK on our transport: its methods build the requests, the transport sends them.

Every method of an api object here must be called with `**RAW`: it then returns the answer's parsed JSON, which spares
the SDK's models (10 to 20 ms a page).
"""

from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from connectors.transport import Transport

RAW: dict[str, Any] = {"_preload_content": False}

_DATED_PATHS = (
    ("/crm/v3/objects/", "/crm/objects/{version}/"),
    ("/crm/v4/associations/", "/crm/associations/{version}/"),
    ("/crm/v3/properties/", "/crm/properties/{version}/"),
    ("/crm/v3/lists/", "/crm/lists/{version}/"),
    ("/crm/v3/limits/", "/crm/limits/{version}/"),
    ("/account-info/v3/", "/account-info/{version}/"),
)
"""What the SDK calls, and the same thing in a dated version. Paths that are not here have no dated form yet."""


def versioned(path: str, version: str) -> str:
    """`path`, as the SDK knows it, in the API version `version`: `v3`, or a date such as `2026-09`."""
    if version != "v3":
        for known, dated in _DATED_PATHS:
            if path.startswith(known):
                return dated.format(version=version) + path[len(known) :]
    return path


class Api:
    """The SDK's api objects, each made once: the SDK itself would make a new connection on every access."""

    def __init__(self, transport: Transport, token: str, version: str) -> None:
        from hubspot import HubSpot

        self._transport = transport
        self._version = version
        self._hubspot = HubSpot(access_token=token, api_factory=self._make)
        transport.headers["Authorization"] = f"Bearer {token}"
        for used_by_pulls in (
            "contacts",
            "deals",
            "forms",
        ):  # loaded among their busy threads, it takes twenty times longer
            getattr(self, used_by_pulls)

    def get(self, path: str, **query: Any) -> Any:
        """GET something the SDK has no method for; the parsed answer."""
        return self._send("GET", self._transport.base_url + path, [(k, v) for k, v in query.items() if v is not None])

    @cached_property
    def contacts(self) -> Any:
        """Contacts, page by page."""
        return self._hubspot.crm.contacts.basic_api

    @cached_property
    def contact_search(self) -> Any:
        """Contacts by a filter."""
        return self._hubspot.crm.contacts.search_api

    @cached_property
    def contact_batch(self) -> Any:
        """Contacts by id, a hundred at a time."""
        return self._hubspot.crm.contacts.batch_api

    @cached_property
    def deals(self) -> Any:
        """Deals, page by page."""
        return self._hubspot.crm.deals.basic_api

    @cached_property
    def deal_search(self) -> Any:
        """Deals by a filter."""
        return self._hubspot.crm.deals.search_api

    @cached_property
    def associations(self) -> Any:
        """Which records belong together."""
        return self._hubspot.crm.associations.v4.batch_api

    @cached_property
    def properties(self) -> Any:
        """Definitions of properties."""
        return self._hubspot.crm.properties.core_api

    @cached_property
    def property_batch(self) -> Any:
        """Definitions of properties, many at a time."""
        return self._hubspot.crm.properties.batch_api

    @cached_property
    def property_groups(self) -> Any:
        """The groups that properties are shown in."""
        return self._hubspot.crm.properties.groups_api

    @cached_property
    def forms(self) -> Any:
        """Definitions of forms."""
        return self._hubspot.marketing.forms.forms_api

    @cached_property
    def lists(self) -> Any:
        """Definitions of lists."""
        return self._hubspot.crm.lists.lists_api

    @cached_property
    def list_members(self) -> Any:
        """Who is on a list."""
        return self._hubspot.crm.lists.memberships_api

    def _make(self, package: Any, name: str, config: dict[str, Any]) -> Any:
        """What the SDK calls for each api object: its own generated client, but sending through `_send`."""
        configuration = package.Configuration()
        configuration.host = self._transport.base_url
        configuration.access_token = config["access_token"]
        client = package.ApiClient(configuration=configuration)
        client.user_agent = self._transport.headers["User-Agent"]
        client.rest_client = _RestClient(self._send)
        return getattr(package, name)(api_client=client)

    def _send(
        self, method: str, url: str, query: Any = None, headers: dict[str, str] | None = None, body: Any = None
    ) -> Any:
        path = versioned(url[len(self._transport.base_url) :], self._version)
        if query:
            pairs = [(key, str(value).lower() if isinstance(value, bool) else value) for key, value in query]
            path += "?" + urlencode(pairs, safe=",")
        response = self._transport.request(method, self._transport.base_url + path, headers=headers, json=body)
        return response.json() if response.content else None


class _RestClient:
    """Stands where the SDK's own HTTP client was; has the methods that our requests need."""

    def __init__(self, send: Any) -> None:
        self._send = send

    def GET(self, url: str, *, query_params: Any, headers: dict[str, str], **_: Any) -> Any:  # noqa: N802 (SDK's name)
        return self._send("GET", url, query_params, headers)

    def POST(  # noqa: N802 (SDK's name)
        self, url: str, *, query_params: Any, headers: dict[str, str], body: Any, **_: Any
    ) -> Any:
        return self._send("POST", url, query_params, headers, body)

    def PATCH(  # noqa: N802 (SDK's name)
        self, url: str, *, query_params: Any, headers: dict[str, str], body: Any, **_: Any
    ) -> Any:
        return self._send("PATCH", url, query_params, headers, body)

    def DELETE(self, url: str, *, query_params: Any, headers: dict[str, str], **_: Any) -> Any:  # noqa: N802 (SDK's name)
        return self._send("DELETE", url, query_params, headers)
