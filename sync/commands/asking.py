"""Asking the human before something is written."""

import sys

import click

from sync.errors import ForetagError


def agree(question: str) -> None:
    """Ask; anything but a yes ends the command. ForetagError for a no, and where there is no terminal to answer in."""
    if not in_terminal():
        raise ForetagError(f"{question} Nobody can answer here, and nothing was written. In a script: --yes")
    if not click.confirm(question):
        raise ForetagError("nothing was written")


def in_terminal() -> bool:
    """Whether somebody sits in front of it."""
    return sys.stdin.isatty()
