"""The commands that do the work: each stage alone, all of them, and looking at what came of it."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from sync.cli import App, example, pass_app
from sync.commands.accounts import account_option, chosen, left_out
from sync.commands.asking import agree
from sync.counted import counted
from sync.errors import ForetagError, Refused

CHANGES_PENDING = 2


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


@click.command(epilog=example("foretag pull"))
@account_option("Read")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
@pass_app
def pull(app: App, names: tuple[str, ...], as_json: bool) -> None:
    """Read what is new from every account into the store. Writes nothing on the platforms."""
    from sync.progress import watching
    from sync.pull import pull as pull_stage
    from sync.show import pulled_lines
    from sync.site import open_site

    accounts = chosen(app.config, names)
    with open_site(app.config, app.clock) as site:
        with watching(quiet=as_json) as watcher:
            watcher.begin("pull")
            pulled = pull_stage(site, app.clock.now(), watcher.page, accounts=accounts)
        calls = site.calls()
    if as_json:
        click.echo(json.dumps([vars(each) for each in pulled], indent=2))
    else:
        _say(pulled_lines(pulled, calls))
    if any(each.problem for each in pulled):
        raise ForetagError("some streams were not read to the end; what came is kept, foretag pull goes on from there")


@click.command(epilog=example("foretag score", "foretag score --train"))
@click.option("--train", is_flag=True, help="Train new models even if the present ones are young.")
@click.option("--json", "as_json", is_flag=True, help="Print models and segment sizes as JSON.")
@pass_app
def score(app: App, train: bool, as_json: bool) -> None:
    """Predict for everyone in the store and put each person in a segment. Contacts nobody."""
    from sync.score import score as score_stage
    from sync.show import scored_lines
    from sync.site import open_site

    with open_site(app.config, app.clock) as site:
        scored = score_stage(site, app.clock.now(), train=train)
    if as_json:
        click.echo(
            json.dumps({"people": scored.people, "segments": scored.segments, "models": scored.cards()}, indent=2)
        )
    else:
        _say(scored_lines(scored))


@click.command(epilog=example("foretag plan", "foretag plan --out plan.json; foretag apply plan.json"))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Save the plan here too.")
@account_option("Plan for")
@click.option("--json", "as_json", is_flag=True, help="Print the whole plan as JSON.")
@pass_app
def plan(app: App, out: Path | None, names: tuple[str, ...], as_json: bool) -> None:
    """Show what would be written, contact by contact, and what it would cost. Writes nothing.

    Ends with 0 when there is nothing to do and with 2 when there are changes.
    """
    from sync import plan as planning
    from sync.files import OWNER_ONLY, write_whole
    from sync.live import live_plan
    from sync.plan_files import save
    from sync.show import detail_lines, example_lines, plan_lines
    from sync.site import open_site
    from sync.window import part

    others = left_out(app.config, names)
    with open_site(app.config, app.clock) as site:
        made = planning.make_plan(site.db, site.config, site.connectors, app.clock.now())
        made = part(live_plan(site, part(made, others)), others)
        path = save(made, site.config.data_dir / "plans")
        told = [*plan_lines(made, site.budgets), *detail_lines(made)]
    if out:
        write_whole(out, made.to_json(), OWNER_ONLY)
    if as_json:
        click.echo(made.to_json())
    else:
        _say(told)
        if made.size:
            click.echo("\nSome of the changes, before → after:")
            _say(example_lines(made))
            click.echo(f"\nSaved: {out or path}   Next: foretag apply {out or path}")
    if made.size:
        raise click.exceptions.Exit(CHANGES_PENDING)


@click.command(epilog=example("foretag apply foretag-data/plans/plan-20261122-0714-1a2b3c.json"))
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@account_option("Write to")
@click.option("--yes", is_flag=True, help="Do not ask, for scripts.")
@pass_app
def apply(app: App, file: Path, names: tuple[str, ...], yes: bool) -> None:
    """Write exactly what the plan in FILE says. Can be repeated: what is already written is not written again.

    Where our fields hold something else by now than the plan found, nothing is written: it is planned anew, and the
    command ends with 2.
    """
    from sync import plan as planning
    from sync.cycle import carry_out
    from sync.fields import field_specs
    from sync.live import live_plan, look
    from sync.plan import Plan
    from sync.plan_files import save
    from sync.show import applied_lines, moved_lines, plan_lines
    from sync.site import open_site
    from sync.store.facts import holds
    from sync.store.scores import newest_standings
    from sync.window import part

    made = Plan.from_json(file.read_bytes())
    shadow = {each.name for each in app.config.accounts if app.config.mode_of(each) == "shadow"}
    if app.config.boldest_mode == "shadow":
        raise Refused('the mode is shadow: nothing is written. Set mode = "pilot" or "full", then foretag plan')
    for account in sorted(shadow & made.changes.keys()):
        click.echo(f"{account:<12} is left out: its mode is shadow")
    made = part(made, shadow | left_out(app.config, names))
    if not made.size:
        click.echo("Nothing to write.")
        return
    with open_site(app.config, app.clock) as site:
        unknown = sorted(set(made.changes) - set(site.connectors))
        scored = newest_standings(site.db)
        if scored and scored[0] > made.as_of:
            raise ForetagError(f"{file}: people were scored again since this plan was made: foretag plan")
        if unknown:
            raise ForetagError(f"{file}: the plan is for {', '.join(unknown)}, which the config does not have")
        if all(holds(site.db, name, each.id, each.after) for name, changes in made.changes.items() for each in changes):
            click.echo("Nothing to write: all of this plan was written already.")
            return
        moved = {account: look(site, account, changes).moved for account, changes in made.changes.items() if changes}
        if any(moved.values()):
            _say(moved_lines(moved))
            anew = live_plan(site, planning.make_plan(site.db, site.config, site.connectors, app.clock.now()))
            path = save(anew, site.config.data_dir / "plans")
            _say(plan_lines(anew, site.budgets))
            click.echo(f"Nothing was written. Planned anew: {path}   Next: foretag apply {path}")
            raise click.exceptions.Exit(CHANGES_PENDING)
        if not yes:
            _say(plan_lines(made, site.budgets))
            shares = (f"{counted(len(each), 'contact')} on {account}" for account, each in made.changes.items() if each)
            agree(f"Update {' and '.join(shares)}?")
        outcome = carry_out(site, made, field_specs(site.config))
    _say(applied_lines(outcome.applied))
    click.echo(f"Run {outcome.number}: {outcome.verdict}. To take it back: foretag undo --run {outcome.number}")
    if outcome.verdict != "ok":
        raise ForetagError("not everything was written; foretag apply again goes on where it stopped")


@click.command(epilog=example("foretag run", "foretag run --account hubspot", "foretag run --json"))
@account_option("Read and write to")
@click.option("--accept-large-change", is_flag=True, help="Write although the guard objects; for a human who looked.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
@pass_app
def run(app: App, names: tuple[str, ...], accept_large_change: bool, as_json: bool) -> None:
    """All steps once: pull, score, plan, guard, apply, report.

    People who are on an account that is left out, or cannot be read, keep the scores they had.
    Ends with 1 when something failed, with 3 when the guard refused to write, with 75 when another run is active.
    """
    from sync import cycle
    from sync.alerts import after_exception, after_run
    from sync.outcome import summary
    from sync.progress import watching
    from sync.reporting import write_report
    from sync.show import budget_lines
    from sync.site import open_site
    from sync.store.runs import last_calls

    accounts = chosen(app.config, names)
    with open_site(app.config, app.clock) as site:
        if not as_json:
            _say(budget_lines(site.budgets, last_calls(site.db)))
        try:
            with watching(quiet=as_json) as watcher:
                outcome = cycle.run(
                    site, watcher, accept_large_change=accept_large_change, accounts=accounts, read=accounts
                )
        except Exception as error:
            after_exception(site, error)
            raise
        report_file = write_report(site, outcome.as_of)
        after_run(site, outcome)
    if as_json:
        found = {
            "run": outcome.number,
            "verdict": outcome.verdict,
            "report": str(report_file),
            **summary(outcome),
        }
        click.echo(json.dumps(found, indent=2))
    else:
        _say(_outcome_lines(outcome))
        click.echo(f"Run {outcome.number}: {outcome.verdict}. Report: {report_file}")
    if outcome.objections:
        raise Refused("\n  ".join(["the guard refused, nothing was written:", *outcome.objections]))
    if outcome.verdict != "ok":
        raise ForetagError(f"run {outcome.number} ended {outcome.verdict}: foretag runs show {outcome.number}")


def _outcome_lines(outcome: Any) -> Iterable[str]:
    from sync.show import applied_lines, plan_lines, pulled_lines, scored_lines
    from sync.unread import waiting_lines

    yield from pulled_lines(outcome.pulled, outcome.read_calls)
    yield from scored_lines(outcome.scored) if outcome.scored else ()
    yield from waiting_lines(outcome.waiting)
    yield from plan_lines(outcome.plan) if outcome.plan else ()
    yield from applied_lines(outcome.applied)
    if outcome.withheld:
        yield f"Nothing written: {outcome.withheld}"
    for account, why in outcome.shut.items():
        yield f"{account:<12} not written: {why}"


@click.command(epilog=example("foretag status", "foretag status --json"))
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@pass_app
def status(app: App, as_json: bool) -> None:
    """Show the last runs, and how fresh the scores are. Works while a run is active."""
    from sync.site import open_site
    from sync.status import as_data, as_lines

    with open_site(app.config, app.clock, alone=False) as site:
        data = as_data(site)
    if as_json:
        click.echo(json.dumps(data, indent=2))
    else:
        _say(as_lines(data))


@click.command(epilog=example("foretag explain anna@shop.example"))
@click.argument("email")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@pass_app
def explain(app: App, email: str, as_json: bool) -> None:
    """Show one person's segment and scores, and what speaks for and against each of them."""
    from sync.explaining import explain_lines, explanation
    from sync.site import open_site

    with open_site(app.config, app.clock, alone=False) as site:
        found = explanation(site, email)
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        _say(explain_lines(found))


@click.command(epilog=example("foretag report", "foretag report --out report.html"))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Where to write the page.")
@pass_app
def report(app: App, out: Path | None) -> None:
    """Write the report page from the last run: one HTML file that needs neither network nor script."""
    from sync.reporting import write_report
    from sync.site import open_site

    with open_site(app.config, app.clock, alone=False) as site:
        click.echo(f"Wrote {write_report(site, app.clock.now(), out)}")


@click.command(epilog=example("foretag daemon"))
@pass_app
def daemon(app: App) -> None:
    """Keep running by the schedule of the config, until SIGTERM. SIGHUP has the config read again."""
    from sync.configfile import load
    from sync.daemon import serve

    serve(app.config, app.clock, lambda: load(app.config_file))
