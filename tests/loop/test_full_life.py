"""A whole life with foretag, every request of it recorded: making the fields, reading, three runs, undo, cleanup."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from click.testing import CliRunner

from sandbox.server import Sandbox
from sync import cli

pytestmark = pytest.mark.slow

LIST = r"/3\.0/lists/\w+"
DATA = r"/services/data/v\d+\.0"
# Written from the platforms' documents, not from the adapters' own rules: everything that may ever be sent.
READS = {
    "hubspot": (
        r"GET /crm/v3/objects/(contacts|deals)",
        r"POST /crm/v3/objects/(contacts|deals)/(search|batch/read)",
        r"POST /crm/v4/associations/deals/contacts/batch/read",
        r"GET /crm/v3/properties/\w+(/groups)?",
        r"GET /crm/v3/limits/custom-properties",
        r"GET /marketing/v3/forms/?",
        r"GET /form-integrations/v1/submissions/forms/[\w-]+",
        r"GET /account-info/v3/.+",
    ),
    "mailchimp": (
        r"GET /3\.0/(lists|reports|ecommerce/stores|ping)?",
        rf"GET {LIST}(/(members(/\w+(/tags)?)?|merge-fields|segments))?",
        r"GET /3\.0/ecommerce/stores/\w+/orders",
        r"POST /3\.0/batches",
        r"GET /3\.0/batches/\w+",
        r"GET /batch-results/.+",
    ),
    "salesforce": (
        rf"GET {DATA}/(query|queryAll|tooling/query)/?[\w-]*",
        rf"POST {DATA}/composite/(batch|sobjects/(Contact|Lead))",
        rf"GET {DATA}/(sobjects/\w+/describe|sobjects/\w+/deleted|limits)/?",
        r"GET /services/oauth2/userinfo",
        r"POST /services/oauth2/token",
    ),
}
WRITES = {
    "hubspot": (r"POST /crm/v3/objects/contacts/batch/update",),
    "mailchimp": (rf"POST {LIST}(/segments/\d+)?",),
    "salesforce": (
        rf"PATCH {DATA}/composite/sobjects",
        rf"POST {DATA}/composite",
        rf"(POST|PUT|PATCH|GET) {DATA}/jobs/ingest.*",
    ),
}
MAKES = {
    "hubspot": (r"POST /crm/v3/properties/contacts/(groups|batch/create)", r"PATCH /crm/v3/properties/contacts/ft_\w+"),
    "mailchimp": (rf"POST {LIST}/(merge-fields|segments)",),
    "salesforce": (rf"POST {DATA}/(tooling/sobjects/CustomField|sobjects/(PermissionSet\w*|FieldPermissions))/?",),
}
REMOVES = {
    "hubspot": (r"DELETE /crm/v3/properties/contacts/(ft_\w+|groups/foretag)",),
    "mailchimp": (rf"DELETE {LIST}/(merge-fields|segments)/\d+",),
    "salesforce": (rf"DELETE {DATA}/(tooling/sobjects/CustomField|sobjects/PermissionSet(Assignment)?)/\w+",),
}
MAY_SEND = {
    "pull": (READS,),
    "provision": (READS, MAKES),
    "run": (READS, WRITES),
    "undo": (READS, WRITES),
    "cleanup": (READS, WRITES, REMOVES),
}
CONSENT = re.compile(
    r"(?i)status(_if_new)?|hs_email_optout.*|hs_legal_basis|hs_marketable.*|lifecyclestage|hubspot_owner_id|OwnerId|"
    r"HasOptedOut\w*|DoNotCall|HasOptedOutProfiling|marketing_permissions|gdpr_permissions|sync_tags|IsDeleted"
)
PEOPLE = {"hubspot": ("contacts",), "mailchimp": ("members",), "salesforce": ("Contact", "Lead")}


@dataclass
class Recorded:
    """What was done, and every request it sent: platform, METHOD /path, body."""

    command: str
    output: str
    log: str
    requests: list[tuple[str, str, str]] = field(default_factory=list)


class Recorder:
    """Sees every request before the sandbox does."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.requests: list[tuple[str, str, str]] = []
        self._answer: Callable[[dict[str, Any]], Any] = sandbox._gate.answer
        sandbox._gate.answer = self._record

    def _record(self, environ: dict[str, Any]) -> Any:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        platform, _, path = environ["PATH_INFO"].lstrip("/").partition("/")
        self.requests.append((platform, f"{environ['REQUEST_METHOD']} /{path}", body.decode()))
        return self._answer(environ)


def people(sandbox: Sandbox) -> dict[str, set[str]]:
    snapshot = sandbox.snapshot()
    return {kind: set(snapshot[name][kind]) for name, kinds in PEOPLE.items() for kind in kinds}


def addresses(sandbox: Sandbox) -> set[str]:
    snapshot = sandbox.snapshot()
    rows = [row for name, kinds in PEOPLE.items() for kind in kinds for row in snapshot[name][kind].values()]
    found = {row.get("email") or row.get("email_address") or row.get("Email") for row in rows}
    return {address.lower() for address in found if address}


@pytest.fixture(scope="module")
def life(tiny_world, tmp_path_factory, install_in, loops) -> Iterator[tuple[list[Recorded], Sandbox]]:
    """All of it, by the commands a person would type; no contact comes or goes by a command."""
    with Sandbox(tiny_world, loops.date, limits=False) as sandbox:
        loop = install_in(sandbox, tmp_path_factory.mktemp("life"))
        recorder, done = Recorder(sandbox), []
        root, handlers, level = logging.getLogger(), logging.getLogger().handlers, logging.getLogger().level
        commands = ["provision", "pull", "run", "run", "run", "undo", "cleanup"]
        for command in commands:
            more = {"undo": ["--run", "1", "--yes"], "cleanup": ["--yes"], "run": ["--accept-large-change"]}
            line = ["-vvv", "--now", f"{loop.now:%Y-%m-%d}", "--config", str(loop.config_file), command]
            before, first = people(sandbox), len(recorder.requests)
            result = CliRunner().invoke(cli.main, [*line, *more.get(command, [])])
            assert result.exit_code == 0, result.output
            assert people(sandbox) == before, f"{command} made or took away a contact"
            done.append(Recorded(command, result.stdout, result.stderr, recorder.requests[first:]))
            if command == "run":
                sandbox.advance(loop.now + timedelta(days=31))
        root.handlers = handlers
        root.setLevel(level)
        yield done, sandbox


def test_no_request_leaves_that_is_not_allowed_for_what_was_asked(life):
    sent, strange = 0, []
    for each in life[0]:
        for platform, call, _ in each.requests:
            allowed = [pattern for kind in MAY_SEND[each.command] for pattern in kind[platform]]
            makes = MAKES[platform] if each.command == "run" and platform != "salesforce" else ()
            sent += 1
            if not any(re.fullmatch(pattern, call) for pattern in (*allowed, *makes)):
                strange.append((each.command, platform, call))
    assert strange == []
    assert sent > 150


def test_each_command_sent_what_it_is_for(life):
    for each in life[0]:
        for part in MAY_SEND[each.command]:
            for platform, patterns in part.items():
                found = [call for name, call, _ in each.requests if name == platform]
                if part is READS or each.command in ("provision", "cleanup"):
                    assert any(re.fullmatch(pattern, call) for pattern in patterns for call in found), (
                        each.command, platform, patterns
                    )  # fmt: skip


def keys(value: Any) -> Iterator[str]:
    """Every key of a JSON value, at any depth; and the names in the first line of a CSV text."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)


def names_sent(call: str, body: str) -> set[str]:
    try:
        return set(keys(json.loads(body)))
    except ValueError:
        return set(body.partition("\n")[0].replace('"', "").strip().split(",")) if "ingest" in call else set()


def test_no_body_holds_consent_ownership_or_deletion(life):
    found = {
        (platform, call, name)
        for each in life[0]
        for platform, call, body in each.requests
        if body and not re.search(r"/search$|batch/read$|composite/batch$|/batches$", call)
        for name in names_sent(call, body)
        if CONSENT.fullmatch(name)
    }
    assert found == set()


def test_batches_of_mailchimp_read_campaigns_and_set_our_tags_in_silence(life):
    asked = [
        (each.command, operation)
        for each in life[0]
        for _, call, body in each.requests
        if call == "POST /3.0/batches"
        for operation in json.loads(body)["operations"]
    ]
    reads = [operation for _, operation in asked if operation["method"] == "GET"]
    writes = [(command, operation) for command, operation in asked if operation["method"] != "GET"]
    assert reads
    assert all(re.fullmatch(r"/reports/\w+/[\w-]+", operation["path"]) for operation in reads)
    assert {command for command, _ in writes} <= {"run", "undo", "cleanup"}
    for _, operation in writes:
        assert operation["method"] == "POST"
        assert re.fullmatch(r"/lists/\w+/members/\w+/tags", operation["path"])
        body = json.loads(operation["body"])
        assert body.keys() == {"tags", "is_syncing"}
        assert body["is_syncing"] is True
        for tag in body["tags"]:
            assert tag.keys() == {"name", "status"}
            assert tag["name"].startswith("FT: ")
            assert tag["status"] in ("active", "inactive")


def test_no_token_and_no_address_stands_in_any_line_of_the_log(life):
    done, sandbox = life
    log = "".join(each.log for each in done)
    assert len(log.splitlines()) > 300, "everything is logged"
    assert "DEBUG" in log
    for name, platform in sandbox.platforms.items():
        assert platform.token not in log, name
    lines = log.lower()
    assert [address for address in addresses(sandbox) if address in lines or address.replace("@", "%40") in lines] == []
