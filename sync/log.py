"""Logging to stderr: quiet by default, as text or JSON, and never with a token or an e-mail address in it."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

from sync.redact import redact


class Present:
    """What this process is at: one run at a time, whichever of its threads logs."""

    run: int | None = None
    """The run's number, in every log line while it is set."""


present = Present()

_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)


class TextFormatter(logging.Formatter):
    """`WARNING sync.pull [run 12]: text`; journald adds the time. `emails`: whether to hide addresses."""

    def __init__(self, *, emails: bool) -> None:
        super().__init__()
        self._emails = emails

    def format(self, record: logging.LogRecord) -> str:
        """One record, its traceback included, redacted."""
        run = f" [run {present.run}]" if present.run else ""
        return redact(f"{record.levelname} {record.name}{run}: {super().format(record)}", emails=self._emails)


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time (UTC), level, logger, message, run, and the traceback as `error`.

    `emails`: whether to hide addresses.
    """

    def __init__(self, *, emails: bool) -> None:
        super().__init__()
        self._emails = emails

    def format(self, record: logging.LogRecord) -> str:
        """One record, its traceback included, redacted."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage(), emails=self._emails),
        }
        if present.run:
            line["run"] = str(present.run)
        if record.exc_info:
            line["error"] = redact(self.formatException(record.exc_info), emails=self._emails)
        return json.dumps(line, ensure_ascii=False)


def setup(
    verbosity: int = 0, as_json: bool = False, stream: TextIO | None = None, *, show_emails: bool = False
) -> None:
    """Send warnings (verbosity 0), progress (1) or everything (2) to `stream`, stderr by default.

    Replaces what an earlier call set up. Libraries are heard one step later than foretag itself, so that `-v` shows
    our progress and not every connection.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter((JsonFormatter if as_json else TextFormatter)(emails=not show_emails))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(_level(verbosity - 1))
    for package in ("connectors", "scoring", "sync", "sandbox"):
        logging.getLogger(package).setLevel(_level(verbosity))


def _level(verbosity: int) -> int:
    return _LEVELS[min(max(verbosity, 0), len(_LEVELS) - 1)]
