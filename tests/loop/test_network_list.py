"""A whole life of foretag contacts no host but those that `foretag doctor --network` lists."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner

from sync import cli, conditions
from sync.configfile import load
from sync.network import outbound


class Listener(BaseHTTPRequestHandler):
    """Says yes to everything, and remembers that it was asked."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_: object) -> None: ...


@contextmanager
def listening() -> Iterator[HTTPServer]:
    """A service of somebody's on a port of its own."""
    server = HTTPServer(("127.0.0.1", 0), Listener)
    server.asked = []
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def contacted(monkeypatch) -> set[str]:
    """HOST:PORT of every connection, and every name that was looked up."""
    found: set[str] = set()
    look_up, connect = socket.getaddrinfo, socket.socket.connect

    def looking_up(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        found.add(f"{host}:{port}")
        return look_up(host, port, *rest, **more)

    def connecting(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            found.add(f"{address[0]}:{address[1]}")
        connect(self, address)

    monkeypatch.setattr(socket, "getaddrinfo", looking_up)
    monkeypatch.setattr(socket.socket, "connect", connecting)
    return found


@pytest.mark.slow
def test_nothing_that_is_not_on_the_list_is_contacted(tiny, contacted, monkeypatch) -> None:
    with listening() as team, listening() as switch:
        monkeypatch.setenv("FORETAG_ALERTS_TEAM", f"json://127.0.0.1:{team.server_port}/alert")
        monkeypatch.setenv("FORETAG_ALERTS_PING", f"http://127.0.0.1:{switch.server_port}/ping")
        text = tiny.config_file.read_text(encoding="utf-8")
        tiny.config_file.write_text(f'{text}[alerts]\nto = ["team"]\nping = true\n', encoding="utf-8")
        monkeypatch.setattr(conditions, "LITTLE_SPACE", 10**18)  # something to alert on
        for command in (
            ["doctor", "--network"], ["provision"], ["doctor"], ["pull"], ["run"], ["plan"],
            ["undo", "--run", "1", "--yes"], ["cleanup", "--yes"],
        ):  # fmt: skip
            line = ["--now", f"{tiny.now:%Y-%m-%d}", "--config", str(tiny.config_file), *command]
            if command[-1] == "--network":
                assert CliRunner().invoke(cli.main, line).exit_code == 0
                assert contacted == set(), "listing them contacts nobody"
                continue
            result = CliRunner().invoke(cli.main, line)
            assert result.exit_code in (0, 2), (command, result.output)
        assert (bool(team.asked), bool(switch.asked)) == (True, True)
    listed = {each.host for each in outbound(load(tiny.config_file))}
    assert contacted - listed == set()
    assert listed - contacted == {"mailchimp-api-batch.s3.amazonaws.com"}, "what is listed is there for a reason"
    assert len(listed) == 4
