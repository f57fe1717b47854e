"""The frame of the command line: quick, one message per error, the right exit code."""

import json
import subprocess
import sys
import types
from datetime import UTC, datetime

import click
import pytest
from click.testing import CliRunner

from connectors.errors import NotAuthorised
from sync import cli
from sync.clock import FixedClock, SystemClock
from sync.errors import ForetagError, Refused, RunActive

HEAVY = {"sklearn", "duckdb", "requests", "numpy", "pyarrow", "narwhals", "pydantic", "keyring", "flask", "rich"}


@pytest.fixture
def run(monkeypatch):
    """Runs `foretag` in this process; `run.command(function)` makes a command `try` of it."""
    monkeypatch.setattr(cli, "setup", lambda *_args, **_options: None)

    def invoke(*words, **options):
        return CliRunner().invoke(cli.main, words, prog_name="foretag", **options)

    def command(function):
        module = types.ModuleType("trying")
        module.attempt = click.command("try")(function)
        monkeypatch.setitem(sys.modules, "trying", module)
        monkeypatch.setitem(cli._PLACES, "try", "trying:attempt")

    invoke.command = command
    return invoke


def test_help_imports_nothing_heavy_and_no_command():
    code = "import sys; from sync.cli import main; main(['--help'], standalone_mode=False); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(done.stdout.splitlines()[-1].split())
    assert modules & HEAVY == set()
    assert not any(module.startswith("sync.commands") for module in modules)


def test_help_names_every_command(run):
    shown = run("--help").output
    assert [name for name in cli._PLACES if f"  {name}" not in shown] == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ForetagError("the text"), 1),
        (Refused("the text"), 3),
        (RunActive("the text"), 75),
        (NotAuthorised("the text"), 1),
        (KeyError("the text"), 1),
    ],
)
def test_every_error_is_one_message_and_a_code(run, error, code):
    def fail():
        raise error

    run.command(fail)
    result = run("try")
    assert result.exit_code == code
    assert "the text" in result.stderr
    assert result.stderr.startswith("Error: ")
    assert "Traceback" not in result.output


def test_an_unexpected_error_shows_no_token(run):
    def fail():
        raise RuntimeError("GET failed for pat-na1-1234567890 of lena@example.com")

    run.command(fail)
    shown = run("try").stderr
    assert "unexpected RuntimeError" in shown
    assert "1234567890" not in shown
    assert "example.com" not in shown


@pytest.mark.parametrize("words", [["docter"], ["--bad"], ["check", "--bad"], ["--now", "soon", "check"], ["try", "x"]])
def test_a_wrong_command_line_is_1_as_2_means_changes(run, words):
    run.command(lambda: None)
    assert run(*words).exit_code == 1


def test_a_mistyped_command_gets_a_suggestion(run):
    assert "Did you mean 'doctor'?" in run("docter").stderr


def test_other_exit_codes_pass(run):
    def pending():
        raise click.exceptions.Exit(2)

    run.command(pending)
    assert run("try").exit_code == 2


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2017-11-01", datetime(2017, 11, 1, tzinfo=UTC)),
        ("2017-11-01T06:00+01:00", datetime(2017, 11, 1, 5, tzinfo=UTC)),
        ("2017-11-01T06:00Z", datetime(2017, 11, 1, 6, tzinfo=UTC)),
    ],
)
def test_now_can_be_pretended(run, text, instant):
    seen = []
    run.command(cli.pass_app(lambda app: seen.append(app.clock)))
    assert run("--now", text, "try").exit_code == 0
    assert isinstance(seen[0], FixedClock)
    assert seen[0].now() == instant


def test_without_it_the_clock_is_the_machines(run):
    seen = []
    run.command(cli.pass_app(lambda app: seen.append(app.clock)))
    run("try")
    assert type(seen[0]) is SystemClock


def test_where_the_config_is_looked_for(run, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    monkeypatch.chdir(tmp_path)
    seen = []
    run.command(cli.pass_app(lambda app: seen.append(str(app.config_file))))
    run("try")
    theirs = tmp_path / "user" / "foretag" / "config.toml"
    theirs.parent.mkdir(parents=True)
    theirs.touch()
    run("try")
    (tmp_path / "config.toml").touch()
    run("try")
    run("try", env={"FORETAG_CONFIG": "from-env.toml"})
    run("--config", "given.toml", "try", env={"FORETAG_CONFIG": "from-env.toml"})
    assert seen == ["config.toml", str(theirs), "config.toml", "from-env.toml", "given.toml"]


def test_log_lines_can_be_json(tmp_path):
    code = "import logging; from sync.cli import main; main(['--log-format', 'json', 'sandbox', '--help'], %s)"
    script = code % "standalone_mode=False" + "; logging.getLogger('sync').warning('x')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stderr)["message"] == "x"
