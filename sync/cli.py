"""The command `foretag`. Imports only click and the standard library here: `--help` must not wait for anything."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from connectors.errors import ConnectorError
from sync.clock import Clock, FixedClock, SystemClock
from sync.errors import ForetagError
from sync.log import setup
from sync.redact import redact

if TYPE_CHECKING:
    from sync.config import Config

COMMANDS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "First steps": {
        "demo": ("sync.commands.demo:demo", "Run the whole loop on real shoppers, without any account."),
        "init": ("sync.commands.init:init", "Write a short config file."),
        "secret": ("sync.commands.setup:secret", "Store tokens, and see where they are found."),
        "check": ("sync.commands.setup:check", "Check the config file; contacts nobody."),
        "doctor": ("sync.commands.setup:doctor", "Check everything, the accounts too, and say how to fix it."),
    },
    "Step by step": {
        "provision": ("sync.commands.provision:provision", "Make our fields, or print what an admin has to make."),
        "pull": ("sync.commands.run:pull", "Read what is new from every account."),
        "score": ("sync.commands.run:score", "Predict, and put everyone in a segment."),
        "plan": ("sync.commands.run:plan", "Show what would be written."),
        "apply": ("sync.commands.run:apply", "Write what was planned."),
    },
    "Every day": {
        "run": ("sync.commands.run:run", "All steps once: pull, score, plan, apply."),
        "daemon": ("sync.commands.run:daemon", "Keep running by the schedule."),
        "status": ("sync.commands.run:status", "Show the last runs, and how fresh the scores are."),
        "explain": ("sync.commands.run:explain", "Show one person's scores and the reasons."),
        "report": ("sync.commands.run:report", "Write the report page."),
        "feedback": ("sync.commands.feedback:feedback", "Show what came true, what helped, what looks wrong."),
        "pin": ("sync.commands.pin:pin", "Set a person's segment by hand: the score is wrong."),
        "models": ("sync.commands.models:models", "Compare models, go back to one, print a model card."),
        "pilot": ("sync.commands.pilot:pilot", "Check whether a pilot may grow."),
        "service": ("sync.commands.service:service", "Let systemd keep the daemon running."),
        "runs": ("sync.commands.runs:runs", "Look up earlier runs, and what they could not write."),
    },
    "Safekeeping": {
        "backup": ("sync.commands.backup:backup", "Save, check and restore the store."),
        "privacy": ("sync.commands.privacy:privacy", "Answer, forget and inform the people you predict for."),
    },
    "Getting out": {
        "undo": ("sync.commands.undo:undo", "Put back what a run has overwritten."),
        "cleanup": ("sync.commands.cleanup:cleanup", "Remove everything of foretag from the platforms."),
    },
    "For trying": {
        "sandbox": ("sync.commands.sandbox:sandbox", "Serve a local HubSpot, Mailchimp and Salesforce."),
    },
}
"""Every command by group: where it is, and its line in `foretag --help`."""

_PLACES = {name: place for group in COMMANDS.values() for name, (place, _) in group.items()}
_log = logging.getLogger(__name__)


class WrongUsage(click.UsageError):
    """A wrong command line. Ends with 1: click's own 2 means that changes are pending."""

    exit_code = ForetagError.exit_code


class LazyGroup(click.Group):
    """Imports a command when it is called, and turns every error into one message and the right exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Names in the order of the help."""
        return list(_PLACES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command, imported now; None when there is none of this name."""
        if cmd_name not in _PLACES:
            return None
        module, _, function = _PLACES[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), function)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, but with suggestions although no command is loaded."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(error.command_name, possibilities=_PLACES, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The table, without importing any command."""
        for title, group in COMMANDS.items():
            with formatter.section(title):
                formatter.write_dl([(name, text) for name, (_, text) in group.items()], col_max=12)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """As click's, but a wrong option is WrongUsage."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            raise WrongUsage(error.format_message(), error.ctx) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise WrongUsage(error.format_message(), error.ctx) from None
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except ForetagError as error:
            _fail(ctx, str(error), error.exit_code)
        except ConnectorError as error:
            _fail(ctx, redact(str(error)), ForetagError.exit_code)
        except OSError as error:
            _log.info("a file cannot be used", exc_info=error)
            where, why = error.filename or "a file", error.strerror or error
            _fail(ctx, redact(f"{where} cannot be used: {why}. Check its rights and the disk"), ForetagError.exit_code)
        except Exception as error:  # noqa: BLE001 - the last stop before the user
            _log.info("unexpected error", exc_info=error)
            text = f"unexpected {type(error).__name__}: {error}. Please report it; with -v you see where it happened."
            _fail(ctx, redact(text), ForetagError.exit_code)


def _fail(ctx: click.Context, message: str, code: int) -> NoReturn:
    click.secho("Error: ", err=True, nl=False, fg="red")
    click.echo(message, err=True)
    ctx.exit(code)


@dataclass
class App:
    """What every command gets: where the config is, and what time it is."""

    config_path: Path | None
    pretended_now: datetime | None

    @cached_property
    def clock(self) -> Clock:
        """The machine's clock, or one that stands still at `--now`."""
        return FixedClock(self.pretended_now) if self.pretended_now else SystemClock()

    @property
    def config_file(self) -> Path:
        """The file given, else ./config.toml, else the first one in the user's or the system's folder for settings."""
        if self.config_path:
            return self.config_path
        here = Path("config.toml")
        return next((path for path in (here, *_settings_files()) if path.is_file()), here)

    @cached_property
    def config(self) -> "Config":
        """The validated config. ForetagError when there is none, ConfigError with everything that is wrong."""
        from sync.configfile import load

        return load(self.config_file)


def _settings_files() -> Sequence[Path]:
    from platformdirs import PlatformDirs

    folders = PlatformDirs("foretag", appauthor=False)
    return [folders.user_config_path / "config.toml", folders.site_config_path / "config.toml"]


pass_app = click.make_pass_decorator(App)


def parse_instant(_ctx: click.Context, _option: click.Parameter, text: str | None) -> datetime | None:
    """Reads `2017-11-01` or `2017-11-01T06:00+01:00`; UTC when no offset is given."""
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            "should be a date such as 2017-11-01 or an instant such as 2017-11-01T06:00Z"
        ) from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def example(*lines: str) -> str:
    """The end of a command's help: lines to copy."""
    return "\n".join(["\b", "Example:", *(f"  {line}" for line in lines)])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=example("foretag demo", "foretag init && foretag secret set hubspot && foretag doctor", "foretag plan")
    + "\n\nExit codes: 0 ok, 1 error, 2 changes are pending, 3 refused by the guard, 75 another run is active.",
)
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="FORETAG_CONFIG",
    help="The config file; ./config.toml by default, then your folder for settings.",
)
@click.option("--now", callback=parse_instant, metavar="ISO", help="Pretend it is this instant (sandboxes, replays).")
@click.option("-v", "--verbose", count=True, help="Say more on stderr; twice for everything.")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", help="How stderr is written.")
@click.option("--show-emails", is_flag=True, help="Leave e-mail addresses in the log; else each is a short hash.")
@click.version_option(package_name="foretag", message="%(prog)s %(version)s")
@click.pass_context
def main(
    ctx: click.Context,
    config_path: Path | None,
    now: datetime | None,
    verbose: int,
    log_format: str,
    show_emails: bool,
) -> None:
    """Predict who buys again, who leaves and who is worth most, and write it back to your CRM."""
    setup(verbose, as_json=log_format == "json", show_emails=show_emails)
    ctx.obj = App(config_path, now)
