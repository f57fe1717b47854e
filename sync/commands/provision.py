"""The command that makes our fields, or prints what an administrator has to make."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sync.cli import App, example, pass_app
from sync.errors import ForetagError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sync.config_accounts import Account


@click.command(
    epilog=example("foretag provision", "foretag provision salesforce --print package/", "foretag provision --print -")
)
@click.argument("account", default="")
@click.option("--print", "folder", metavar="DIR|-", help="Make nothing; write what an administrator needs to DIR.")
@pass_app
def provision(app: App, account: str, folder: str | None) -> None:
    """Make the fields and tags foretag writes to, on ACCOUNT or on every account. No value is written.

    HubSpot and Mailchimp get theirs by the first run that writes as well; on Salesforce that takes the right to
    customise the org, so that only this command does it. It takes the secret ACCOUNT.provision where there is one: the
    usual one then needs no such right. Does nothing where all is in place. With --print the files for an administrator
    are written, one folder per account.
    """
    chosen = _chosen(app, account)
    if folder is not None:
        _print(app, chosen, folder)
        return
    from sync.provision import provision as make
    from sync.show import provisioned_lines
    from sync.site import open_site

    with open_site(app.config, app.clock) as site:
        results = []
        for made in make(site, [each.name for each in chosen]):
            results.append(made)
            for thing in made.created:
                click.echo(f"{made.account:<12} {thing}")
            for line in provisioned_lines([made]):
                click.echo(line)
    if any(each.problem for each in results):
        raise ForetagError("not all fields are in place; foretag provision again goes on where it stopped")


def _chosen(app: App, account: str) -> "Sequence[Account]":
    known = app.config.accounts
    chosen = [each for each in known if account in ("", each.name)]
    if not chosen:
        names = ", ".join(each.name for each in known)
        raise ForetagError(f"there is no account {account} in {app.config_file}; it has {names}")
    return chosen


def _print(app: App, chosen: "Sequence[Account]", folder: str) -> None:
    from sync.accounts import connect
    from sync.fields import field_specs
    from sync.files import write_whole

    for account in chosen:
        files = connect(account, app.config, app.clock).package(field_specs(app.config))
        for name, text in files.items():
            if folder == "-":
                click.echo(f"==> {account.name}/{name} <==\n{text}")
                continue
            path = Path(folder, account.name, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, text)
            click.echo(f"Wrote {path}")
