"""Finds the one thing an admin has named, among all there are."""

from collections.abc import Mapping
from difflib import get_close_matches

from connectors.errors import Stop

_NEAREST = 3


def the_one(what: str, wanted: str, known: Mapping[str, str]) -> str:
    """The id of the `what` whose name or id is `wanted`; `known` holds all names by id.

    Stop where there is none, naming the nearest, and where there are several: taking one would be a guess.
    """
    found = [id_ for id_, name in known.items() if wanted in (id_, name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise Stop(f'{len(found)} {what}s are called "{wanted}" ({", ".join(found)}): rename one, or write its id')
    near = get_close_matches(wanted, known.values(), _NEAREST, 0.5)
    hint = ", ".join(f'"{name}"' for name in near) or f"none of the {len(known):,} there are is similar"
    raise Stop(f'there is no {what} "{wanted}"; nearest: {hint}. Correct the name in the config, or write the id')
