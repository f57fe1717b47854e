"""Looks at everything a run needs and says how to repair what is missing. Changes nothing."""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from connectors.contract import Connector, Finding
from connectors.errors import ConnectorError
from sync import messages, secrets
from sync.config import Config
from sync.config_accounts import Account
from sync.configfile import load
from sync.counted import counted
from sync.errors import ForetagError
from sync.redact import redact
from sync.store import rosters

LITTLE_SPACE = 1_000_000_000
"""Bytes free on the disk below which the doctor warns."""

Examined = tuple[str, Finding]
"""What was looked at (`config`, `data_dir`, an account's name) and what was found."""


def examine(path: Path, connect: Callable[[Account, Config], Connector], now: datetime) -> Iterator[Examined]:
    """Findings one by one, from the config file to each account; a broken config ends it. `now` is UTC."""
    try:
        config = load(path)
    except ForetagError as error:
        yield "config", Finding("fail", str(error), "foretag init, or repair the file")
        return
    accounts = ", ".join(named(account) for account in config.accounts)
    yield "config", Finding("ok", f"{path}: mode {config.mode}, accounts {accounts}")
    yield "time zone", Finding("ok", f"{config.timezone}, where it is {now.astimezone(config.zone):%Y-%m-%d %H:%M}")
    yield "data_dir", _data_dir(config.data_dir)
    for account in config.accounts:
        for finding in _account(account, config, connect):
            yield account.name, finding
    for place in config.alerts.to:
        yield "alerts", _told(f"{place} is told", secrets.of_alert(place), partial(messages.hosts, place))
    if config.alerts.ping:
        yield "alerts", _told("the dead man's switch is called", secrets.PING, lambda: [messages.ping_host()])


def named(account: Account) -> str:
    """An account's name, with its mode where that is one of its own."""
    return account.name if account.mode == "same" else f"{account.name} ({account.mode})"


def _data_dir(folder: Path) -> Finding:
    existing = folder
    while not existing.exists():
        existing = existing.parent
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return Finding("fail", f"{existing} is not a folder I may write to", "set data_dir in the config, or chown it")
    if existing == folder and folder.stat().st_mode & 0o007:
        return Finding("warn", f"{folder} can be read by every user of this machine", f"chmod o-rwx {folder}")
    free = shutil.disk_usage(existing).free
    text = f"{folder}: {free / 1e9:,.1f} GB free"
    if free < LITTLE_SPACE:
        return Finding("warn", text, "make room, or set data_dir to another disk")
    return Finding("ok", text)


def _account(account: Account, config: Config, connect: Callable[[Account, Config], Connector]) -> Iterator[Finding]:
    try:
        source = secrets.find(account.secret_name).source
    except secrets.MissingSecret as error:
        yield Finding("fail", error.looked, f"foretag secret set {account.name}")
        return
    yield Finding("ok", f"secret from {source}")
    try:
        connector = connect(account, config)
        for finding in connector.check():
            yield replace(finding, text=redact(finding.text))
        for name in (name for owner, name in rosters.asked(config) if owner == account.name):
            yield _roster(connector, name)
    except (ConnectorError, ForetagError) as error:
        yield Finding("fail", redact(str(error)))


def _told(what: str, secret: str, hosts: Callable[[], Sequence[str]]) -> Finding:
    """Whether alerts have an address; nothing is sent. A run can do without: it is no failure."""
    repair = f"foretag secret set {secret}"
    try:
        return Finding("ok", f"{what} at {', '.join(hosts()) or 'the servers of its service'}")
    except secrets.MissingSecret as error:
        return Finding("warn", f"nobody hears of trouble: {error.looked}", repair)
    except ForetagError as error:
        return Finding("warn", f"nobody hears of trouble: {redact(str(error))}", repair)


def _roster(connector: Connector, name: str) -> Finding:
    try:
        count = len(set(connector.members(name)))
    except ConnectorError as error:
        return Finding("fail", redact(str(error)), "until then it lets nobody into the pilot ([pilot] only)")
    return Finding("ok", f'the pilot may be of "{name}": {counted(count, "contact")}')
