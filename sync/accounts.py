"""From an account in the config to a connector: the secret is found, the fields are named."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Never

import connectors
from connectors.budget import Budget
from connectors.contract import Account as OpenAccount
from connectors.contract import Capabilities, Change, Connector, Finding
from connectors.errors import NotAuthorised, Retry
from sync import secrets
from sync.clock import STOPPED, Clock
from sync.config import Config
from sync.config_accounts import Account
from sync.errors import ForetagError
from sync.fields import every_field, field_specs


def connect(
    account: Account,
    config: Config,
    clock: Clock,
    budget: Budget | None = None,
    *,
    provision: bool = False,
    cleanup: bool = False,
) -> Connector:
    """The connector for one account of `config`, whose calls are spent from `budget`; contacts nobody yet.

    With `provision` it may make our fields, by a secret of its own where there is one; with `cleanup` remove them.
    Raises MissingSecret, or ForetagError when the adapter cannot work with the settings or the secret's form.
    """
    opened = OpenAccount(
        kind=account.kind,
        name=account.name,
        token=_secret(account, provision=provision).value,
        base_url=account.address,
        options=account.model_dump(exclude={"name", "base_url", "mode", "schedule", "write"}),
        prefix=config.write.prefix,
        fields=every_field(config) if cleanup else field_specs(config),
        budget=budget,
        provision=provision,
        cleanup=cleanup,
    )
    try:
        return connectors.open_connector(opened, sleep=_sleep(clock), monotonic=clock.monotonic)
    except ValueError as error:
        raise ForetagError(f"account {account.name}: {error}") from error


class Unopened:
    """Stands for an account that could not be opened, so that the others go on: whatever is asked of it fails."""

    def __init__(self, kind: str, why: ForetagError, streams: tuple[str, ...]) -> None:
        self.kind, self.streams, self.why = kind, streams, why
        self.capabilities = Capabilities(write_batch=1, read_batch=1, contact_streams=streams)
        self.calls: Counter[str] = Counter()

    def check(self) -> list[Finding]:
        """The reason."""
        return [Finding("fail", str(self.why))]

    def predict_calls(self, changes: Sequence[Change]) -> int:  # noqa: ARG002 - of the protocol
        """None are made."""
        return 0

    def _fails(self, *_: object, **__: object) -> Never:
        raise NotAuthorised(str(self.why))

    pull = drift = provision = package = held = members = write = remove = _fails


def _secret(account: Account, *, provision: bool) -> secrets.Secret:
    if provision:
        with suppress(secrets.MissingSecret):
            return secrets.find(account.provision_secret_name)
    return secrets.find(account.secret_name)


def _sleep(clock: Clock) -> Callable[[float], None]:
    """Waiting that a stop ends with `Retry`: nothing is asked again without the pause it should have had."""

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if clock.stop.is_set():
            raise Retry(STOPPED)

    return sleep
