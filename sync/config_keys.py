"""The config's sections and keys as data, read off the models: for the example file and the reference page."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sync.config import PRESETS, Config
from sync.config_values import Hours, duration_text


@dataclass(frozen=True, slots=True)
class Key:
    """One setting: its name, what it accepts, its meaning, and its default as TOML (None: mandatory)."""

    name: str
    accepts: str
    meaning: str
    default: str | None


@dataclass(frozen=True, slots=True)
class Block:
    """One section: its header as TOML ("" for the top of the file), its meaning and its keys."""

    header: str
    meaning: str
    keys: tuple[Key, ...]


def blocks() -> Iterator[Block]:
    """Every section in the order of the file."""
    yield from _blocks(Config, "", "", "At the top of the file, above the first section.")


def _blocks(model: type[BaseModel], path: str, header: str, meaning: str) -> Iterator[Block]:
    sections = {name: found for name, field in model.model_fields.items() if (found := section_of(field.annotation))}
    keys = [_key(name, path, field) for name, field in model.model_fields.items() if name not in sections]
    yield Block(header, " ".join(meaning.split()), tuple(keys))
    for name, section in sections.items():
        field = model.model_fields[name]
        inner = f"{path}.{name}" if path else name
        several = get_origin(field.annotation) is list
        yield from _blocks(section, inner, f"[[{inner}]]" if several else f"[{inner}]", section.__doc__ or "")


def section_of(annotation: Any) -> type[BaseModel] | None:
    """The section a field holds, one or a list of them; None for a plain setting."""
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def _key(name: str, path: str, field: FieldInfo) -> Key:
    default = None if field.is_required() else toml_value(field.get_default(call_default_factory=True))
    presets = [
        f"{preset} {toml_value(changes[path][name])}"
        for preset, changes in PRESETS.items()
        if name in changes.get(path, {})
    ]
    meaning = field.description or ""
    if presets:
        meaning += f" Preset {', '.join(presets)}."
    return Key(name, _accepts(field), meaning, default)


def toml_value(value: Any) -> str:
    """`value` as it is written in the file; None is "auto"."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml_value(key)} = {toml_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, timedelta):
        return f'"{duration_text(value)}"'
    return '"auto"' if value is None else f'"{value}"'


def _accepts(field: FieldInfo) -> str:
    kind = field.annotation
    if get_origin(kind) is list:
        return f"list of {_named(get_args(kind)[0])}"
    limits = {type(limit): limit for limit in field.metadata}
    text = _named(kind)
    if Ge in limits:
        text += f" from {_limit(limits[Ge].ge)}"
    if Gt in limits:
        text += f" above {_limit(limits[Gt].gt)}"
    if Le in limits:
        text += f" to {_limit(limits[Le].le)}"
    return text


def _limit(value: Any) -> str:
    return duration_text(value) if isinstance(value, timedelta) else f"{value:g}"


def _named(kind: Any) -> str:
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(kind))
    names: dict[Any, str] = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "folder"}
    names |= {timedelta: "duration", timedelta | None: "duration", Hours | None: "hours"}
    names |= {Hours | Literal["same"] | None: "hours or `same`"}
    if kind not in names and type(None) in get_args(kind):
        return _named(get_args(kind)[0])
    return names.get(kind, "table")
