"""Who may come in: the access token, how long it lasts, and the daily quota of requests."""

import base64
from collections.abc import Mapping
from datetime import date

from sandbox.platform import SandboxClock
from sandbox.salesforce.errors import RequestError

ACCESS_TOKEN = "00D5g0000000001!sandbox.salesforce.access.token"  # noqa: S105 - made up
CLIENT_ID = "sandbox-client-id"
CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105 - made up
REFRESH_TOKEN = "sandbox-refresh-token"  # noqa: S105 - made up
PASSWORD = "sandbox-password"  # noqa: S105 - made up; any user name goes with it


class Session:
    """The one client's session. A token that was used up is replaced through OAuth."""

    def __init__(self, clock: SandboxClock, daily_quota: int, token_calls: int | None) -> None:
        self._clock, self.daily_quota, self._token_calls = clock, daily_quota, token_calls
        self._generation, self._calls_with_token = 1, 0
        self._day: date = clock.date.date()
        self._used = 0

    @property
    def token(self) -> str:
        """The access token accepted at present."""
        return ACCESS_TOKEN if self._generation == 1 else f"{ACCESS_TOKEN}.{self._generation}"

    @property
    def used(self) -> int:
        """Requests made on the present sandbox day."""
        return self._used if self._day == self._clock.date.date() else 0

    def expire(self) -> None:
        """End the session: the token is refused until a new one is asked for."""
        self._generation += 1
        self._calls_with_token = 0

    def enter(self, authorization: str) -> None:
        """Count one request; RequestError 401 without a valid token, 403 when the day's quota is spent."""
        if authorization != f"Bearer {self.token}":
            raise RequestError(401, "INVALID_SESSION_ID", "Session expired or invalid")
        if self._token_calls is not None and self._calls_with_token >= self._token_calls:
            self.expire()
            raise RequestError(401, "INVALID_SESSION_ID", "Session expired or invalid")
        self._calls_with_token += 1
        used = self.used
        if used >= self.daily_quota:
            raise RequestError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        self._day, self._used = self._clock.date.date(), used + 1

    def grant(self, form: Mapping[str, str], authorization: str) -> dict[str, str] | None:
        """The answer to a token request that is refused; None when it is granted."""
        match form.get("grant_type"):
            case "client_credentials":
                pass
            case "refresh_token":
                if form.get("refresh_token") != REFRESH_TOKEN:
                    return {"error": "invalid_grant", "error_description": "expired access/refresh token"}
            case "password":
                if form.get("password") != PASSWORD:
                    return {"error": "invalid_grant", "error_description": "authentication failure"}
            case _:
                return {"error": "unsupported_grant_type", "error_description": "grant type not supported"}
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if authorization == f"Basic {basic}" or (
            form.get("client_id") == CLIENT_ID and form.get("client_secret") == CLIENT_SECRET
        ):
            return None
        return {"error": "invalid_client", "error_description": "invalid client credentials"}
