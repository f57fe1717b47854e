"""The commands that save the store, look at a saved one and put it back."""

from pathlib import Path

import click

from sync.cli import App, example, pass_app
from sync.commands.asking import agree
from sync.counted import counted


@click.group(epilog=example("foretag backup create", "foretag backup check foretag-20261122-071400.sqlite"))
def backup() -> None:
    """Save, check and restore the store: contacts, models, predictions, runs and the outbox in one file.

    The config file and the secrets are not in it. It holds personal data: keep it as safe as the store itself.
    """


@backup.command(epilog=example("foretag backup create", "foretag backup create /mnt/safe/foretag.sqlite"))
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@pass_app
def create(app: App, file: Path | None) -> None:
    """Save the store as FILE, which must not exist yet; by default into the folder backups beside the store.

    Can be done at any time: the copy is of one instant, also while the daemon writes.
    """
    from sync import backup
    from sync.site import open_site

    with open_site(app.config, app.clock, alone=False) as site:
        made = backup.create(site, file)
    click.echo(f"Wrote {made}. To look at it: foretag backup check {made}")


@backup.command(epilog=example("foretag backup check foretag-data/backups/foretag-20261122-071400.sqlite"))
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def check(file: Path) -> None:
    """Check whether FILE is whole and could be restored, and count what is in it. Ends with 1 when it is not."""
    from sync.store.copies import examine

    found = examine(file)
    click.echo(f"{file} is whole, schema {found.schema}")
    for table, count in found.counts.items():
        click.echo(f"{count:>12,} {table}")


@backup.command(epilog=example("foretag backup restore foretag-data/backups/foretag-20261122-071400.sqlite"))
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--yes", is_flag=True, help="Do not ask, for scripts.")
@pass_app
def restore(app: App, file: Path, yes: bool) -> None:
    """Make FILE the store, after checking it. The present store is kept beside it; people it has forgotten stay so.

    Ends with 75 while a run is active. The next run reads from the platforms what has changed since.
    """
    from sync import backup
    from sync.store.copies import examine

    found = examine(file)
    if not yes:
        agree(f"Replace the store by one with {counted(found.counts['contact'], 'contact')}?")
    kept = backup.restore(app.config, app.clock.now(), file)
    if kept:
        click.echo(f"The store from before is kept: {kept}")
    click.echo("Restored. Next: foretag run")
