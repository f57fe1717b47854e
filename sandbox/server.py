"""The sandbox: pretended platforms on a port of 127.0.0.1, with a date that is set and faults to order."""

import copy
import importlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from flask import Flask

from sandbox.control import control_routes
from sandbox.faults import Fault
from sandbox.gate import Gate, Watcher
from sandbox.pages import page_routes
from sandbox.people import PLATFORMS, Platform, World
from sandbox.platform import PretendPlatform, SandboxClock
from sandbox.serving import Server


@dataclass(frozen=True)
class Saved:
    """What a sandbox holds."""

    clock: SandboxClock
    platforms: dict[Platform, PretendPlatform]


class Sandbox:
    """Local HubSpot, Mailchimp and Salesforce at `/hubspot`, `/mailchimp` and `/salesforce`, filled from `world`.

    It starts at `date` (UTC) with everything applied that had happened by then. `latency` in seconds is added to each
    call; `limits=False` switches rate limits off; `port=0` takes a free one.
    """

    def __init__(
        self,
        world: World,
        date: datetime,
        platforms: Sequence[Platform] | None = None,
        latency: float = 0.0,
        limits: bool = True,
        port: int = 0,
    ) -> None:
        self._world, self._start, self._limits = world, date, limits
        self._names: Sequence[Platform] = platforms or PLATFORMS
        self._gate = Gate(self._names, latency)
        self._port = port
        self._server: Server | None = None
        self._fill(date)

    def _fill(self, date: datetime) -> None:
        """Put new platforms behind the gate, as they stood at `date`."""
        self.clock = SandboxClock(date)
        self._platforms = {name: _make(name, self._world, self.clock) for name in self._names}
        for platform in self._platforms.values():
            platform.advance(date)
        self._mount()

    def _mount(self) -> None:
        app = Flask("sandbox", template_folder=None, static_folder=None)
        app.config["LIMITS"] = self._limits
        app.json.sort_keys = False  # type: ignore[attr-defined] # Flask's own provider has it
        for name, platform in self._platforms.items():
            app.register_blueprint(platform.blueprint(), url_prefix=f"/{name}")
        app.register_blueprint(control_routes(self))
        app.register_blueprint(page_routes(self))
        self._gate.app = app

    @property
    def platforms(self) -> Mapping[Platform, PretendPlatform]:
        """The pretended platforms by name."""
        return self._platforms

    @property
    def url(self) -> str:
        """Where it listens. RuntimeError before `start`."""
        if self._server is None:
            raise RuntimeError("the sandbox is not started")
        return f"http://127.0.0.1:{self._server.port}"

    def start(self) -> str:
        """Listen in a background thread; returns the URL."""
        self._server = Server(self._gate, self._port)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), name="sandbox", daemon=True).start()
        return self.url

    def stop(self) -> None:
        """Stop listening; harmless when not started."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def advance(self, date: datetime) -> None:
        """Let everything happen up to `date` (UTC). ValueError when that lies in the sandbox's past."""
        with self._gate.lock:
            self.clock.set(date)
            for platform in self._platforms.values():
                platform.advance(date)

    def reset(self, date: datetime | None = None) -> None:
        """Start over at `date` (UTC), or where it started: nothing written, no faults, nothing counted, no skew."""
        with self._gate.lock:
            self._fill(date or self._start)
            self._gate.clear_faults()
            self._gate.reset_calls()

    def save(self) -> Saved:
        """The platforms and their date as they are, for `restore`, here or in a sandbox of the same world."""
        with self._gate.lock:
            return copy.deepcopy(Saved(self.clock, self._platforms), {id(self._world): self._world})

    def restore(self, saved: Saved) -> None:
        """Everything as it was at `save`: no faults, nothing counted. It can be done again and again."""
        with self._gate.lock:
            mine = copy.deepcopy(saved, {id(self._world): self._world})
            self.clock, self._platforms = mine.clock, mine.platforms
            self._mount()
            self._gate.clear_faults()
            self._gate.reset_calls()

    def watch(self, watcher: Watcher | None) -> None:
        """Let every call to a platform pass `watcher` from now on, or nobody: it is given the call and what answers it.

        Raising `sandbox.gate.ConnectionDropped` closes the connection.
        """
        self._gate.watcher = watcher

    def platform(self, name: Platform) -> PretendPlatform:
        return self._platforms[name]

    def snapshot(self) -> dict[str, Any]:
        """Every record of every platform: `{platform: {object: {id: {field: value}}}}`."""
        with self._gate.lock:
            return {name: platform.snapshot() for name, platform in self._platforms.items()}

    def calls(self) -> dict[tuple[str, str], int]:
        """How often each platform's routes were called: `{("hubspot", "GET /crm/v3/objects/contacts"): 3}`."""
        return self._gate.calls()

    def reset_calls(self) -> None:
        self._gate.reset_calls()

    def inject(self, *faults: Fault) -> None:
        """Order faults, behind those still to come."""
        self._gate.inject(*faults)

    def clear_faults(self) -> None:
        self._gate.clear_faults()

    def faults(self) -> list[Fault]:
        """Those that have not struck as often as ordered."""
        return self._gate.faults()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _make(name: Platform, world: World, clock: SandboxClock) -> PretendPlatform:
    """The platform's class, imported only when it is wanted."""
    class_name = {"hubspot": "HubSpot", "mailchimp": "Mailchimp", "salesforce": "Salesforce"}[name]
    platform: PretendPlatform = getattr(importlib.import_module(f"sandbox.{name}"), class_name)(world, clock)
    return platform
