"""The only requests that may leave the machine.

Each adapter states its rules: method, path, and what the body may hold. A request that no rule lets through is not
sent, whatever a bug above it does. So no rule may ever let through: creating a contact, a subscription status,
`sync_tags`, an owner, a lifecycle stage, the deletion of a contact, or a field or tag that is not ours. Our own fields
and tags may be deleted by a connector opened for cleanup alone, and only those the platform itself has listed.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from connectors.errors import NotAllowed

BodyCheck = Callable[[Any], str | None]
"""Takes the parsed body (None for none); says what must not be in it, or None."""
RawCheck = Callable[[bytes | str | None], str | None]
"""The same for a body that is neither JSON nor a form: it comes as it is."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of request that is allowed."""

    name: str
    """What the request is for: calls are counted and shown under this name."""
    method: str
    path: str
    """Regular expression the whole path below the base address must match."""
    body: BodyCheck | None = None
    """None: no body may be sent."""
    headers: Mapping[str, str] | None = None
    """Headers that must be there with exactly these values."""
    group: str = "default"
    """The rate limit it counts for."""
    repeatable: bool = True
    """False where a lost answer must not lead to a second try."""
    private: bool = False
    """True where the path itself is a secret: it is never shown."""
    learn: Callable[[Any], None] | None = None
    """Called with the parsed answer, for rules whose checks depend on what the platform said earlier."""
    place: Callable[[str], str | None] | None = None
    """Takes a path that `path` matches; says why it is not allowed all the same, or None."""
    raw: RawCheck | None = None
    """In place of `body`."""


class AllowList:
    """The rules of one account."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = [(re.compile(rule.path), rule) for rule in rules]

    def rule_for(self, method: str, path: str, headers: Mapping[str, str], body: bytes | str | None) -> Rule:
        """The rule that lets this request through; NotAllowed, saying why not, when there is none."""
        problems = []
        for pattern, rule in self._rules:
            if rule.method != method or not pattern.fullmatch(path):
                continue
            problem = (rule.place(path) if rule.place else None) or _problem(rule, headers, body)
            if problem is None:
                return rule
            problems.append(problem)
        why = "; ".join(problems) or "foretag never sends this kind of request"
        raise NotAllowed(f"{method} {path} was not sent: {why}. Nothing was changed; please report this as a bug.")


def _problem(rule: Rule, headers: Mapping[str, str], body: bytes | str | None) -> str | None:
    for name, value in (rule.headers or {}).items():
        if headers.get(name) != value:
            return f"the header {name}: {value} is missing"
    if rule.raw:
        return rule.raw(body)
    if rule.body is None:
        return "it has a body" if body else None
    return rule.body(_parsed(body))


def _parsed(body: bytes | str | None) -> Any:
    if not body:
        return None
    text = body.decode() if isinstance(body, bytes) else body
    try:
        return json.loads(text)
    except ValueError:
        return {key: values[-1] for key, values in parse_qs(text).items()}


def anything(body: Any) -> str | None:
    """Body check for reads by POST: their body changes nothing on the platform."""
    del body
    return None


def unexpected(what: str, given: Any, allowed: Iterable[str]) -> str | None:
    """A sentence naming the first key of `given` that is not in `allowed`; None when there is none."""
    if not isinstance(given, dict):
        return f"{what} is not an object"
    extra = sorted(set(given) - set(allowed))
    return f"{what} holds {extra[0]!r}" if extra else None


def not_ours(what: str, names: Iterable[str], ours: str) -> str | None:
    """A sentence naming the first of `names` that does not fully match the regular expression `ours`."""
    for name in names:
        if not re.fullmatch(ours, name):
            return f"{what} {name!r} is not one of ours"
    return None
