"""The command that takes back what a run wrote."""

import click

from sync.cli import App, example, pass_app
from sync.commands.asking import agree
from sync.counted import counted
from sync.errors import ForetagError

CHANGES_PENDING = 2


@click.command(epilog=example("foretag undo --run 12 --dry-run", "foretag undo --run 12"))
@click.option("--run", "number", type=int, required=True, metavar="N", help="The run, by its number: foretag status.")
@click.option("--dry-run", is_flag=True, help="Show what would be put back, and write nothing.")
@click.option("--yes", is_flag=True, help="Do not ask, for scripts.")
@pass_app
def undo(app: App, number: int, dry_run: bool, yes: bool) -> None:
    """Put back what our fields held before run N, wherever they still hold what that run wrote.

    What a later run or a human has changed since stays as it is. The next run would write again, unless the mode is
    shadow. With --dry-run it ends with 2 when there is something to put back.
    """
    from sync.cycle import carry_out
    from sync.progress import watching
    from sync.pull import pull_contacts
    from sync.show import applied_lines, example_lines, plan_lines
    from sync.site import open_site
    from sync.undo import undo_plan, written_plan

    with open_site(app.config, app.clock) as site:
        written_plan(site.db, number)  # says at once when there is nothing to undo
        with watching() as watcher:
            watcher.begin("pull")
            pull_contacts(site, app.clock.now(), watcher.page)
        plan = undo_plan(site, number)
        for line in (*plan_lines(plan), *example_lines(plan)):
            click.echo(line)
        if not plan.size:
            click.echo(f"Nothing of run {number} is left to undo.")
            return
        if dry_run:
            raise click.exceptions.Exit(CHANGES_PENDING)
        if not yes:
            agree(f"Put back {counted(plan.size, 'contact')} as they were before run {number}?")
        outcome = carry_out(site, plan, (), undoes=number)
    for line in applied_lines(outcome.applied):
        click.echo(line)
    click.echo(f"Run {outcome.number}: {outcome.verdict}, it undid run {number}.")
    if app.config.boldest_mode != "shadow":
        click.echo('The next run will write again. To keep it from that: mode = "shadow", and restart the daemon.')
    if outcome.verdict != "ok":
        raise ForetagError(f"not everything was put back; foretag undo --run {number} again goes on where it stopped")
