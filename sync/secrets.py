"""Where tokens come from: the environment, systemd credentials, or the machine's keyring. Never from a file of ours.

A secret has a dotted name such as `hubspot.token`, or `hubspot-shop-de.token` for the account `shop-de`.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

from sync.errors import ForetagError

SERVICE = "foretag"
PING = "alerts.ping"
"""The secret that holds the address of the dead man's switch."""
KEYRING_SECONDS = 5.0
"""How long a keyring may take to answer: a locked one waits for a person who is not there."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret's value and the place that served it; printing it shows only the place."""

    value: str = field(repr=False)
    source: str


class MissingSecret(ForetagError):
    """The secret is in none of the three places: `looked` says what each of them held, `fix` what to do."""

    def __init__(self, looked: str, fix: str) -> None:
        super().__init__(f"{looked}\nStore it: {fix}")
        self.looked = looked
        self.fix = fix


class NotStored(ForetagError):
    """No usable keyring; the text says how to hand the secret over instead."""


class _KeyringFailed(Exception):
    """The keyring gave no answer; the text says why."""


def variable(name: str) -> str:
    """The environment variable for a secret: `hubspot.token` → `FORETAG_HUBSPOT_TOKEN`."""
    return "FORETAG_" + re.sub(r"[^A-Z0-9]", "_", name.upper())


def of_alert(place: str) -> str:
    """The secret that holds the address of a place alerts go to."""
    return f"alerts.{place}"


def find(name: str) -> Secret:
    """The secret `name` from the first place that has it; MissingSecret when none has."""
    seen = []
    for place, look in (
        (f"environment variable {variable(name)}", _from_environment),
        (f"systemd credential {name}", _from_credentials),
        ("keyring", _from_keyring),
    ):
        value, found = look(name)
        if value:
            return Secret(value, place)
        seen.append(f"  {place}: {found}")
    account = name.removesuffix(".token")
    raise MissingSecret("\n".join([f"no secret {name}. Looked in:", *seen]), f"foretag secret set {account}")


def store(name: str, value: str) -> str:
    """Keep `value` in the keyring and return where it went; NotStored (with the ways out) when there is none."""
    try:
        _ask_keyring(lambda keyring: keyring.set_password(SERVICE, name, value))
        if _ask_keyring(lambda keyring: keyring.get_password(SERVICE, name)) != value:
            raise _KeyringFailed("it did not keep the value")
    except _KeyringFailed as error:
        raise NotStored(f"the keyring cannot be used: {error}.\n{other_ways(name)}") from None
    return f"keyring (service {SERVICE}, user {name})"


def other_ways(name: str) -> str:
    """How to hand the secret over without a keyring."""
    return (
        f"Instead, for a service (as root; paste the secret, then Ctrl-D twice):\n"
        f"  systemd-creds encrypt --name={name} - /etc/foretag/{name}.cred\n"
        f"and in the unit's [Service] section:\n"
        f"  LoadCredentialEncrypted={name}:/etc/foretag/{name}.cred\n"
        f"or for a container: set the environment variable {variable(name)}."
    )


def _from_environment(name: str) -> tuple[str, str]:
    value = os.environ.get(variable(name))
    if value is None:
        return "", "not set"
    return value.strip(), "set, but empty"


def _from_credentials(name: str) -> tuple[str, str]:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        return "", "not started by systemd with credentials (CREDENTIALS_DIRECTORY is not set)"
    path = Path(folder) / name
    try:
        return path.read_text(encoding="utf-8").strip(), f"{path} is empty"
    except FileNotFoundError:
        return "", f"no file {path}"
    except (OSError, UnicodeDecodeError) as error:
        return "", f"{path} cannot be read ({type(error).__name__})"


def _from_keyring(name: str) -> tuple[str, str]:
    try:
        value = _ask_keyring(lambda keyring: keyring.get_password(SERVICE, name))
    except _KeyringFailed as error:
        return "", str(error)
    return (value or "").strip(), "has no such entry"


def _ask_keyring(question: Callable[[Any], str | None]) -> str | None:
    """Put a question to the keyring; _KeyringFailed when there is none, it is locked, broken, unsafe or silent.

    A thread, because a keyring may wait for a dialogue; and any exception counts, because backends are plug-ins that
    raise what they like.
    """
    answers: list[str | None] = []
    failures: list[str] = []

    def ask() -> None:
        try:
            answers.append(question(_safe_keyring()))
        except Exception as error:  # noqa: BLE001
            failures.append(_why(error))

    thread = Thread(target=ask, name="keyring", daemon=True)
    thread.start()
    thread.join(KEYRING_SECONDS)
    if answers:
        return answers[0]
    raise _KeyringFailed(failures[0] if failures else f"no answer within {KEYRING_SECONDS:g} s (locked?)")


def _safe_keyring() -> Any:
    """The machine's keyring; _KeyringFailed for one that would write plain text to disk."""
    import keyring

    backend = keyring.get_keyring()
    if type(backend).__module__.startswith("keyrings.alt"):
        raise _KeyringFailed("only an unencrypted one is installed (keyrings.alt); it is not used")
    return backend


def _why(error: Exception) -> str:
    from keyring.errors import KeyringLocked, NoKeyringError

    if isinstance(error, _KeyringFailed):
        return str(error)
    if isinstance(error, NoKeyringError):
        return "none on this machine (usual for a server)"
    if isinstance(error, KeyringLocked):
        return "locked, and nobody is there to unlock it"
    if isinstance(error, ImportError):
        return "its backend is not installed (see PYTHON_KEYRING_BACKEND)"
    if isinstance(error, EOFError):
        return "asks for a password, and nobody is there to type it"
    return f"failed with {type(error).__name__}"
