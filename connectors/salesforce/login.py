"""The access token: given, or fetched with the client-credentials flow when it is first needed."""

from threading import Lock, local

import requests
from requests.auth import AuthBase

from connectors.errors import NotAuthorised
from connectors.transport import Transport

TOKEN_PATH = "/services/oauth2/token"  # noqa: S105 - where tokens are fetched


class Login(AuthBase):
    """Puts the Authorization header on every request.

    `secret` is an access token, or `client_id:client_secret`. Tokens are fetched through `transport`, which must let
    nothing else through.
    """

    def __init__(self, secret: str, transport: Transport) -> None:
        client, colon, key = secret.partition(":")
        self._credentials = (client, key) if colon else None
        self._token = "" if colon else secret
        self._transport = transport
        self._lock = Lock()
        self._sent = local()  # the token this thread sent last

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Authorize one request; raises the transport's errors when a token has to be fetched and cannot be."""
        with self._lock:
            if not self._token:
                self._fetch()
            self._sent.token = self._token
        request.headers["Authorization"] = f"Bearer {self._sent.token}"
        return request

    def renew(self) -> str | None:
        """A fresh Authorization header, or None where the token was given and cannot be renewed."""
        with self._lock:
            if self._credentials is None:
                return None
            if self._sent.token == self._token:  # else another thread was first
                self._fetch()
            self._sent.token = self._token
            return f"Bearer {self._token}"

    def _fetch(self) -> None:
        url = self._transport.base_url + TOKEN_PATH
        answer = self._transport.post(url, data={"grant_type": "client_credentials"}, auth=self._credentials).json()
        if not isinstance(answer, dict) or not answer.get("access_token"):
            raise NotAuthorised("Salesforce answered the request for an access token without one")
        self._token = str(answer["access_token"])
