"""The commands that look into the book of runs."""

import json

import click

from sync.cli import App, example, pass_app


@click.group(epilog=example("foretag runs list", "foretag runs show 12 --failed"))
def runs() -> None:
    """Look up earlier runs: what each read, planned, wrote and could not write. Works while a run is active."""


@runs.command("list", epilog=example("foretag runs list", "foretag runs list --count 100 --json"))
@click.option("--count", type=click.IntRange(min=1), default=20, show_default=True, help="How many, newest first.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@pass_app
def list_runs(app: App, count: int, as_json: bool) -> None:
    """List the last runs."""
    from sync.runbook import list_lines, listed
    from sync.site import open_site

    with open_site(app.config, app.clock, alone=False) as site:
        found = listed(site, count)
    click.echo(json.dumps(found, indent=2) if as_json else "\n".join(list_lines(found)))


@runs.command("show", epilog=example("foretag runs show 12", "foretag runs show 12 --failed --json"))
@click.argument("number", type=int, metavar="N")
@click.option("--failed", "only_failed", is_flag=True, help="List the contacts that were not written, by their ids.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@pass_app
def show(app: App, number: int, only_failed: bool, as_json: bool) -> None:
    """Show run N: what it read, planned and wrote, and what went wrong.

    With --failed the contacts that it was to write and did not, with account, object, id, reason and attempts, as the
    outbox has them now. Addresses are left out.
    """
    from sync import runbook
    from sync.site import open_site

    with open_site(app.config, app.clock, alone=False) as site:
        if only_failed:
            contacts = runbook.failed(site, number)
            click.echo(json.dumps(contacts, indent=2) if as_json else "\n".join(runbook.failed_lines(contacts)))
        else:
            run = runbook.one(site, number)
            click.echo(json.dumps(run, indent=2) if as_json else "\n".join(runbook.run_lines(run)))
