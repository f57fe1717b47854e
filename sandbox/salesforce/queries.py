"""query, queryAll and the pages after the first."""

import re

from sandbox.salesforce.api import Call, Reply, Route
from sandbox.salesforce.errors import RequestError, malformed
from sandbox.salesforce.org import Cursor
from sandbox.salesforce.schema import Catalogue, Record
from sandbox.salesforce.soql.compiler import compile_query

_BIGGEST_PAGE = 2000
SMALLEST_PAGE = 200
"""Rows of a page, at least, whatever is asked for."""
_LONGEST_QUERY = 100_000
_MOST_CURSORS = 10


def run_query(catalogue: Catalogue, call: Call, *, everything: bool) -> Reply:
    """Answer one query against `catalogue`; with `everything` deleted and archived records count too."""
    text = call.params.get("q", "")
    if not text:
        raise malformed("A query string has to be specified")
    if len(text) > _LONGEST_QUERY:
        raise RequestError(400, "QUERY_TOO_COMPLICATED", "SOQL statements cannot be longer than 100000 characters.")
    plan = compile_query(text, catalogue)
    rows = plan.run(catalogue.rows(plan.source, everything))
    if plan.selection is None:
        return Reply(200, {"totalSize": len(rows), "done": True, "records": []})
    selection = plan.selection
    base = f"{call.base}/tooling/sobjects" if call.path.startswith("tooling/") else f"{call.base}/sobjects"

    def render(record: Record) -> Record:
        return selection.show(record, base)

    return _page(call, Cursor(render, rows, _page_size(call)), call.org.next_id("01g"), 0)


def _page_size(call: Call) -> int:
    match = re.search(r"batchSize=(\d+)", call.header("Sforce-Query-Options"))
    return max(SMALLEST_PAGE, min(_BIGGEST_PAGE, int(match.group(1)))) if match else _BIGGEST_PAGE


def _page(call: Call, cursor: Cursor, cursor_id: str, start: int) -> Reply:
    end = start + cursor.size
    answer: Record = {"totalSize": len(cursor.rows), "done": end >= len(cursor.rows)}
    if end < len(cursor.rows):
        call.org.cursors[cursor_id] = cursor
        while len(call.org.cursors) > _MOST_CURSORS:
            call.org.cursors.pop(next(iter(call.org.cursors)))  # the oldest
        answer["nextRecordsUrl"] = f"{call.base}/query/{cursor_id}-{end}"
    answer["records"] = [cursor.render(record) for record in cursor.rows[start:end]]
    return Reply(200, answer)


def _query(call: Call) -> Reply:
    return run_query(call.org, call, everything=False)


def _query_all(call: Call) -> Reply:
    return run_query(call.org, call, everything=True)


def _more(call: Call, locator: str) -> Reply:
    cursor_id, _, start = locator.partition("-")
    cursor = call.org.cursors.get(cursor_id)
    if cursor is None or not start.isdigit() or int(start) > len(cursor.rows):
        raise RequestError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return _page(call, cursor, cursor_id, int(start))


ROUTES: list[Route] = [
    ("GET", "query", _query),
    ("GET", "queryAll", _query_all),
    ("GET", "query/<locator>", _more),
]
