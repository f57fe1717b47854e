"""The daemon as a service of systemd: the unit's text, where it goes, and what is left for the admin to type."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from sync.config import Config
from sync.errors import ForetagError
from sync.files import write_whole

NAME = "foretag.service"
MARK = "# Written by: foretag service install"
CREDENTIALS = Path("/etc/foretag")
STATE = Path("/var/lib/foretag")
HOMES = (Path("/home"), Path("/root"))

_UNIT = """\
{mark}
[Unit]
Description=foretag: scores and segments for the CRM
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=1h
StartLimitBurst=10

[Service]
Type=notify
ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
WatchdogSec=2min
TimeoutStartSec=5min
TimeoutStopSec=20s
Restart=on-failure
RestartSec=30s
UMask=0077
NoNewPrivileges=true
ProtectSystem=strict
PrivateTmp=true
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=true
RestrictRealtime=true
RestrictSUIDSGID=true
LockPersonality=true
SystemCallArchitectures=native
SystemCallFilter=@system-service
{more}
[Install]
WantedBy={target}
"""
_SYSTEM = """\
User=foretag
StateDirectory=foretag
StateDirectoryMode=0700
ProtectHome={home}
PrivateDevices=true
ProtectClock=true
ProtectControlGroups=true
ProtectHostname=true
ProtectKernelLogs=true
ProtectKernelModules=true
ProtectKernelTunables=true
ProtectProc=invisible
CapabilityBoundingSet=
"""


def unit_path(*, system: bool) -> Path:
    """Where systemd looks for the unit."""
    if system:
        return Path("/etc/systemd/system") / NAME
    settings = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(settings) / "systemd" / "user" / NAME


def systemctl(*, system: bool) -> str:
    """How to call it for the unit."""
    return "systemctl" if system else "systemctl --user"


def uninstall(*, system: bool) -> Path:
    """Remove the unit, and return where it was.

    ForetagError when there is none, when it is somebody else's, while it is switched on, and without the right to.
    """
    path = unit_path(system=system)
    if not path.exists():
        raise ForetagError(f"there is no {path}")
    _refuse_foreign(path)
    if (path.parent / f"{_target(system)}.wants" / NAME).is_symlink():
        raise ForetagError(f"it is switched on. First: {systemctl(system=system)} disable --now foretag")
    try:
        path.unlink()
    except OSError as error:
        raise _no_right(error) from error
    return path


@dataclass(frozen=True, slots=True)
class Service:
    """One unit: `system` for the whole machine, else for the present user; paths are absolute."""

    system: bool
    program: Path
    config_file: Path
    data_dir: Path
    secrets: tuple[str, ...]

    def unit(self) -> str:
        """The unit's text. A secret's credential is loaded when its file is there, else its line is a comment."""
        command = f"{_quoted(self.program)} --config {_quoted(self.config_file)} daemon"
        more = ""
        if self.system:
            at_home = any(path.is_relative_to(home) for path in (self.program, self.config_file) for home in HOMES)
            more = _SYSTEM.format(home="read-only" if at_home else "true")
            for name in self.secrets:
                sealed = CREDENTIALS / f"{name}.cred"
                more += f"{'' if sealed.exists() else '#'}LoadCredentialEncrypted={name}:{sealed}\n"
        if not (self.system and self.data_dir == STATE):
            more += f"ReadWritePaths={_quoted(self.data_dir)}\n"
        return _UNIT.format(mark=MARK, command=command, more=more, target=_target(self.system))

    def install(self) -> Path:
        """Write the unit, and return where. ForetagError for one of somebody else's, or without the right to."""
        path = unit_path(system=self.system)
        _refuse_foreign(path)
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, self.unit())
        except OSError as error:
            raise _no_right(error) from error
        return path

    def steps(self) -> list[str]:
        """What the admin types after an installation, line by line."""
        lines = []
        if self.system:
            lines += [
                f"useradd --system --home-dir {STATE} --shell /usr/sbin/nologin foretag   # if there is no such user",
                f"chown -R foretag: {self.data_dir}",
            ]
            missing = [name for name in self.secrets if not (CREDENTIALS / f"{name}.cred").exists()]
            lines += [
                f"systemd-creds encrypt --name={name} - {CREDENTIALS / name}.cred   # paste the secret, Ctrl-D"
                for name in missing
            ]
            if missing:
                lines.append("foretag service install --system   # once more: it loads what is there now")
        control = systemctl(system=self.system)
        lines += [f"{control} daemon-reload", f"{control} enable --now foretag"]
        if not self.system:
            lines.append("loginctl enable-linger   # to keep it running when you log out")
        return lines


def service_of(config: Config, config_file: Path, *, system: bool) -> Service:
    """The service for this config, started by the very program that runs now."""
    program = Path(sys.executable).with_name("foretag")
    return Service(system, program, config_file.absolute(), config.data_dir.absolute(), config.secret_names)


def example() -> Service:
    """What deploy/foretag.service shows: a clone in /opt, its config in /etc."""
    program = Path("/opt/foretag/.venv/bin/foretag")
    return Service(True, program, CREDENTIALS / "config.toml", STATE, ("hubspot.token",))


def _target(system: bool) -> str:
    return "multi-user.target" if system else "default.target"


def _refuse_foreign(path: Path) -> None:
    if path.exists() and not path.read_text(encoding="utf-8").startswith(MARK):
        raise ForetagError(f"{path} was not written by foretag: it is left as it is. Move it away first")


def _no_right(error: OSError) -> ForetagError:
    return ForetagError(f"{error.filename}: {error.strerror}. Run it as root, or with --user")


def _quoted(path: Path) -> str:
    """A path as one word of a unit: per cent signs mean something there."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{text}"' if any(mark in text for mark in " \t'\"\\;") else text
