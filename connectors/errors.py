"""Everything that can go wrong with a platform, as one tree sorted by what to do next.

ConnectorError
├── Retry              try again after a while
│   ├── Throttled        too many calls
│   └── Unavailable      5xx, a lost connection, half an answer
├── NotKnown           look whether it took effect, before it is sent again
├── RowRejected        leave this one contact out and say why
└── Stop               no use in going on with this account
    ├── NotAuthorised    token missing, wrong or expired
    ├── NotPermitted     the token lacks a right
    ├── QuotaSpent       the account's daily calls are used up
    ├── SchemaDrift      one of our fields was renamed, retyped or deleted
    ├── Rejected         the platform refused the request as a whole
    └── NotAllowed       foretag itself refused to send it (allow-list)
"""


class ConnectorError(Exception):
    """Root of all platform errors. The text says what happened, where, and what to do next."""


class Retry(ConnectorError):
    """Worth another try. `after` is the platform's own wish in seconds, or None."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class Throttled(Retry):
    """Too many calls in too short a time; nothing was done."""


class Unavailable(Retry):
    """The platform failed or its answer was lost; the request may or may not have taken effect."""


class NotKnown(ConnectorError):
    """The answer to something that must not be done twice was lost: whether it took effect is not known."""


class RowRejected(ConnectorError):
    """The platform refuses one contact's values; the others are not concerned."""


class Stop(ConnectorError):
    """Nothing more can be done on this account until someone acts."""


class NotAuthorised(Stop):
    """The token is missing, wrong or expired."""


class NotPermitted(Stop):
    """The token is valid but lacks a right."""


class QuotaSpent(Stop):
    """The account's calls for today are used up."""


class SchemaDrift(Stop):
    """A field of ours is not there, or not of the type we made."""


class Rejected(Stop):
    """The platform refused the whole request: HTTP `status`, parsed JSON or text in `body`."""

    def __init__(self, message: str, status: int, body: object) -> None:
        super().__init__(message)
        self.status = status
        self.body = body


class NotAllowed(Stop):
    """The request is not on foretag's own allow-list and was not sent."""
