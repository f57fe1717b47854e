"""Errors a command ends with. Each carries the exit code of the process; the text is meant for the admin."""

ACCEPT = "if it is right: foretag run --accept-large-change"
"""What a human does who has looked at what the guard refused."""


class ForetagError(Exception):
    """Ends a command with exit code 1. The text says what happened and what to do next."""

    exit_code = 1


class Refused(ForetagError):
    """The guard refused to go on; nothing was written."""

    exit_code = 3


class RunActive(ForetagError):
    """Another run holds the store; trying again later helps."""

    exit_code = 75
