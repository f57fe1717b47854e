"""From an account in the config to a connector: the secret is found, the fields are named."""

import connectors
from connectors.contract import Account as OpenAccount
from connectors.contract import Connector
from sync import secrets
from sync.clock import Clock
from sync.config import Config
from sync.config_accounts import Account
from sync.errors import ForetagError
from sync.fields import every_field, field_specs


def connect(account: Account, config: Config, clock: Clock, *, cleanup: bool = False) -> Connector:
    """The connector for one account of `config`; contacts nobody yet. With `cleanup` it may remove our own fields.

    Raises MissingSecret, or ForetagError when the adapter cannot work with the settings or the secret's form.
    """
    opened = OpenAccount(
        kind=account.kind,
        name=account.name,
        token=secrets.find(account.secret_name).value,
        base_url=account.address,
        options=account.model_dump(exclude={"name", "base_url"}),
        prefix=config.write.prefix,
        fields=every_field(config) if cleanup else field_specs(config),
        cleanup=cleanup,
    )
    try:
        return connectors.open_connector(opened, sleep=clock.sleep, monotonic=clock.monotonic)
    except ValueError as error:
        raise ForetagError(f"account {account.name}: {error}") from error
