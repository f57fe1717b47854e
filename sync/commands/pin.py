"""The commands by which a human says that a score is wrong."""

import json
from datetime import timedelta

import click

from sync.cli import App, example, pass_app


@click.group(epilog=example('foretag pin add anna@shop.example --segment "At risk"', "foretag pin list"))
def pin() -> None:
    """Correct a score you know to be wrong: set a person's segment by hand for a while."""


@pin.command(epilog=example('foretag pin add anna@shop.example --segment "At risk" --days 60'))
@click.argument("email", metavar="E-MAIL")
@click.option("--segment", required=True, help="The segment they belong in.")
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True, help="How long this holds.")
@pass_app
def add(app: App, email: str, segment: str, days: int) -> None:
    """Set the segment of the person with this address, from the next scoring on."""
    from sync import pins
    from sync.site import open_site
    from sync.store.database import transaction

    with open_site(app.config, app.clock) as site, transaction(site.db):
        found = pins.pin(site, email, segment, timedelta(days=days))
    click.echo(f"{found['segment']} until {found['until']}, from the next scoring on: foretag run")


@pin.command(epilog=example("foretag pin remove anna@shop.example"))
@click.argument("email", metavar="E-MAIL")
@pass_app
def remove(app: App, email: str) -> None:
    """Let the scores decide again for the person with this address."""
    from sync import pins
    from sync.site import open_site
    from sync.store.database import transaction

    with open_site(app.config, app.clock) as site, transaction(site.db):
        pins.unpin(site, email)
    click.echo("The scores decide again, from the next scoring on: foretag run")


@pin.command("list", epilog=example("foretag pin list --json"))
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@pass_app
def list_pins(app: App, as_json: bool) -> None:
    """List what was set by hand, without addresses."""
    from sync import pins
    from sync.site import open_site

    with open_site(app.config, app.clock, alone=False) as site:
        found = pins.pins(site)
    click.echo(json.dumps(found, indent=2) if as_json else "\n".join(pins.pin_lines(found)))
