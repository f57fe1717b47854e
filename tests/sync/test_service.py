"""The unit for systemd and the image for Docker: locked down, and the same wherever they stand."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from sync import service
from sync.cli import main
from sync.commands import service as command
from sync.errors import ForetagError
from sync.service import Service, example, service_of, uninstall, unit_path

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).with_name("foretag")


def settings(unit: str) -> dict[str, list[str]]:
    """Key → its values, of the lines that count."""
    found: dict[str, list[str]] = {}
    for key, value in re.findall(r"(?m)^(\w+)=(.*)$", unit):
        found.setdefault(key, []).append(value)
    return found


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Units, credentials and homes in a folder of their own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setattr(service, "CREDENTIALS", tmp_path / "etc")
    monkeypatch.setattr(service, "HOMES", (tmp_path / "home",))
    return tmp_path


def made(folder: Path, *, system: bool = False, data: Path | None = None) -> Service:
    return Service(system, PROGRAM, folder / "config.toml", data or folder / "data", ("hubspot.token",))


def test_the_unit_in_the_repository_is_what_is_installed() -> None:
    assert (ROOT / "deploy/foretag.service").read_text(encoding="utf-8") == example().unit()


def test_a_system_unit_is_locked_down() -> None:
    found = settings(example().unit())
    assert found["Type"] == ["notify"]
    assert found["Restart"] == ["on-failure"]
    assert found["WatchdogSec"] == ["2min"]
    assert found["NoNewPrivileges"] == ["true"]
    assert found["ProtectSystem"] == ["strict"]
    assert found["ProtectHome"] == ["true"]
    assert found["CapabilityBoundingSet"] == [""]
    assert found["StateDirectory"] == ["foretag"]
    assert found["User"] == ["foretag"]
    assert found["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert "ReadWritePaths" not in found


def test_a_users_unit_asks_for_nothing_that_only_root_may_grant(places) -> None:
    found = settings(made(places).unit())
    assert not found.keys() & {"User", "CapabilityBoundingSet", "PrivateDevices", "ProtectKernelTunables"}
    assert found["ReadWritePaths"] == [str(places / "data")]
    assert found["WantedBy"] == ["default.target"]


def test_a_credential_is_loaded_once_it_is_there(places) -> None:
    asked = made(places, system=True)
    line = f"LoadCredentialEncrypted=hubspot.token:{places}/etc/hubspot.token.cred"
    assert f"\n#{line}\n" in asked.unit()
    assert any("systemd-creds encrypt --name=hubspot.token" in step for step in asked.steps())
    (places / "etc").mkdir()
    (places / "etc" / "hubspot.token.cred").touch()
    assert f"\n{line}\n" in asked.unit()
    assert not any("systemd-creds" in step for step in asked.steps())


def test_a_program_at_home_can_be_read(places) -> None:
    at_home = Service(True, places / "home/anna/foretag", places / "config.toml", service.STATE, ())
    assert settings(at_home.unit())["ProtectHome"] == ["read-only"]


def test_paths_with_blanks_and_per_cent_signs_are_one_word(places) -> None:
    unit = made(places / "my 100%", data=places / "a b").unit()
    assert f'--config "{places}/my 100%%/config.toml" daemon' in unit
    assert f'ReadWritePaths="{places}/a b"' in unit


def test_it_starts_this_very_program_with_this_very_config(helpers, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    alerting = helpers.config(tmp_path, alerts={"to": ["team"], "ping": True})
    asked = service_of(alerting, Path("config.toml"), system=True)
    assert (asked.program, asked.config_file) == (PROGRAM, tmp_path / "config.toml")
    assert asked.secrets == ("hubspot.token", "alerts.team", "alerts.ping")


def test_installing_and_uninstalling_leaves_nothing_behind(places) -> None:
    path = made(places).install()
    assert path == places / "settings/systemd/user/foretag.service" == unit_path(system=False)
    assert path.read_text(encoding="utf-8") == made(places).unit()
    made(places, data=places / "elsewhere").install()
    assert "elsewhere" in path.read_text(encoding="utf-8")
    assert uninstall(system=False) == path
    assert not path.exists()
    with pytest.raises(ForetagError, match="there is no"):
        uninstall(system=False)


def test_somebody_elses_unit_is_left_alone(places) -> None:
    path = unit_path(system=False)
    path.parent.mkdir(parents=True)
    path.write_text("[Unit]\nDescription=mine\n")
    for act in (made(places).install, lambda: uninstall(system=False)):
        with pytest.raises(ForetagError, match="was not written by foretag"):
            act()
    assert path.read_text() == "[Unit]\nDescription=mine\n"


def test_a_unit_that_is_switched_on_stays(places) -> None:
    path = made(places).install()
    wants = path.parent / "default.target.wants"
    wants.mkdir()
    (wants / path.name).symlink_to(path)
    with pytest.raises(ForetagError, match="systemctl --user disable --now foretag"):
        uninstall(system=False)
    assert path.exists()


def test_without_the_right_to_write_it_says_so(places, monkeypatch) -> None:
    (places / "file").touch()
    monkeypatch.setattr(service, "unit_path", lambda *, system: places / "file" / "foretag.service")
    with pytest.raises(ForetagError, match="Run it as root, or with --user"):
        made(places).install()


@pytest.mark.parametrize("system", [True, False])
def test_systemd_has_nothing_to_object(places, system) -> None:
    analyze = shutil.which("systemd-analyze")
    if not analyze:
        pytest.skip("systemd-analyze is not on this machine")
    unit = places / "foretag.service"
    unit.write_text(made(places, system=system).unit())
    done = subprocess.run([analyze, "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    unit.write_text(unit.read_text().replace("ProtectSystem=strict", "ProtectSystem=very"))
    assert "very" in subprocess.run([analyze, "verify", unit], capture_output=True, text=True, check=False).stderr


@pytest.fixture
def invoke(places):
    (places / "config.toml").write_text('timezone = "UTC"\n[[hubspot]]\n')

    def run(*words: str):
        return CliRunner().invoke(main, ["--config", str(places / "config.toml"), "service", *words])

    return run


def test_the_command_writes_the_unit_and_says_what_is_next(invoke, places) -> None:
    shown = invoke("install", "--user", "--dry-run")
    assert "Type=notify" in shown.output
    assert not unit_path(system=False).exists()
    done = invoke("install", "--user")
    assert done.exit_code == 0
    assert "  systemctl --user enable --now foretag" in done.output.splitlines()
    assert f"ReadWritePaths={places}/foretag-data" in unit_path(system=False).read_text()
    assert invoke("uninstall", "--user").exit_code == 0
    assert not unit_path(system=False).exists()


@pytest.mark.parametrize(("user", "path"), [(0, "/etc/systemd/system/"), (1000, "/settings/systemd/user/")])
def test_root_gets_the_machines_unit_and_others_their_own(invoke, monkeypatch, user, path) -> None:
    monkeypatch.setattr(command.os, "geteuid", lambda: user)
    assert f"{path}foretag.service" in invoke("install", "--dry-run").output.splitlines()[0]


@pytest.fixture
def image() -> str:
    return (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")


def test_the_image_runs_as_nobody_in_particular_and_takes_signals_itself(image) -> None:
    last = image.rpartition("\nFROM ")[2]
    assert re.search(r"(?m)^USER [1-9]\d*$", last)
    assert 'ENTRYPOINT ["foretag"]' in last
    assert re.search(r"(?m)^VOLUME /var/lib/foretag$", last)


def test_everything_the_image_copies_is_in_the_repository(image) -> None:
    copied = re.findall(r"(?m)^COPY (?!--from)(.+) \S+$", image)
    assert len(copied) == 5
    assert [name for line in copied for name in line.split() if not (ROOT / name).exists()] == []


@pytest.mark.parametrize(
    ("freshness", "healthy"), [("ok", True), ("stale", True), ("expired", False), ("none", False), ("", False)]
)
def test_the_image_is_healthy_while_the_scores_are_fresh(image, tmp_path, freshness, healthy) -> None:
    """The check's own command, with a foretag that answers this; an answer of nothing is a foretag that failed."""
    check = re.search(r"(?m)^HEALTHCHECK .*\\\n +CMD (.+)$", image)
    assert check
    answer = f'echo \'{{"freshness": "{freshness}"}}\'' if freshness else "exit 1"
    pretended = tmp_path / "foretag"
    pretended.write_text(f'#!/bin/sh\n[ "$*" = "status --json" ] && {answer}\n')
    pretended.chmod(0o755)
    path = f"{tmp_path}:{PROGRAM.parent}:{os.environ['PATH']}"
    done = subprocess.run(["/bin/sh", "-c", check[1]], env={"PATH": path}, capture_output=True, check=False)
    assert (done.returncode == 0) is healthy
