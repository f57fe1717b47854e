"""Reading a config file: every problem at once, each with its line and, where there is one, the likely repair."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from sync.config import KINDS, Config, Conflicts, Location
from sync.config_keys import section_of
from sync.counted import counted
from sync.errors import ForetagError
from sync.redact import is_token, names_a_secret
from sync.toml_lines import find_lines, line_of


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong, and where."""

    line: int
    key: str
    text: str


class ConfigError(ForetagError):
    """The file cannot be used; `problems` holds everything that is wrong with it, by line."""

    def __init__(self, path: Path, problems: list[Problem]) -> None:
        self.problems = sorted(problems)
        lines = [f"{path}:{p.line}: {f'{p.key}: ' if p.key else ''}{p.text}" for p in self.problems]
        super().__init__("\n".join([*lines, f"{counted(len(lines), 'problem')}. Nothing was contacted."]))


def load(path: Path) -> Config:
    """The config in `path`; ConfigError with all its problems, ForetagError when there is no such file."""
    return parse(_read(path), path)


def parse(text: str, path: Path) -> Config:
    """The config that `text` would be if it stood in `path`; ConfigError with all its problems."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(path, [_syntax_problem(str(error), text)]) from None
    lines = find_lines(text)
    problems = {loc: Problem(line_of(lines, loc), _dotted(loc), wrong) for loc, wrong in _secrets_in(data)}
    try:
        config = Config.model_validate(data, context={"folder": path.absolute().parent})
    except ValidationError as error:
        for loc, wrong in _wrongs(error):
            problems.setdefault(loc, Problem(line_of(lines, loc), _dotted(loc), wrong))
    if problems:
        raise ConfigError(path, list(problems.values()))
    return config


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ForetagError(f"no config file {path}. Make one: foretag init") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(path, [Problem(line, "", "not UTF-8 text: save the file as UTF-8")]) from None
    except OSError as error:
        raise ForetagError(f"the config file {path} cannot be read: {error.strerror}") from None


def _syntax_problem(message: str, text: str) -> Problem:
    found = re.search(r"\(at line (\d+), column (\d+)\)", message)
    line = int(found[1]) if found else text.rstrip("\n").count("\n") + 1
    what = message.partition(" (at ")[0]
    hint = ' – text needs quotes: key = "text"' if what == "Invalid value" else ""
    return Problem(line, "", f"not valid TOML: {what[0].lower()}{what[1:]}{hint}")


def _dotted(loc: Location) -> str:
    return ".".join(str(part) for part in loc)


def _secrets_in(data: Any, loc: Location = ()) -> Iterator[tuple[Location, str]]:
    """Settings that hold a token, or by their name are meant to."""
    if isinstance(data, dict):
        for key, value in data.items():
            if isinstance(value, str) and value and names_a_secret(key):
                yield (*loc, key), _move_it(loc)
            else:
                yield from _secrets_in(value, (*loc, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _secrets_in(value, (*loc, index))
    elif isinstance(data, str) and is_token(data):
        yield loc, _move_it(loc)


def _move_it(loc: Location) -> str:
    account = loc[0] if loc and loc[0] in KINDS else "ACCOUNT"
    return f"a secret is written in the file – move it: foretag secret set {account}"


def _wrongs(error: ValidationError) -> Iterator[tuple[Location, str]]:
    for detail in error.errors(include_url=False):
        cause = detail.get("ctx", {}).get("error")
        if isinstance(cause, Conflicts):
            yield from cause.problems
        else:
            loc = tuple(part for part in detail["loc"] if part != "[key]")
            yield loc, _in_words(detail, loc)


def _in_words(detail: ErrorDetails, loc: Location) -> str:
    kind, message = detail["type"], detail["msg"]
    if kind == "extra_forbidden":
        return "unknown key" + _place_of(str(loc[-1]), _section_at(loc[:-1]))
    if kind == "missing":
        field = _section_at(loc[:-1]).model_fields[str(loc[-1])]
        return f"is missing. {field.description}"
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", detail["ctx"]["expected"])
        near = get_close_matches(str(detail["input"]), choices, n=1)
        hint = f" – did you mean {near[0]}?" if near else ""
        return f"should be one of {', '.join(choices)}{hint}"
    if kind == "list_type" and loc[-1] in (*KINDS, "objectives"):
        return f"write [[{loc[-1]}]] with two brackets: there can be several"
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    return message.replace("Input should", "should", 1)


def _section_at(loc: Location) -> type[BaseModel]:
    """The class of the section at `loc` (list indexes do not matter)."""
    section: type[BaseModel] = Config
    for part in loc:
        if isinstance(part, str):
            section = section_of(section.model_fields[part].annotation) or section
    return section


def _place_of(key: str, section: type[BaseModel]) -> str:
    """Where a key of this name, or nearly so, belongs."""
    here = get_close_matches(key, section.model_fields, n=1)
    if here:
        return f" – did you mean {here[0]}?"
    sections = {name: section_of(field.annotation) for name, field in Config.model_fields.items()}
    if key in sections and sections[key] is None:
        return " – it belongs at the top of the file, above the first [section]"
    homes = [f"[{name}]" for name, other in sections.items() if other and key in other.model_fields]
    return f" – it belongs in {' or '.join(homes)}" if homes else ""
