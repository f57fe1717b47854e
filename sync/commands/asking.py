"""Asking the human before something is written."""

import sys

import click

from sync.errors import ForetagError


def agree(question: str) -> None:
    """Ask; a no ends the command. ForetagError where nobody can answer, because there is no terminal."""
    if not in_terminal():
        raise ForetagError(f"{question} Nobody can answer here, and nothing was written. In a script: --yes")
    click.confirm(question, abort=True)


def in_terminal() -> bool:
    """Whether somebody sits in front of it."""
    return sys.stdin.isatty()
