"""Tells systemd how the daemon is (the protocol of sd_notify); says nothing where nobody listens."""

import logging
import os
import socket
from collections.abc import Callable

log = logging.getLogger(__name__)

PULSE_SECONDS = 20.0
"""How often the daemon shows that it lives; more often when systemd's watchdog asks for it."""
MISSED_BEATS = 3
"""After so many beats left out it counts as dead."""


def notify(*lines: str) -> None:
    """Send lines such as `READY=1` to the socket that systemd has named; a failure is only logged."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.sendto("\n".join(lines).encode(), address)
    except OSError as error:
        log.warning("systemd could not be told %s: %s", lines[0], error)


def pulse_seconds() -> float:
    """How often to beat: a third of what the watchdog allows this process, where it has one."""
    allowed = os.environ.get("WATCHDOG_USEC", "")
    if not allowed.isdecimal() or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return PULSE_SECONDS
    return min(int(allowed) / 1e6 / MISSED_BEATS, PULSE_SECONDS)


class Pulse:
    """Beats while the scheduler hands out work: it is one of its jobs."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._last = monotonic()
        self.every = pulse_seconds()
        """Seconds between two beats."""

    def beat(self) -> None:
        """Note that the scheduler lives, and tell the watchdog."""
        self._last = self._monotonic()
        notify("WATCHDOG=1")

    def alive(self) -> bool:
        """Whether it has beaten lately."""
        return self._monotonic() - self._last <= MISSED_BEATS * self.every
