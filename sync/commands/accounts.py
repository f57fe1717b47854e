"""The option that has a command leave out all accounts but some."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import click

from sync.errors import ForetagError

if TYPE_CHECKING:  # the help needs no pydantic
    from sync.config import Config


def account_option(what: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--account NAME`, as often as wanted; `what` is done with these accounts only."""
    told = f"{what} this account only; can be given several times. Left out, it is all of them."
    return click.option("--account", "names", metavar="NAME", multiple=True, help=told)


def chosen(config: "Config", names: tuple[str, ...]) -> list[str] | None:
    """The accounts a command is for, in the order of the config (None: all). ForetagError for an unknown name."""
    known = [each.name for each in config.accounts]
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(known)}"
            raise ForetagError(f"--account {name}: the config has no account of this name; {hint}")
    return [name for name in known if name in names] if names else None


def left_out(config: "Config", names: tuple[str, ...]) -> set[str]:
    """The accounts that are not among `names`; none, without names. ForetagError as `chosen`."""
    wanted = chosen(config, names)
    return set() if wanted is None else {each.name for each in config.accounts} - set(wanted)
