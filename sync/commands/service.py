"""`foretag service`: the daemon as a service of systemd."""

import os

import click

from sync.cli import App, example, pass_app
from sync.service import service_of, systemctl, unit_path
from sync.service import uninstall as remove

_system = click.option(
    "--system/--user",
    "system",
    default=None,
    help="For the whole machine, or for you alone; by default the machine for root, else you.",
)


@click.group()
def service() -> None:
    """Let systemd keep the daemon running."""


@service.command(epilog=example("foretag service install --dry-run", "sudo foretag service install --system"))
@_system
@click.option("--dry-run", is_flag=True, help="Print the unit, and write nothing.")
@pass_app
def install(app: App, system: bool | None, dry_run: bool) -> None:
    """Write a locked-down unit for the daemon, and say what to type next. Starts nothing."""
    system = _for_whom(system)
    made = service_of(app.config, app.config_file, system=system)
    if dry_run:
        click.echo(f"# {unit_path(system=system)}\n{made.unit()}", nl=False)
        return
    click.echo(f"Wrote {made.install()}. Next:")
    for line in made.steps():
        click.echo(f"  {line}")


@service.command(epilog=example("systemctl --user disable --now foretag; foretag service uninstall --user"))
@_system
def uninstall(system: bool | None) -> None:
    """Remove the unit again, once it is switched off. Store, config and secrets stay."""
    system = _for_whom(system)
    click.echo(f"Removed {remove(system=system)}. Next: {systemctl(system=system)} daemon-reload")


def _for_whom(system: bool | None) -> bool:
    return os.geteuid() == 0 if system is None else system
