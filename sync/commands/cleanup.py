"""The command that takes everything of ours off the platforms."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from sync.cli import App, example, pass_app
from sync.commands.asking import agree
from sync.counted import counted
from sync.errors import ForetagError

if TYPE_CHECKING:
    from sync.cleanup import Removed

CHANGES_PENDING = 2


@click.command(epilog=example("foretag cleanup --dry-run", "foretag cleanup"))
@click.option("--dry-run", is_flag=True, help="Show what would go, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask, for scripts.")
@pass_app
def cleanup(app: App, dry_run: bool, yes: bool) -> None:
    """Empty all values foretag has written, then remove its fields, tags and permission set from every account.

    Nothing else is touched, and no contact is ever deleted. The store stays: the next run would make everything anew,
    unless the mode is shadow. With --dry-run it ends with 2 when there is something to remove.
    """
    from sync.cleanup import clean, emptying_plan, removable
    from sync.progress import watching
    from sync.pull import pull_contacts
    from sync.show import applied_lines, plan_lines
    from sync.site import open_site

    with open_site(app.config, app.clock) as site:
        with watching() as watcher:
            watcher.begin("pull")
            pull_contacts(site, app.clock.now(), watcher.page)
        plan, found = emptying_plan(site), removable(site)
        for line in (*plan_lines(plan), *_removed_lines(found, "would remove")):
            click.echo(line)
        if not any(each.things for each in found):
            _demand_all(found)
            click.echo("Nothing of foretag is on the platforms.")
            return
        if dry_run:
            raise click.exceptions.Exit(CHANGES_PENDING)
        if not yes:
            count = sum(len(each.things) for each in found)
            agree(f"Empty our values on {counted(plan.size, 'contact')} and remove {counted(count, 'thing')}?")
        cleaned = clean(site, plan)
    for line in (*applied_lines(cleaned.emptied), *_removed_lines(cleaned.removed, "removed")):
        click.echo(line)
    _demand_all(cleaned.removed)
    click.echo(f"Run {cleaned.number}: nothing of foretag is left on the platforms.")
    if app.config.boldest_mode != "shadow":
        click.echo('The next run will make it all anew. To keep it from that: stop the daemon, or mode = "shadow".')


def _removed_lines(found: Iterable["Removed"], what: str) -> Iterator[str]:
    for each in found:
        for thing in each.things:
            yield f"{each.account:<12} {what} {thing}"
        if each.problem:
            yield f"{each.account:<12} STOPPED: {each.problem}"


def _demand_all(found: Iterable["Removed"]) -> None:
    if any(each.problem for each in found):
        raise ForetagError("not everything is removed; foretag cleanup again goes on where it stopped")
