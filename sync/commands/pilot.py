"""The command that says whether a pilot may grow."""

import click

from sync.cli import App, example, pass_app
from sync.errors import Refused


@click.group(epilog=example("foretag pilot advance"))
def pilot() -> None:
    """Grow a pilot step by step."""


@pilot.command(epilog=example("foretag pilot advance"))
@pass_app
def advance(app: App) -> None:
    """Check whether the pilot is ready for its next share, and say what to set. Changes nothing.

    Ends with 3 when something on the checklist is not so. The choice of people is sticky: whoever is in stays in.
    """
    from sync.pilot import checklist, next_share
    from sync.site import open_site

    if all(app.config.mode_of(account) != "pilot" for account in app.config.accounts):
        raise Refused(f'the mode is {app.config.mode}: there is no pilot to grow. Set mode = "pilot" first')
    with open_site(app.config, app.clock, alone=False) as site:
        points = list(checklist(site))
    for point in points:
        click.echo(f"[{'x' if point.ready else ' '}] {point.text}")
    missing = [point.text for point in points if not point.ready]
    if missing:
        raise Refused(f"the pilot stays at {app.config.pilot.share:.0%}: not so is that {missing[0]}")
    share = next_share(app.config.pilot.share)
    if share is None or share == 1:
        click.echo('Ready for everybody. In the config: mode = "full". Then: foretag plan')
    else:
        click.echo(f"Ready. In the config: [pilot] share = {share:g}. Then: foretag plan")
