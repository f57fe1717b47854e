"""The promise reads the same everywhere, and each of its clauses names the tests that hold it."""

import re
from pathlib import Path

import pytest

PROMISE = (
    "Pull: no contact lost, at most one page read twice. Write: each contact ends with the last computed value, no "
    "contact created, no consent changed, nothing that is not ours touched, whatever dies when."
)
CLAUSES = [clause.strip() for part in re.findall(r"(?:Pull|Write): ([^.]+)\.", PROMISE) for clause in part.split(",")]
CRASH = Path("docs/explain/crash.md")


@pytest.mark.parametrize("page", ["README.md", "docs/explain/safety.md", str(CRASH)])
def test_the_promise_reads_the_same_everywhere(documents, page) -> None:
    quoted = re.findall(r"(?m)(?:^> .*\n)+", documents[Path(page)])
    assert PROMISE in [" ".join(each.replace("\n> ", " ").removeprefix("> ").split()) for each in quoted]


def test_every_clause_of_the_promise_names_tests_there_are(documents, root) -> None:
    rows = re.findall(r"(?m)^\| \*\*(.+?)\*\* \|(.+)\|(.+)\|$", documents[CRASH])
    assert [clause for clause, _, _ in rows] == CLAUSES
    there = {
        name
        for file in (root / "tests").rglob("test_*.py")
        for name in re.findall(r"(?m)^def (test_\w+)", file.read_text(encoding="utf-8"))
    }
    for clause, _, tests in rows:
        named = set(re.findall(r"`(test_\w+)`", tests))
        assert named, clause
        assert named <= there, clause
