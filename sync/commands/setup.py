"""Commands that make an installation ready: secret, check, doctor."""

import json
import sys
from collections.abc import Iterable

import click

from sync import secrets
from sync.cli import App, example, pass_app
from sync.config import KINDS, Config
from sync.configfile import ConfigError
from sync.doctor import Examined, examine, named
from sync.errors import ForetagError

_MARKS = {"ok": ("ok  ", "green"), "warn": ("WARN", "yellow"), "fail": ("FAIL", "red")}


@click.command(epilog=example("foretag check", "foretag --config other.toml check --json"))
@click.option("--json", "as_json", is_flag=True, help="Print the problems as JSON.")
@pass_app
def check(app: App, as_json: bool) -> None:
    """Check the config file and show everything that is wrong with it. Contacts nobody."""
    try:
        config = app.config
    except ConfigError as error:
        if not as_json:
            raise
        problems = [{"line": p.line, "key": p.key, "text": p.text} for p in error.problems]
        click.echo(json.dumps({"file": str(app.config_file), "problems": problems}, indent=2))
        raise click.exceptions.Exit(ForetagError.exit_code) from None
    if as_json:
        click.echo(json.dumps({"file": str(app.config_file), "problems": []}, indent=2))
    else:
        accounts = ", ".join(named(account) for account in config.accounts)
        click.echo(f"{app.config_file} is fine: mode {config.mode}, accounts {accounts}. Next: foretag doctor")


@click.command(epilog=example("foretag doctor", "foretag doctor --network"))
@click.option("--network", is_flag=True, help="Only list every host that may be contacted, and why; contacts nobody.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@pass_app
def doctor(app: App, network: bool, as_json: bool) -> None:
    """Check config, secrets, disk and every account, with the repair for each fault. Writes nothing anywhere.

    Ends with 1 when something must be repaired before a run can succeed.
    """
    from sync.accounts import connect

    if network:
        _print_network(app.config, as_json)
        return

    examined = examine(app.config_file, lambda account, config: connect(account, config, app.clock), app.clock.now())
    failed = _print_json(examined) if as_json else _print_lines(examined)
    if failed:
        raise click.exceptions.Exit(ForetagError.exit_code)


def _print_network(config: Config, as_json: bool) -> None:
    from sync.network import outbound

    found = list(outbound(config))
    if as_json:
        click.echo(json.dumps([{"host": each.host, "why": each.why} for each in found], indent=2))
        return
    for each in found:
        click.echo(f"{each.host:<40}  {each.why}")
    click.echo("No other host is contacted; names are looked up by this machine's own resolver.")


def _print_json(examined: Iterable[Examined]) -> bool:
    rows = [{"what": what, "level": found.level, "text": found.text, "fix": found.fix} for what, found in examined]
    click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    return any(row["level"] == "fail" for row in rows)


def _print_lines(examined: Iterable[Examined]) -> bool:
    counts = dict.fromkeys(_MARKS, 0)
    for what, found in examined:
        mark, colour = _MARKS[found.level]
        counts[found.level] += 1
        text = found.text.replace("\n", "\n" + " " * 20)
        click.echo(f"{click.style(mark, fg=colour)}  {what:<12}  {text}")
        if found.fix:
            click.echo(f"{'':20}-> {found.fix}")
    following = "repair what FAILed, then foretag doctor" if counts["fail"] else "foretag plan"
    click.echo(f"{counts['warn']} to look at, {counts['fail']} failed. Next: {following}")
    return bool(counts["fail"])


@click.group()
def secret() -> None:
    """Store tokens, and see where they are found. Values are never shown."""


@secret.command("set", epilog=example("foretag secret set hubspot", "pass show hubspot | foretag secret set hubspot"))
@click.argument("account")
@pass_app
def set_secret(app: App, account: str) -> None:
    """Store the secret of ACCOUNT in this machine's keyring.

    ACCOUNT is an account's name in the config file, a platform, or a full secret name such as alerts.team. The
    value is asked for, or read from standard input; it is never an argument, so that it does not end up in the shell's
    history. Without a keyring the other ways are shown.
    """
    name = _secret_name(app, account)
    value = click.prompt(f"{name} (hidden)", hide_input=True) if sys.stdin.isatty() else sys.stdin.read()
    if not value.strip():
        raise ForetagError("nothing was given, nothing is stored")
    place = secrets.store(name, value.strip())
    click.echo(f"Stored {name} in the {place}. Next: foretag doctor")


@secret.command("list", epilog=example("foretag secret list"))
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@pass_app
def list_secrets(app: App, as_json: bool) -> None:
    """Show for every secret the config needs where it is found. Ends with 1 when one is missing."""
    found = {name: _source(name) for name in app.config.secret_names}
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        for name, source in found.items():
            click.echo(f"{name:<28}  {source or 'MISSING: foretag secret set ' + name}")
    if None in found.values():
        raise click.exceptions.Exit(ForetagError.exit_code)


def _source(name: str) -> str | None:
    try:
        return secrets.find(name).source
    except secrets.MissingSecret:
        return None


def _secret_name(app: App, account: str) -> str:
    if "." in account:
        return account
    if account.partition("-")[0] in KINDS:
        return f"{account}.token"
    for known in app.config.accounts:
        if known.name == account:
            return known.secret_name
    names = ", ".join(known.name for known in app.config.accounts)
    raise ForetagError(f"there is no account {account} in {app.config_file}; it has {names}")
