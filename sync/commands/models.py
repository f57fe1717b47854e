"""The commands about models: which there are, how they compare, going back to an earlier one, and the model card."""

import json

import click

from sync.cli import App, example, pass_app


@click.group(epilog=example("foretag models list", "foretag models compare", "foretag models card repeat_purchase"))
def models() -> None:
    """See which models there are, compare them, go back to an earlier one, print a model card."""


@models.command("list", epilog=example("foretag models list", "foretag models list --json"))
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@pass_app
def list_models(app: App, as_json: bool) -> None:
    """List every model that is kept: in use, in use before, or a challenger."""
    from sync.cards import list_lines, listed
    from sync.site import open_site

    with open_site(app.config, app.clock, alone=False) as site:
        found = listed(site)
    click.echo(json.dumps(found, indent=2) if as_json else "\n".join(list_lines(found)))


@models.command(epilog=example("foretag models compare"))
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@pass_app
def compare(app: App, as_json: bool) -> None:
    """Compare the model in use with the newest challenger, and with what came true.

    A challenger comes into use by itself when it was surely better on at least two windows that neither had learned
    from, or no worse and simpler or better calibrated.
    """
    from sync.cards import compare_lines, listed
    from sync.site import open_site

    with open_site(app.config, app.clock, alone=False) as site:
        found = listed(site)
        click.echo(json.dumps(found, indent=2) if as_json else "\n".join(compare_lines(site, found)))


@models.command(epilog=example("foretag models rollback churn", "foretag models rollback value --to 12"))
@click.argument("objective")
@click.option("--to", type=int, metavar="N", help="The number of the model; by default the one in use before.")
@pass_app
def rollback(app: App, objective: str, to: int | None) -> None:
    """Take an earlier model (or a challenger) into use, from the next scoring on.

    Buying again and leaving are one model read both ways: they go back together.
    """
    from sync.cards import roll_back
    from sync.site import open_site
    from sync.store.database import transaction

    with open_site(app.config, app.clock) as site, transaction(site.db):
        for each in roll_back(site, objective, to):
            click.echo(f"{each.objective}: model {each.model_id} is in use from now on")
    click.echo("Next: foretag score")


@models.command(epilog=example("foretag models card repeat_purchase", "foretag models card 12 --json"))
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON instead of Markdown.")
@pass_app
def card(app: App, name: str, as_json: bool) -> None:
    """Print the model card of an objective's model in use, or of a model by its number."""
    from scoring.card import markdown
    from sync.cards import full_card
    from sync.site import open_site

    with open_site(app.config, app.clock, alone=False) as site:
        found = full_card(site, name)
    click.echo(json.dumps(found, indent=2) if as_json else markdown(found), nl=as_json)
