"""The only requests that may leave the machine.

Each adapter states its rules: method, path, and what the body may hold. A request that no rule lets through is not
sent, whatever a bug above it does. So no rule may ever let through: creating a contact, a subscription status,
`sync_tags`, an owner, a lifecycle stage, the deletion of a contact, or a field or tag that is not ours. Our own fields
and tags may be deleted by a connector opened for cleanup alone, and only those the platform itself has listed.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from connectors.errors import NotAllowed

BodyCheck = Callable[[Any], str | None]
"""Takes the parsed body (None for none); says what must not be in it, or None."""
RawCheck = Callable[[bytes | str | None], str | None]
"""The same for a body that is neither JSON nor a form: it comes as it is."""

_DETOUR = re.compile(r"//|/\.\.?(/|$)|%2[ef]|%5c", re.IGNORECASE)
"""What a server may read as another path than the one that was checked."""


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
    """True where the path itself is a secret, as the admin gave it: it is never shown, nor judged."""
    learn: Callable[[Any], None] | None = None
    """Called with the parsed answer, for rules whose checks depend on what the platform said earlier."""
    place: Callable[[str], str | None] | None = None
    """Takes a path that `path` matches; says why it is not allowed all the same, or None."""
    raw: RawCheck | None = None
    """In place of `body`."""
    query: Collection[str] = ()
    """The names that may stand behind the question mark of a request that is no GET."""


class AllowList:
    """The rules of one account."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = [(re.compile(rule.path), rule) for rule in rules]

    def rule_for(self, method: str, target: str, headers: Mapping[str, str], body: bytes | str | None) -> Rule:
        """The rule that lets this request through; NotAllowed, saying why not, when there is none.

        `target` is the path below the base address, with its query.
        """
        path, _, asked = target.partition("?")
        query = [name for name, _ in parse_qsl(asked, keep_blank_values=True)]
        disguise, problems = _disguise(path, headers, query), []
        for pattern, rule in self._rules:
            if rule.method != method or not pattern.fullmatch(path):
                continue
            problem = None if rule.private else disguise
            problem = problem or (rule.place(path) if rule.place else None) or _problem(rule, headers, query, body)
            if problem is None:
                return rule
            problems.append(problem)
        why = "; ".join(problems) or "foretag never sends this kind of request"
        raise NotAllowed(f"{method} {path} was not sent: {why}. Nothing was changed; please report this as a bug.")


def _disguise(path: str, headers: Mapping[str, str], query: Iterable[str]) -> str | None:
    """Why the platform might take the request for another than it looks; None when it cannot."""
    if _DETOUR.search(path):
        return "its path may lead elsewhere"
    for name in (*headers, *query):
        if "method" in name.lower():  # X-HTTP-Method-Override on Mailchimp, _HttpMethod on Salesforce
            return f"{name} may make it another request"
    return "its body is packed" if "Content-Encoding" in headers else None


def _problem(rule: Rule, headers: Mapping[str, str], query: Iterable[str], body: bytes | str | None) -> str | None:
    for name, value in (rule.headers or {}).items():
        if headers.get(name) != value:
            return f"the header {name}: {value} is missing"
    extra = sorted(set(query) - set(rule.query)) if rule.method != "GET" else []
    if extra:
        return f"its address holds {extra[0]!r}"
    try:
        if rule.raw:
            return rule.raw(body)
        if rule.body is None:
            return "it has a body" if body else None
        return rule.body(parsed(body))
    except ValueError:  # whose text may quote an address
        return "its body cannot be read, or a name comes twice in it"


def parsed(body: bytes | str | None) -> Any:
    """A body as data. ValueError for what is neither JSON nor a form, and where a name comes twice: which counts?"""
    if not body:
        return None
    text = body.decode() if isinstance(body, bytes) else body
    if text.lstrip()[:1] in "{[":
        return json.loads(text, object_pairs_hook=_each_once)
    return _each_once(parse_qsl(text, keep_blank_values=True, strict_parsing=True))


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) < len(pairs):
        raise ValueError("a name comes twice in it")
    return names


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
