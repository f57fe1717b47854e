"""The command that shows everything on real shoppers, without any account."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import click

from sync.cli import example, parse_instant
from sync.counted import counted
from sync.files import write_whole

if TYPE_CHECKING:
    from sandbox.server import Sandbox
    from sync.config import Config
    from sync.site import Site

MONTH = timedelta(days=30)


@click.command(epilog=example("foretag demo", "foretag demo --months 3", "foretag demo --out /tmp/look"))
@click.option(
    "--months", default=0, show_default=True, help="Move the date on this often by 30 days, and see what came true."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default="foretag-demo",
    show_default=True,
    help="Folder for everything the demo makes; made anew each time.",
)
@click.option(
    "--date", callback=parse_instant, default="2017-09-30", show_default=True, metavar="ISO", help="The first day."
)
@click.option("--small", is_flag=True, help="Four hundred made-up people instead of the real data set.")
def demo(months: int, out: Path, date: datetime, small: bool) -> None:
    """Run the whole loop on real shoppers against local platforms. Nothing leaves this machine.

    The shoppers, their baskets, mailings and coupons are real (CompleteJourney, one year of a grocer's customers);
    names, addresses and the platform each is on are made up.
    """
    began = perf_counter()
    _check_folder(out)
    with _sandbox(date, small) as sandbox:
        config = _config(sandbox, out)
        click.echo(_greeting(sandbox, date, small))
        _run(config, date)
        for _ in range(months):
            date += MONTH
            sandbox.advance(date)
            click.echo(f"\n--- {date:%d %B %Y}: a month has passed on the platforms ---")
            _run(config, date, accept_large_change=True)
        buyer = _some_buyer(config, date)
    click.echo(f"\nDone in {perf_counter() - began:.0f} s. Try:")
    click.echo(f"  open {out / 'report.html'}")
    click.echo(f"  foretag --config {out / 'config.toml'} explain {buyer}")
    click.echo("  foretag demo --months 3     (watch what was predicted come true, and people move)")
    click.echo("  foretag init                (your own accounts; writes nothing until you say so)")


@contextmanager
def _sandbox(date: datetime, small: bool) -> Iterator["Sandbox"]:
    from sandbox import world
    from sandbox.server import Sandbox
    from sync.secrets import variable

    with Sandbox(world.small(people=400) if small else world.load(), date) as sandbox:
        for name, platform in sandbox.platforms.items():
            os.environ[variable(f"{name}.token")] = platform.token
        yield sandbox


def _check_folder(out: Path) -> None:
    """The folder is emptied: it must be the demo's own. UsageError for one that somebody else has put something in."""
    config = out / "config.toml"
    ours = config.is_file() and config.read_text(encoding="utf-8", errors="replace").startswith(BEGINNING)
    if out.exists() and not ours and any(out.iterdir()):
        raise click.UsageError(f"{out} is not empty and was not made by the demo: choose another folder with --out")


def _config(sandbox: "Sandbox", out: Path) -> "Config":
    from sync.commands.sandbox import sandbox_config
    from sync.configfile import load

    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    path = out / "config.toml"
    write_whole(path, f"{BEGINNING}{sandbox_config(sandbox.url, Path('data'))}{END}")
    return load(path)


BEGINNING = """\
# Written by foretag demo; the platforms it names are gone. For your own file: foretag init
mode = "full"
"""
END = """
[write]
hours = ""
"""


def _greeting(sandbox: "Sandbox", date: datetime, small: bool) -> str:
    who = (
        "Made-up shoppers" if small else "Real shoppers of a grocer (CompleteJourney); names and addresses are made up"
    )
    return (
        f"Local HubSpot, Mailchimp and Salesforce at {sandbox.url}, their date is {date:%d %B %Y}.\n"
        f"{who}. Nothing leaves this machine.\n"
    )


def _run(config: "Config", date: datetime, *, accept_large_change: bool = False) -> None:
    """One run of the main path, told stage by stage with what was really measured."""
    from sync import cycle
    from sync.clock import FixedClock
    from sync.plan import make_plan
    from sync.progress import Timed, watching
    from sync.provision import provision
    from sync.reporting import write_report
    from sync.show import applied_lines, example_lines, plan_lines, provisioned_lines, pulled_lines, scored_lines
    from sync.site import open_site

    with open_site(config, FixedClock(date)) as site:
        made = list(provision(site, [account.name for account in config.accounts]))
    _section(1, "made our fields", None, provisioned_lines(made))
    with open_site(config, FixedClock(date)) as site:
        with watching() as watcher:
            timed = Timed(watcher)
            outcome = cycle.run(site, timed, accept_large_change=accept_large_change)
        seconds = timed.seconds()
        assert outcome.scored
        assert outcome.plan
        _section(2, "read", seconds["pull"], pulled_lines(outcome.pulled, outcome.read_calls))
        _section(3, "learned and scored", seconds["score"], scored_lines(outcome.scored))
        _section(4, "planned", seconds["plan"], plan_lines(outcome.plan))
        _section(0, "some of the changes, before → after", None, example_lines(outcome.plan, 3))
        _section(5, "written", seconds.get("apply", 0.0), applied_lines(outcome.applied))
        again = make_plan(site.db, site.config, site.connectors, date)
        click.echo(f"      Planned once more: {counted(again.size, 'contact')} left to change.")
        page = write_report(site, date, config.data_dir.parent / "report.html")
        _section(6, f"reported: {page}", None, _came_true(site))


def _section(number: int, title: str, seconds: float | None, lines: Iterable[str]) -> None:
    mark = f"[{number}/6]" if number else "     "
    click.echo(f"{mark} {title}" + ("" if seconds is None else f" in {seconds:.1f} s"))
    for line in lines:
        click.echo(f"      {line}")


def _came_true(site: "Site") -> Iterator[str]:
    """What was predicted at the earlier dates beside what really happened, and who moved since."""
    from sync.learned import realised_months
    from sync.reporting import report_data

    for each in realised_months(site):
        auc = f", AUC {each.auc.value:.3f} ({each.auc.low:.3f} to {each.auc.high:.3f})" if each.auc else ""
        yield (
            f"{each.objective} of {each.month}: predicted {each.predicted:.1%}, came true for "
            f"{each.realised / each.n:.1%} of {counted(each.n, 'person')}{auc}"
        )
    migration = report_data(site, site.clock.now()).migration
    flows = sorted(migration.flows if migration else (), key=lambda flow: -flow.people)
    for flow in [flow for flow in flows if flow.origin and flow.target and flow.origin != flow.target][:5]:
        yield f"{counted(flow.people, 'person')} moved from {flow.origin} to {flow.target}"


def _some_buyer(config: "Config", date: datetime) -> str:
    """The address of somebody who was scored with reasons, to try `explain` on."""
    from sync.clock import FixedClock
    from sync.site import open_site

    with open_site(config, FixedClock(date), alone=False) as site:
        row = site.db.execute(
            """SELECT c.email FROM contact c JOIN standing s USING (person_id)
            WHERE s.segment = 'At risk' AND c.email IS NOT NULL AND s.reasons != '{}' ORDER BY c.person_id LIMIT 1"""
        ).fetchone()
    return str(row["email"]) if row else "ADDRESS"
