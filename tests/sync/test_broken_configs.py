"""Some two hundred broken config files, made from the config's own keys: each problem at its line, never a traceback.

A wrong line ends in `# here`; the message has to name that very line.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from click.testing import CliRunner

from sync.cli import main
from sync.config_keys import blocks

HEAD = 'timezone = "Europe/Berlin"\n'
ACCOUNT = "[[hubspot]]\n"
HERE = "  # here"
TOKENS = (
    "pat-eu1-12345678-1234-1234-1234-123456789012",
    "0123456789abcdef0123456789abcdef-us21",
    "00D500000000001!AQcAQH0dMHEXAMPLEZmpzb58urFRkgeBGsxL_QJWwYMfAbUeeG7c1E6",
)
WRONG = {
    "text": "17",
    "whole number": '"seven"',
    "number": '"half"',
    "true or false": '"maybe"',
    "duration": '"soon"',
    "hours": '"25:99-"',
    "table": "17",
    "folder": "[]",
}


@dataclass(frozen=True)
class Broken:
    name: str
    text: str | bytes


def with_base(header: str, line: str) -> str:
    """A file that is fine but for `line` in the section `header`."""
    if header in ("", None):
        return f"{HEAD}{line}{HERE}\n{ACCOUNT}"
    if header == "[[hubspot]]":
        return f"{HEAD}{header}\n{line}{HERE}\n"
    needed = 'instance_url = "https://acme.my.salesforce.com"\n' if "salesforce" in header else ""
    needed = "" if line.startswith("instance_url") else needed
    if header.startswith(("[mailchimp.", "[salesforce.")):
        return f"{HEAD}{ACCOUNT}[{header.partition('.')[0]}]]\n{needed}{header}\n{line}{HERE}\n"
    return f"{HEAD}{ACCOUNT}{header}\n{needed}{line}{HERE}\n"


def wrong_types() -> Iterator[Broken]:
    for block in blocks():
        for key in block.keys:
            if block.header == "" and key.name == "timezone":
                continue  # its own line below
            kind = next((each for each in WRONG if key.accepts.startswith(each)), None)
            value = '"nonsense"' if key.accepts.startswith("`") else WRONG[kind] if kind else "3.5"
            value = "17" if key.accepts.startswith("list") else value
            yield Broken(f"type {block.header} {key.name}", with_base(block.header, f"{key.name} = {value}"))


def unknown_keys() -> Iterator[Broken]:
    for block in blocks():
        yield Broken(f"unknown {block.header}", with_base(block.header, "surprise = 1"))
        for key in block.keys[:2]:
            misspelt = key.name[:-1] + "x" if len(key.name) > 4 else key.name + "x"
            yield Broken(f"misspelt {block.header} {key.name}", with_base(block.header, f"{misspelt} = 1"))


def bad_values() -> Iterator[Broken]:
    lines = {
        "": (
            'currency = "euros"', 'currency = "€"', 'mode = "ful"', 'preset = "huge"', 'data_dir = ""',
        ),
        "[schedule]": (
            'pull = "60 * * * *"', 'score = "0 25 * * *"', 'train = "0 3 32 1 *"', 'write = "daily"', 'pull = "* * *"',
            'score = "0 6 30 2 *"',
        ),
        "[write]": (
            'hours = "18:00-08:60"', 'hours = "8-18"', 'hours = "08:00-08:00"', 'days = ["monday"]', "days = []",
            'prefix = "foretag_"', 'prefix = ""', "min_change_points = -1",
        ),
        "[guard]": ("max_segment_change_share = 20", "max_input_drop_share = -0.1", "one_segment_min_people = -5"),
        "[pilot]": (
            "share = 2", "share = -0.1", 'only = ["hubspot:list:"]', 'only = ["hubspot:campaign:Spring"]',
            'only = ["shop:list:Spring"]',
        ),
        "[holdout]": ("share = 1.5",),
        "[segments]": ('min_stay = "14"', 'min_stay = "-3d"', "hysteresis = 7", 'names = {"Champs" = "Best"}'),
        "[alerts]": ('stale_after = "36"', 'stale_after = "0h"', 'to = ["Team Slack"]'),
        "[privacy]": (
            'exclude_when = ["hubspot"]', 'exclude_when = ["hubspot:property:a"]', 'exclude_when = ["shop:tag:VIP"]',
        ),
        "[health]": ("port = 99999", "port = -1"),
        "[engine]": ('kind = "flink"', 'kind = "spark"'),
        "[model]": ('candidates = ["magic"]', "candidates = []", "seed = 1.5"),
        "[[objectives]]": ('predict = "fame"', 'within = "a while"', 'within = "0d"'),
        "[[hubspot]]": (
            'name = "Shop DE"', 'name = ""', 'api_version = "v1"', 'tier = "gold"', 'base_url = "ftp://x"',
            'base_url = "not an address"', f'name = "{"x" * 41}"',
        ),
        "[[salesforce]]": ('instance_url = "acme"', 'objects = ["Account"]', 'api_version = "latest"'),
    }  # fmt: skip
    for header, wrong in lines.items():
        for line in wrong:
            yield Broken(f"value {header} {line[:40]}", with_base(header, line))
    for zone in ("Berlin", "Europe/Berlim", "UTC+1", ""):
        yield Broken(f"zone {zone}", f'timezone = "{zone}"{HERE}\n{ACCOUNT}')


def contradictions() -> Iterator[Broken]:
    yield Broken("two accounts of one name", f'{HEAD}{ACCOUNT}[[hubspot]]\nname = "hubspot"{HERE}\n')
    yield Broken("name of another platform", f'{HEAD}[[hubspot]]\nname = "mailchimp"{HERE}\n')
    twice = '[[objectives]]\npredict = "churn"\n[[objectives]]\npredict = "churn"'
    yield Broken("one objective twice", f"{HEAD}{ACCOUNT}{twice}{HERE}\n")
    yield Broken("a key twice", f"{HEAD}{HEAD.strip()}{HERE}\n{ACCOUNT}")
    yield Broken("a section twice", f"{HEAD}{ACCOUNT}[guard]\n[write]\n[guard]{HERE}\n")
    yield Broken("one bracket", f"{HEAD}[hubspot]{HERE}\n")
    yield Broken("no account", f'timezone = "Europe/Berlin"{HERE}\n')


def secrets() -> Iterator[Broken]:
    for number, token in enumerate(TOKENS):
        yield Broken(f"token {number}", with_base("[[hubspot]]", f'token = "{token}"'))
        yield Broken(f"token in another place {number}", with_base("", f'currency = "{token}"'))
    for key in ("api_key", "access_token", "client_secret", "password", "hapikey"):
        yield Broken(f"secret {key}", with_base("[[hubspot]]", f'{key} = "hunter2hunter2"'))


def not_toml() -> Iterator[Broken]:
    lines = {
        "no quotes": "currency = EUR", "no value": "currency =", "open quote": 'currency = "EUR', "no key": '= "EUR"',
        "yaml": "currency: EUR", "json": '{"currency": "EUR"}', "open bracket": "[guard",
        "bad escape": r'currency = "\q"', "bad date": "currency = 2026-13-01",
        "comma": 'mode = "full",', "prose": "please score everyone",
    }  # fmt: skip
    for name, line in lines.items():
        yield Broken(f"toml {name}", f"{HEAD}{line}{HERE}\n{ACCOUNT}")
    yield Broken("merge conflict", f"<<<<<<< HEAD{HERE}\n{HEAD}{ACCOUNT}")
    yield Broken("utf-16", (HEAD + ACCOUNT).encode("utf-16"))
    yield Broken("latin-1", f"{HEAD}# Müller{HERE}\n{ACCOUNT}".encode("latin-1"))
    yield Broken("nul", f"{HEAD}\0{HERE}\n{ACCOUNT}")
    yield Broken("binary", bytes(range(128, 256)) * 20)
    yield Broken("control character", f'{HEAD}currency = "E\x07R"{HERE}\n{ACCOUNT}')
    yield Broken("empty", "")


BROKEN = [*wrong_types(), *unknown_keys(), *bad_values(), *contradictions(), *secrets(), *not_toml()]


def test_there_are_more_than_a_hundred() -> None:
    assert len({each.text if isinstance(each.text, bytes) else each.text.encode() for each in BROKEN}) >= 150


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_a_broken_file_is_refused_at_its_line(broken, tmp_path) -> None:
    file = tmp_path / "config.toml"
    text = broken.text if isinstance(broken.text, bytes) else broken.text.encode()
    file.write_bytes(text)
    result = CliRunner().invoke(main, ["--config", str(file), "check"])
    said = result.output + result.stderr
    assert result.exit_code == 1, said
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in said
    found = [(int(line), what) for line, what in re.findall(rf"{re.escape(str(file))}:(\d+): (.+)", said)]
    assert found, said
    wrong = [number for number, line in enumerate(text.split(b"\n"), 1) if HERE.encode() in line]
    if wrong:
        assert wrong[0] in [line for line, _ in found], said
    assert all(len(what) > 10 for _, what in found)
    for secret in (*TOKENS, "hunter2hunter2"):
        assert secret not in said
