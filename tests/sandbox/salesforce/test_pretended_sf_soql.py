from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.salesforce.errors import RequestError
from sandbox.salesforce.schema import Field, ObjectType
from sandbox.salesforce.soql.compiler import compile_query
from sandbox.salesforce.soql.parser import Comparison, Junction, parse
from sandbox.salesforce.soql.tokens import tokenize, unquote

THING = ObjectType(
    "Thing", "Thing", "Things", "a00",
    {
        "Name": Field("Name", "Name", "string", length=255),
        "Size": Field("Size", "Size", "double", precision=18, scale=2),
        "At": Field("At", "At", "datetime"),
    },
)  # fmt: skip


class Things:
    def find(self, name):
        return THING if name.lower() == "thing" else None

    def visible(self, object_type):
        return {name.lower(): field for name, field in object_type.fields.items()}

    def rows(self, object_type, everything):
        return []

    def parent(self, field):
        return {}.get


def run(text, *records):
    return compile_query(text, Things()).run(records)


def quote(text):
    table = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f", '"': '\\"'}
    return "'" + "".join(table.get(letter, letter) for letter in text) + "'"


@given(st.text())
def test_a_quoted_text_stands_for_itself(text):
    (token, end) = tokenize(quote(text))
    assert (token.kind, end.kind) == ("string", "end")
    assert unquote(token.text) == text


@given(st.text(), st.text())
def test_a_condition_finds_exactly_the_text_in_quotes(wanted, other):
    found = run(f"SELECT Name FROM Thing WHERE Name = {quote(wanted)}", {"Name": wanted}, {"Name": other})
    assert {"Name": wanted} in found
    assert ({"Name": other} in found) == (wanted.casefold() == other.casefold())


@given(st.text(alphabet="ab%_\\'", max_size=6), st.text(alphabet="ab%_\\'", max_size=6))
def test_like_reads_escaped_wildcards_as_letters(wanted, other):
    pattern = quote(wanted).replace("%", "\\%").replace("_", "\\_")
    assert run(f"SELECT Name FROM Thing WHERE Name LIKE {pattern}", {"Name": wanted}) == [{"Name": wanted}]
    assert bool(run(f"SELECT Name FROM Thing WHERE Name LIKE {pattern}", {"Name": other})) == (wanted == other)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_as_malformed(text):
    with suppress(RequestError):  # anything else that is raised fails the test
        assert parse(f"SELECT Name FROM Thing WHERE {text}").where is not None


def test_parentheses_make_the_tree():
    where = parse("SELECT Name FROM Thing WHERE (Name = 'a' OR Size >= 1.5) AND NOT Name = null").where
    assert isinstance(where, Junction)
    assert where.operator == "AND"
    inner = where.parts[0]
    assert isinstance(inner, Junction)
    assert [part.operator for part in inner.parts if isinstance(part, Comparison)] == ["=", ">="]


def test_words_are_read_in_any_case_and_over_lines():
    query = parse("select name\n from Thing\n where name like 'a%' order by name desc nulls last limit 3 offset 1")
    assert (query.limit, query.offset, query.order[0].descending, query.order[0].nulls_last) == (3, 1, True, True)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT FROM Thing",
        "SELECT Name, FROM Thing",
        "SELECT Name FROM Thing WHERE",
        "SELECT Name FROM Thing WHERE Name",
        "SELECT Name FROM Thing WHERE Name = 'open",
        "SELECT Name FROM Thing WHERE Name = 'bad \\q escape'",
        "SELECT Name FROM Thing WHERE Name IN ()",
        "SELECT Name FROM Thing WHERE (Name = 'a'",
        "SELECT Name FROM Thing WHERE Name NOT 'a'",
        "SELECT Name FROM Thing WHERE Name = 'a' OR Name = 'b' AND Size = 1",
        "SELECT Name FROM Thing WHERE At > 2017-13-01T00:00:00Z",
        "SELECT Name FROM Thing WHERE Name LIKE 5",
        "SELECT Name FROM Thing WHERE Name LIKE '\\q'",
        "SELECT Name FROM Thing ORDER Name",
        "SELECT Name FROM Thing LIMIT 1.5",
        "SELECT Name FROM Thing LIMIT x",
        "SELECT Name FROM Thing; DROP",
        "SELECT Name FROM Thing LIMIT 1 extra",
    ],
)
def test_what_is_no_query_is_malformed(text):
    with pytest.raises(RequestError) as refused:
        run(text)
    assert (refused.value.status, refused.value.code) == (400, "MALFORMED_QUERY")


def test_the_place_of_a_mistake_is_told():
    with pytest.raises(RequestError) as refused:
        run("SELECT Name\nFROM Thing\nWHERE Nope = 1")
    assert "Row:3:Column:7" in refused.value.message


@given(st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.integers(0, 3))), st.booleans(), st.booleans())
def test_ordering_by_two_fields(pairs, descending, nulls_last):
    records = [{"Name": name, "Size": size} for name, size in pairs]
    order = f"Size {'DESC' if descending else 'ASC'} NULLS {'LAST' if nulls_last else 'FIRST'}, Name"
    found = run(f"SELECT Name FROM Thing ORDER BY {order}", *records)

    def key(record):
        size = record["Size"]
        empty = (size is None) == nulls_last
        return empty, (0 if size is None else -size if descending else size), record["Name"]

    assert found == sorted(records, key=key)


def test_a_millisecond_counts_against_stamps_of_whole_seconds():
    record = {"At": "2017-01-01T00:00:00.000+0000"}
    assert run("SELECT At FROM Thing WHERE At < 2017-01-01T00:00:00.001Z", record) == [record]
    assert run("SELECT At FROM Thing WHERE At < 2017-01-01T00:00:00Z", record) == []


def test_an_offset_that_is_too_deep_is_refused():
    with pytest.raises(RequestError) as refused:
        run("SELECT Name FROM Thing OFFSET 2001")
    assert refused.value.code == "NUMBER_OUTSIDE_VALID_RANGE"
