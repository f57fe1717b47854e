"""The command that serves the local platforms, for trying foretag without any account."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import click

from sync.cli import App, example, parse_instant, pass_app
from sync.secrets import variable


@click.command(epilog=example("foretag sandbox --date 2017-10-01", "foretag sandbox --small --port 8025"))
@click.option(
    "--date", callback=parse_instant, default="2017-10-01", show_default=True, metavar="ISO", help="Its present day."
)
@click.option("--port", default=8025, show_default=True, help="Port on 127.0.0.1; 0 takes a free one.")
@click.option("--seed", default=7, show_default=True, help="Start of everything made up: names, addresses, platforms.")
@click.option("--small", is_flag=True, help="Forty made-up people instead of the data set of 2,469 households.")
@pass_app
def sandbox(app: App, date: datetime, port: int, seed: int, small: bool) -> None:
    """Serve a local HubSpot, Mailchimp and Salesforce full of a year of shoppers, until Ctrl-C.

    Prints the addresses, the tokens and a config file that uses them. Move its date with
    POST /_sandbox/clock {"date": "2017-11-01"}; look at it in a browser.
    """
    from sandbox import world
    from sandbox.server import Sandbox

    people = world.small(seed=seed) if small else world.load(seed)
    with Sandbox(people, date, port=port) as served:
        tokens = {str(name): platform.token for name, platform in served.platforms.items()}
        click.echo(_introduction(served.url, tokens, date))
        click.echo("Serving until Ctrl-C.", err=True)
        with suppress(KeyboardInterrupt):
            app.clock.stop.wait()


def _introduction(url: str, tokens: Mapping[str, str], date: datetime) -> str:
    exports = "\n".join(f"export {variable(f'{name}.token')}='{token}'" for name, token in tokens.items())
    return f"""\
Sandbox at {url} (open it in a browser), its date is {date:%Y-%m-%d}.

config.toml:
{sandbox_config(url)}
Tokens (made up; they open only this sandbox):
{exports}

Then: foretag --now {date:%Y-%m-%d} doctor
"""


def sandbox_config(url: str, data_dir: Path = Path("foretag-sandbox")) -> str:
    """A config file for all three platforms of the sandbox at `url`."""
    return f"""\
timezone = "UTC"
data_dir = "{data_dir}"

[[hubspot]]
base_url = "{url}/hubspot"

[[mailchimp]]
base_url = "{url}/mailchimp/3.0"

[[salesforce]]
instance_url = "{url}/salesforce"
"""
