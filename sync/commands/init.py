"""The command that writes a first config: a few questions, or none at all with options."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from sync import secrets
from sync.cli import App, example, pass_app
from sync.config import KINDS, PRESETS
from sync.config_accounts import Account
from sync.config_text import Answers, config_text
from sync.configfile import parse
from sync.errors import ForetagError
from sync.files import write_whole

_MODES = ("shadow", "pilot", "full")


@click.command(epilog=example("foretag init", "foretag init --platform hubspot --timezone Europe/Berlin --no-ask"))
@click.option("--platform", "platforms", multiple=True, type=click.Choice(KINDS), help="Platform to use; repeatable.")
@click.option("--size", type=click.Choice(list(PRESETS)), help="Below 2,000, 20,000 or 200,000 contacts.")
@click.option("--timezone", help="Time zone such as Europe/Berlin; this machine's by default.")
@click.option("--currency", help="Three letters; USD by default.")
@click.option("--mode", type=click.Choice(_MODES), help="What to begin with; shadow (write nothing) by default.")
@click.option("--hours", help="When writing is allowed; 08:00-18:00 by default.")
@click.option("--instance-url", help="Salesforce only: the org's own address.")
@click.option("--ask/--no-ask", default=None, help="Ask for what is not given; by default only on a terminal.")
@pass_app
def init(
    app: App,
    platforms: Sequence[str],
    size: str | None,
    timezone: str | None,
    currency: str | None,
    mode: str | None,
    hours: str | None,
    instance_url: str | None,
    ask: bool | None,
) -> None:
    """Write a short config file. An existing one is never touched."""
    path = app.config_path or Path("config.toml")
    if path.exists():
        raise ForetagError(f"{path} exists and is left as it is. Choose another place: foretag --config PATH init")
    asking = sys.stdin.isatty() if ask is None else ask

    def answer(given: str | None, question: str, default: str | None, choices: Sequence[str] = ()) -> str:
        if given is not None or not asking:
            return given or default or ""
        kind = click.Choice(choices) if choices else None
        return str(click.prompt(question, default=default, type=kind))

    platforms = platforms or _platforms(answer(None, "Platforms (several with commas)", "hubspot"))
    if "salesforce" in platforms:
        instance_url = answer(instance_url, "Address of the Salesforce org (https://….my.salesforce.com)", None)
    answers = Answers(
        platforms=platforms,
        preset=answer(size, "Size: solo (< 2,000 contacts), small (< 20,000), mid (< 200,000)", "small", list(PRESETS)),
        timezone=answer(timezone, "Time zone", _machine_zone()),
        currency=answer(currency, "Currency", "USD"),
        mode=answer(mode, "Begin with (shadow writes nothing)", "shadow", _MODES),
        hours=answer(hours, "Write between", "08:00-18:00"),
        account_settings={"salesforce": {"instance_url": instance_url or ""}},
    )
    text = config_text(answers)
    accounts = parse(text, path).accounts
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text)
    click.echo(f"Wrote {path}.")
    for account in accounts:
        _take_secret(account, asking)
    click.echo("Next: foretag doctor")


def _platforms(text: str) -> list[str]:
    platforms = [part.strip().lower() for part in text.split(",")]
    if unknown := [platform for platform in platforms if platform not in KINDS]:
        raise ForetagError(f"there is no platform {unknown[0]}; choose from {', '.join(KINDS)}")
    return platforms


def _take_secret(account: Account, asking: bool) -> None:
    later = f"Next: foretag secret set {account.name}"
    if not asking:
        click.echo(later)
        return
    value = click.prompt(f"Secret for {account.name} (hidden; Enter for later)", hide_input=True, default="")
    if not value:
        click.echo(later)
        return
    try:
        click.echo(f"Stored in the {secrets.store(account.secret_name, value.strip())}.")
    except secrets.NotStored as error:
        click.echo(str(error))


def _machine_zone() -> str:
    """The zone `/etc/localtime` links to, or UTC."""
    target = str(Path("/etc/localtime").resolve())
    return target.partition("/zoneinfo/")[2] or "UTC"
