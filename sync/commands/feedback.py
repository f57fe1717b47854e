"""The command that says what came of earlier predictions."""

import json

import click

from sync.cli import App, example, pass_app


@click.command(epilog=example("foretag feedback", "foretag feedback --json"))
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@pass_app
def feedback(app: App, as_json: bool) -> None:
    """Show whether predictions came true, whether acting on them helped, what looks wrong, and who moves.

    A prediction is compared when its horizon has passed, never before. The effect comes from the control group, over
    all runs that were written; without enough of them it says so.
    """
    from sync.outlook import outlook, outlook_lines
    from sync.site import open_site

    with open_site(app.config, app.clock, alone=False) as site:
        found = outlook(site)
        click.echo(json.dumps(found, indent=2) if as_json else "\n".join(outlook_lines(site, found)))
