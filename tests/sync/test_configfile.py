"""Reading a config file: every mistake at once, on its line, with the likely repair."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.configfile import ConfigError, load, parse
from sync.errors import ForetagError
from sync.toml_lines import find_lines, line_of

BROKEN = """\
timezon = "Europe/Berlin"
mode = "fulll"

[[hubspot]]
name = "shop"
properties = [
  "plan",
  "pat-eu1-0a1b2c3d-4e5f",
]

[[hubspot]]
nam = "other"

[mailchimp]
server = "us6"

[write]
min_chnge_points = 5  # a typing error
hours = "8-18"
max_segment_change_share = 0.3

[holdout]
share = 10

[[objectives]]
name = "x"
[[objectives]]
predict = "churn"
within = "5x"

[alerts]
api_key = "whatever"
rules = [{ moved_from = "Champion", moved_to = "Lost" }]
"""


def problems_of(text):
    with pytest.raises(ConfigError) as caught:
        parse(text, Path("config.toml"))
    return {(problem.line, problem.key): problem.text for problem in caught.value.problems}


def test_all_problems_at_once_each_on_its_line():
    found = problems_of(BROKEN)
    assert list(found) == [
        (1, "timezon"),
        (1, "timezone"),
        (2, "mode"),
        (8, "hubspot.0.properties.1"),
        (12, "hubspot.1.nam"),
        (14, "mailchimp"),
        (18, "write.min_chnge_points"),
        (19, "write.hours"),
        (20, "write.max_segment_change_share"),
        (23, "holdout.share"),
        (25, "objectives.0.predict"),
        (29, "objectives.1.within"),
        (32, "alerts.api_key"),
        (33, "alerts.rules.0.moved_from"),
    ]
    assert found[1, "timezon"] == "unknown key – did you mean timezone?"
    assert found[1, "timezone"].startswith("is missing. Your time zone")
    assert found[2, "mode"] == "should be one of shadow, pilot, full – did you mean full?"
    assert "move it: foretag secret set hubspot" in found[8, "hubspot.0.properties.1"]
    assert found[14, "mailchimp"] == "write [[mailchimp]] with two brackets: there can be several"
    assert found[20, "write.max_segment_change_share"] == "unknown key – it belongs in [guard]"
    assert found[23, "holdout.share"] == "is a share, from 0 to 1; for 10 per cent write 0.10"
    assert "move it" in found[32, "alerts.api_key"]


def test_the_message_for_the_admin():
    with pytest.raises(ConfigError) as caught:
        parse('timezone = "UTC"\nmode = "ful"\n[[hubspot]]\ntoken = "pat-na1-1234567890"\n', Path("a/config.toml"))
    assert str(caught.value).splitlines() == [
        "a/config.toml:2: mode: should be one of shadow, pilot, full – did you mean full?",
        "a/config.toml:4: hubspot.0.token: a secret is written in the file – move it: foretag secret set hubspot",
        "2 problems. Nothing was contacted.",
    ]
    assert caught.value.exit_code == 1


def test_a_secret_is_a_problem_even_where_text_is_allowed():
    found = problems_of('timezone = "UTC"\n[[hubspot]]\nproperties = ["0123456789abcdef0123456789abcdef-us6"]\n')
    assert list(found) == [(3, "hubspot.0.properties.0")]


def test_keys_of_the_wrong_section_or_of_none():
    found = problems_of('timezone = "UTC"\nshare = 0.1\nqqq = 1\n[[hubspot]]\n[write]\nmode = "full"\n')
    assert found == {
        (2, "share"): "unknown key – it belongs in [pilot] or [holdout]",
        (3, "qqq"): "unknown key",
        (6, "write.mode"): "unknown key – it belongs at the top of the file, above the first [section]",
    }


def test_conflicts_are_on_their_lines_too():
    text = 'timezone = "UTC"\n[[hubspot]]\n[[hubspot]]\n[[mailchimp]]\nname = "hubspot"\n[privacy]\nexclude_when = [\n'
    found = problems_of(text + '"hubspot:tag:x",\n"salesforce:tag:x"]\n')
    assert list(found) == [(3, "hubspot.1.name"), (5, "mailchimp.0.name"), (9, "privacy.exclude_when.1")]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("timezone = Europe/Berlin\n", 1, 'text needs quotes: key = "text"'),
        ('timezone = "UTC"\n\n[write\n', 3, "not valid TOML: expected"),
        ('timezone = "UTC"\ntimezone = "UTC"\n', 2, "cannot overwrite a value"),
        ('timezone = "UTC"\nnames = [\n', 2, "not valid TOML"),
    ],
)
def test_broken_toml_names_its_line(text, line, said):
    ((where, problem),) = problems_of(text).items()
    assert where == (line, "")
    assert said in problem


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(ForetagError, match="Make one: foretag init"):
        load(tmp_path / "config.toml")


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ForetagError, match="cannot be read"):
        load(tmp_path)
    path = tmp_path / "config.toml"
    path.write_bytes(b'timezone = "UTC"\nname = "K\xf6ln"\n')
    with pytest.raises(ConfigError, match=r"config.toml:2: not UTF-8"):
        load(path)


def test_relative_folders_count_from_the_file(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text('\ufefftimezone = "UTC"\n[[hubspot]]\n', encoding="utf-8")
    assert load(path).data_dir == tmp_path / "foretag-data"
    path.write_text('timezone = "UTC"\ndata_dir = "/srv/foretag"\n[[hubspot]]\n')
    assert load(path).data_dir == Path("/srv/foretag")


def test_lines_of_everything_toml_can_say():
    text = '''\
# comment with [brackets] and "quotes
a.b . "c.d" = 1
text = """
[not.a.table]
key = 1 \\"""
"""
raw = \'\'\'x\'\'\'
[[fleet]]
list = [ # ]
  1, { x = "}", "y z" = [true] },
  "a,b",
]
[fleet.part]
day = 2020-01-01T00:00:00Z # why
[[fleet.wheel]]
[[fleet]]
[[fleet.wheel]]
size.inch = 3
'''
    lines = find_lines(text)
    assert lines["a", "b", "c.d"] == 2
    assert lines["raw",] == 7
    assert lines["fleet", 0, "list", 1, "y z", 0] == 10
    assert lines["fleet", 0, "list", 2] == 11
    assert lines["fleet", 0, "part", "day"] == 14
    assert lines["fleet", 0, "wheel", 0] == 15
    assert lines["fleet", 1, "wheel", 0, "size", "inch"] == 18
    assert not any("not" in path for path in lines)
    assert line_of(lines, ("fleet", 1, "wheel", 0, "missing")) == 17
    assert line_of(lines, ("nowhere",)) == 1


keys = st.text("abcxyz-_09", min_size=1, max_size=4) | st.just("a b") | st.just("x.y")
scalars = st.integers() | st.booleans() | st.text("ab,]}#[ ='", max_size=6)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=8
)


@given(st.lists(st.dictionaries(keys, values, max_size=4), min_size=1, max_size=3))
def test_any_file_gets_the_right_lines(tables):
    lines, expected = [], {}
    for index, table in enumerate(tables):
        lines.append("[[t]]")
        expected["t", index] = len(lines)
        for key, value in table.items():
            lines.append(f"{written(key)} = {written(value)}  # [x] = {{")
            expected["t", index, key] = len(lines)
    found = find_lines("\n".join(lines))
    assert {path: found.get(path) for path in expected} == expected


def written(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(key)} = {written(item)}" for key, item in value.items()) + "}"
    return str(value)
