"""What the documents say can be done, can be done: links, commands, config examples, the table of fields."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from connectors.contract import FieldType
from connectors.mailchimp.fields import Fields
from connectors.salesforce.names import field_name
from sync.cli import main
from sync.config import Config
from sync.configfile import parse
from sync.fields import field_specs

FENCE = re.compile(r"(?ms)^```(\w+)\n(.*?)^```$")
GENERATED = Path("docs/reference")


def prose(text: str) -> str:
    return FENCE.sub("", text)


def slug(heading: str) -> str:
    """The anchor code hosts make of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def test_every_relative_link_leads_somewhere(documents, root):
    broken = []
    for path, text in documents.items():
        for target in re.findall(r"\]\(([^)\s]+)\)", prose(text)):
            place, _, anchor = target.partition("#")
            if re.match(r"\w+:", target):
                continue
            file = (root / path.parent / place).resolve() if place else root / path
            headings = re.findall(r"(?m)^#+ (.+)$", prose(file.read_text(encoding="utf-8"))) if file.is_file() else []
            if not file.exists() or (anchor and anchor not in map(slug, headings)):
                broken.append(f"{path}: {target}")
    assert broken == []


def test_every_document_can_be_reached_from_the_readme(documents, root):
    reached, open_ = set(), [Path("README.md")]
    while open_:
        path = open_.pop()
        if path in reached or path not in documents:
            continue
        reached.add(path)
        links = re.findall(r"\]\(([^)#\s]+\.md)", prose(documents[path]))
        open_ += [(root / path.parent / link).resolve().relative_to(root) for link in links if "://" not in link]
    assert sorted(documents.keys() - reached) == [Path("CHANGELOG.md")]


def commands(text: str) -> Iterator[list[str]]:
    """Every `foretag …` command line in fenced blocks and in code spans, as words."""
    spans = re.findall(r"`(foretag[^`\n]*)`", prose(text))
    shell = "\n".join(body for kind, body in FENCE.findall(text) if kind in ("console", "sh", "bash"))
    for line in [*spans, *shell.splitlines()]:
        for part in re.split(r"&&|;|\|", line.removeprefix("$ ")):
            words = shlex.split(part, comments=True)
            if words and words[0] == "foretag":
                yield words[1:]


def accept(command: click.Command, words: list[str], parent: click.Context | None = None) -> None:
    """Read a command line as click would, without running it; click.ClickException when it would be refused."""
    context = command.make_context(command.name or "foretag", list(words), parent)
    if isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        _, found, rest = command.resolve_command(context, rest)
        assert found is not None
        accept(found, rest, context)


@pytest.fixture
def any_path(monkeypatch):
    """Files named in documents need not be there."""
    monkeypatch.setattr(click.Path, "convert", lambda self, value, param, ctx: Path(value))


def test_every_command_line_is_one(documents, any_path):
    seen, wrong = [], []
    for path, text in documents.items():
        for words in commands(text):
            if path.is_relative_to(GENERATED) or not words:
                continue
            seen.append(words)
            try:
                accept(main, words)
            except click.ClickException as error:
                wrong.append(f"{path}: foretag {shlex.join(words)}: {error.format_message()}")
    assert ["init"] in seen
    assert wrong == []


def test_a_wrong_command_line_would_be_noticed(any_path):
    with pytest.raises(click.ClickException):
        accept(main, ["plan", "--everything"])
    with pytest.raises(click.ClickException):
        accept(main, ["undo"])


def test_every_make_target_is_in_the_makefile(documents, root):
    targets = set(re.findall(r"(?m)^([a-z]+):", (root / "Makefile").read_text(encoding="utf-8")))
    named = set()
    for text in documents.values():
        for words in re.findall(r"(?m)(?:^|`|&& )make ((?:[a-z]+ ?)+)", text):
            named |= set(words.split())
    assert {"demo", "test"} <= named
    assert named - targets == set()


def test_every_config_example_is_a_config(documents):
    examples = [
        (path, body) for path, text in documents.items() for kind, body in FENCE.findall(text) if kind == "toml"
    ]
    for path, body in examples:
        zone = "" if "timezone" in body else 'timezone = "UTC"\n'
        account = "" if re.search(r"(?m)^\[\[(hubspot|mailchimp|salesforce)\]\]", body) else "\n[[hubspot]]\n"
        parse(zone + body + account, path)
    assert len(examples) > 5


def test_the_table_of_fields_is_what_is_written(documents):
    text = documents[Path("README.md")]
    table = text.partition("<!-- fields -->\n")[2].partition("<!-- /fields -->")[0]
    specs = field_specs(Config(timezone="UTC", hubspot=[{}]))
    mailchimp = Fields("ft_", specs)
    rows = [
        f"| {spec.label} | `ft_{spec.key}` | "
        + (f"tags `{mailchimp.tag_name('…')}`" if spec.type is FieldType.TAGS else "merge field ")
        + ("" if spec.type is FieldType.TAGS else f"`{mailchimp.merge_tag(spec)}`")
        + f" | `{field_name('ft_', spec.key)}` |"
        for spec in specs
    ]
    assert table.splitlines()[2:] == rows
