"""What systemd is told, over the socket that it names."""

import os
import socket

import pytest

from sync.notify import PULSE_SECONDS, Pulse, notify, pulse_seconds

pytestmark = pytest.mark.enable_socket


@pytest.fixture(params=["path", "abstract"])
def systemd(request, tmp_path, monkeypatch):
    name = str(tmp_path / "notify") if request.param == "path" else f"\0foretag-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(name)
        channel.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", name.replace("\0", "@"))
        yield channel


def test_lines_arrive_together(systemd) -> None:
    notify("READY=1", "STATUS=waiting")
    assert systemd.recv(1000) == b"READY=1\nSTATUS=waiting"


def test_a_beat_feeds_the_watchdog(systemd) -> None:
    Pulse(lambda: 0.0).beat()
    assert systemd.recv(1000) == b"WATCHDOG=1"


def test_without_a_socket_nothing_is_said(monkeypatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setattr(socket, "socket", None)
    notify("READY=1")


def test_a_socket_that_is_gone_is_only_logged(tmp_path, monkeypatch, caplog) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    notify("READY=1")
    assert "systemd could not be told READY=1" in caplog.text


@pytest.mark.parametrize(
    ("allowed", "process", "seconds"),
    [
        (None, None, PULSE_SECONDS),
        ("6000000", None, 2),
        ("6000000", "own", 2),
        ("6000000", "1", PULSE_SECONDS),
        ("120000000", None, PULSE_SECONDS),
        ("soon", None, PULSE_SECONDS),
    ],
)
def test_it_beats_three_times_within_the_watchdogs_patience(monkeypatch, allowed, process, seconds) -> None:
    for name, value in (("WATCHDOG_USEC", allowed), ("WATCHDOG_PID", process)):
        monkeypatch.delenv(name, raising=False)
        if value:
            monkeypatch.setenv(name, str(os.getpid()) if value == "own" else value)
    assert pulse_seconds() == seconds


def test_it_counts_as_dead_after_three_beats_left_out(monkeypatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    now = [0.0]
    pulse = Pulse(lambda: now[0])
    now[0] = 3 * PULSE_SECONDS
    assert pulse.alive()
    now[0] += 0.1
    assert not pulse.alive()
    pulse.beat()
    assert pulse.alive()
