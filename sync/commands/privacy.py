"""The commands for the people who are predicted for: what is known of them, forgetting them, informing them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sync.cli import App, example, pass_app
from sync.commands.asking import agree
from sync.counted import counted
from sync.errors import ForetagError
from sync.files import OWNER_ONLY, write_whole

if TYPE_CHECKING:
    from sync.site import Site


@click.group(epilog=example("foretag privacy export anna@shop.example", "foretag privacy notice"))
def privacy() -> None:
    """Answer a person, forget a person, and get texts that inform. No legal advice."""


@privacy.command(epilog=example("foretag privacy export anna@shop.example --out anna.json"))
@click.argument("email", metavar="E-MAIL")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it to this file.")
@pass_app
def export(app: App, email: str, out: Path | None) -> None:
    """Print everything stored about the person with this address, as JSON.

    Contacts with consent and our fields, activities, scores over time with their reasons, predictions with what came
    true, and what was written. Amounts of activities are in cents.
    """
    from sync import privacy
    from sync.site import open_site

    with open_site(app.config, app.clock, alone=False) as site:
        text = json.dumps(privacy.export(site, email), indent=2, ensure_ascii=False)
    if out is None:
        click.echo(text)
        return
    write_whole(out, text + "\n", OWNER_ONLY)
    click.echo(f"Wrote {out}")


@privacy.command(epilog=example("foretag privacy forget anna@shop.example"))
@click.argument("email", metavar="E-MAIL")
@click.option("--store-only", is_flag=True, help="Leave the platforms alone, where they cannot be reached any more.")
@click.option("--yes", is_flag=True, help="Do not ask, for scripts.")
@pass_app
def forget(app: App, email: str, store_only: bool, yes: bool) -> None:
    """Empty our fields on the contacts of the person with this address, and delete everything about them here.

    A salted hash of their addresses and contacts is kept, so that a later pull does not take them in again. The
    contacts themselves stay on the platforms. Copies of the store made earlier still hold the person.
    """
    from sync import privacy
    from sync.progress import watching
    from sync.pull import pull_contacts
    from sync.site import open_site

    with open_site(app.config, app.clock) as site:
        privacy.known_person(site.db, email)  # says at once when there is nobody to forget
        if not store_only:
            with watching() as watcher:
                watcher.begin("pull")
                pull_contacts(site, app.clock.now(), watcher.page)
        person = privacy.known_person(site.db, email)
        _show(privacy.export(site, email))
        if not yes:
            agree("Forget this person? It cannot be undone.")
        if not store_only:
            _empty(site, person)
        plans = privacy.forget(site, person)
        copies = _copies(site.store)
    click.echo(f"Forgotten. Saved plans that named the person, deleted too: {len(plans)}")
    if store_only:
        click.echo("What foretag wrote to the platforms is still there: foretag cleanup removes it, for everyone.")
    for copy in copies:
        click.echo(f"Still holds the person, delete it when you can: {copy}")
    click.echo("So do copies elsewhere, and the report until the next run. A restored copy forgets the person again.")


def _show(found: dict[str, Any]) -> None:
    for each in found["contacts"]:
        click.echo(f"{each['account']} {each['object']} {each['id']}")
    parts = {"activities": "activity", "scores": "score", "predictions": "prediction"}
    counts = (counted(len(found[part]), thing) for part, thing in parts.items())
    click.echo(", ".join(counts))


def _empty(site: "Site", person: int) -> None:
    """Empty our fields on the person's contacts; ForetagError when that did not work everywhere."""
    from sync.cycle import carry_out
    from sync.privacy import emptying_plan
    from sync.show import applied_lines

    plan = emptying_plan(site, person)
    for account, reasons in plan.skipped.items():
        for reason, count in reasons.items():
            click.echo(f"{account:<12} what foretag wrote stays on {counted(count, 'contact')}: {reason}")
    if not plan.size:
        return
    outcome = carry_out(site, plan, ())
    for line in applied_lines(outcome.applied):
        click.echo(line)
    if outcome.verdict != "ok":
        raise ForetagError(
            "our fields could not be emptied everywhere, so nothing is forgotten yet: do the same again, or add "
            "--store-only"
        )


def _copies(store: Path) -> list[Path]:
    """The copies of the store that foretag has made by itself, or in its usual place."""
    return sorted([*store.parent.glob(f"{store.name}.before-*"), *(store.parent / "backups").glob("*.sqlite")])


@privacy.command(epilog=example("foretag privacy notice > notice.txt"))
@pass_app
def notice(app: App) -> None:
    """Print a passage for your privacy notice, filled in from the config. A starting point, no legal advice."""
    from sync.privacy_texts import notice_text

    click.echo(notice_text(app.config))


@privacy.command(epilog=example("foretag privacy dpia > dpia.txt"))
@pass_app
def dpia(app: App) -> None:
    """Print the start of a data protection impact assessment, filled in from the config. No legal advice."""
    from sync.privacy_texts import dpia_text

    click.echo(dpia_text(app.config))
