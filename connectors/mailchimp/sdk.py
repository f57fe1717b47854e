"""The vendor SDK on our transport: its methods build the requests, the transport sends them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import requests

from connectors.errors import Rejected
from connectors.transport import Transport

PAGE = 1000
"""Rows per page: the most Mailchimp gives, which gives ten unless told."""
Answer = Mapping[str, Any]


class Api:
    """The SDK's api objects. Their methods are called through `call`, so that their failures come out as ours.

    Lists such as `fields` must be lists (of a text the SDK would take each letter), yes/no values the text `true`.
    """

    def __init__(self, transport: Transport, key: str) -> None:
        from mailchimp_marketing import Client

        # an empty `server` keeps the SDK from replacing the word "server" wherever it stands in an address
        client = Client({"api_key": key, "server": ""})
        client.api_client.host = transport.base_url
        client.api_client.request = self._request
        transport.auth = ("foretag", key)
        self._transport = transport
        self.root = client.root
        self.lists = client.lists
        self.reports = client.reports
        self.ecommerce = client.ecommerce
        self.batches = client.batches

    def delete(self, method: Callable[..., Any], *args: str) -> None:
        """Call one of the SDK's methods that answer with nothing. Raises the errors of `connectors.errors`."""
        self._asked(method, args, {})

    def call(self, method: Callable[..., Any], *args: Any, **query: Any) -> Answer:
        """The parsed answer of one of the SDK's methods. Raises the errors of `connectors.errors`."""
        answer = self._asked(method, args, query)
        if not isinstance(answer, dict):  # for {} the SDK hands out the bare response
            raise Rejected(f"{method.__name__}: Mailchimp answered with nothing", 200, None)
        return answer

    @staticmethod
    def _asked(method: Callable[..., Any], args: Sequence[Any], query: Mapping[str, Any]) -> Any:
        from mailchimp_marketing.api_client import ApiClientError

        try:
            return method(*args, **query)
        except ApiClientError as error:
            if isinstance(error.text, Exception):
                raise error.text from None
            raise

    def _request(
        self,
        method: str,
        url: str,
        query_params: Sequence[tuple[str, Any]] | None = None,
        headers: object = None,
        body: Any = None,
    ) -> requests.Response:
        """Stands where the SDK's own HTTP call was. Its headers say nothing that the transport does not say."""
        del headers
        return self._transport.request(method, url, params=query_params, json=body)
