"""Of a thousand contacts a platform refuses ten in ten different ways: the others are written, the ten are named."""

import json
import re
from datetime import timedelta

import pytest
from click.testing import CliRunner

from sandbox.hubspot.troubles import Trouble as HubSpotTrouble
from sandbox.mailchimp.troubles import Trouble as MailchimpTrouble
from sandbox.salesforce.troubles import Trouble as SalesforceTrouble
from sandbox.server import Sandbox
from sandbox.world import small
from sync import cli
from sync.configfile import load
from sync.redact import redact

TROUBLES = {
    "hubspot": [
        HubSpotTrouble("Loyal was not one of the allowed options", "INVALID_OPTION", "ft_segment"),
        HubSpotTrouble("41.3 was not a valid number.", "INVALID_INTEGER", "ft_buy_score"),
        HubSpotTrouble("2017-09-30 was not a valid long or date.", "INVALID_DATE", "ft_scored_on"),
        HubSpotTrouble("At most 65536 are allowed.", "VALUE_TOO_LONG", "ft_reasons"),
        HubSpotTrouble("true is not a text", "INVALID_TYPE", "ft_control_group"),
        HubSpotTrouble("nobody@nowhere.example belongs to contact 5", "CONFLICTING_UNIQUE_VALUE", "email"),
        HubSpotTrouble("This contact is locked by a legal hold"),
        HubSpotTrouble("A rule of the portal is broken", "VALIDATION_RULE", "ft_buy_score", how="unnamed"),
        HubSpotTrouble("Something is wrong with one of these", how="unnamed"),
        HubSpotTrouble(how="silent"),
    ],
    "mailchimp": [
        MailchimpTrouble("Please enter a complete address", "ADDRESS"),
        MailchimpTrouble("Please enter a number", "FT_BUY"),
        MailchimpTrouble("looks fake or invalid, please enter a real email address."),
        MailchimpTrouble("has signed up to a lot of lists very recently"),
        MailchimpTrouble("Schema describes object, something else found instead", "merge_fields", how="numbered"),
        MailchimpTrouble("nobody@nowhere.example is under review", how="unnamed"),
        MailchimpTrouble(how="silent"),
        MailchimpTrouble(how="kept"),
        MailchimpTrouble("This address cannot be tagged", how="tag"),
        MailchimpTrouble("One of the addresses is not valid", how="tag unnamed"),
    ],
    "salesforce": [
        SalesforceTrouble("FIELD_CUSTOM_VALIDATION_EXCEPTION", "A customer needs a region"),
        SalesforceTrouble("REQUIRED_FIELD_MISSING", "Required fields are missing: [Region__c]"),
        SalesforceTrouble("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "ContactTrigger: System.NullPointerException"),
        SalesforceTrouble("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record"),
        SalesforceTrouble("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "insufficient access rights"),
        SalesforceTrouble("ENTITY_IS_LOCKED", "the record is locked by an approval process"),
        SalesforceTrouble("DUPLICATES_DETECTED", "Use one of these records?"),
        SalesforceTrouble("STRING_TOO_LONG", "Region: data value too large"),
        SalesforceTrouble("INVALID_EMAIL_ADDRESS", "Email: invalid email address: nobody@nowhere.example"),
        SalesforceTrouble("TRANSFER_REQUIRES_READ", "The new owner must have read permission"),
    ],
}

AT_ONCE = ("silent", "kept", "tag", "tag unnamed")


@pytest.fixture(params=TROUBLES)
def thousand(request, tmp_path, install_in, loops):
    """One platform with about a thousand people, and nothing else; its name."""
    with Sandbox(small(2_500), loops.date, limits=False) as sandbox:
        loop = install_in(sandbox, tmp_path)
        head, *accounts = re.split(r"(?=\[\[(?:hubspot|mailchimp|salesforce)\]\])", loop.config_file.read_text())
        (mine,) = (each for each in accounts if each.startswith(f"[[{request.param}]]"))
        loop.config_file.write_text(head + mine)
        loop.config = load(loop.config_file)
        loop.provision(request.param)
        yield loop, request.param


def segments(loop, platform: str) -> dict[str, str]:
    """Who is in which segment, by what the platform itself holds."""
    kinds = loop.sandbox.snapshot()[platform]
    match platform:
        case "hubspot":
            held = {id_: row.get("ft_segment") for id_, row in kinds["contacts"].items()}
        case "mailchimp":
            tagged = {
                id_: [tag for tag in row["tags"] if tag != "FT: Control"] for id_, row in kinds["members"].items()
            }
            columns = {id_: row["merge_fields"].get("FT_SEGMENT") for id_, row in kinds["members"].items()}
            held = {id_: columns[id_] if tags == [f"FT: {columns[id_]}"] else None for id_, tags in tagged.items()}
        case _:
            held = {id_: row.get("FT_Segment__c") for id_, row in {**kinds["Contact"], **kinds["Lead"]}.items()}
    return {id_: segment for id_, segment in held.items() if segment}


@pytest.mark.slow
def test_of_a_thousand_ten_are_refused_and_named_and_delivered_once_mended(thousand):
    loop, name = thousand
    platform, troubles = loop.sandbox.platform(name), TROUBLES[name]
    objects = {"hubspot": "contacts", "mailchimp": "members", "salesforce": "Contact"}
    mended = sorted(loop.sandbox.snapshot()[name][objects[name]])[::40][: len(troubles)]
    for id_, trouble in zip(mended, troubles, strict=True):
        platform.trouble(id_, trouble)
    outcome = loop.run()
    planned = {change.id for change in outcome.plan.changes[name]}
    assert len(planned) >= 1_000
    assert set(mended) <= planned
    assert set(segments(loop, name)) == planned - set(mended)
    (applied,) = outcome.applied
    assert (applied.written, applied.failed.total()) == (len(planned) - 10, 10)

    line = ["--config", str(loop.config_file), "runs", "show", str(outcome.number), "--failed", "--json"]
    shown = json.loads(CliRunner().invoke(cli.main, line).output)
    reasons = {each["id"]: each["reason"] for each in shown}
    assert reasons.keys() == set(mended)
    for id_, trouble in zip(mended, troubles, strict=True):
        told = redact(trouble.message) or "answer"  # of those passed over it is said that the answer lacks them
        assert any(each in reasons[id_] for each in (told, getattr(trouble, "code", "") or told))
    assert "nobody@nowhere.example" not in json.dumps(shown)

    # who was refused waits; what nothing was heard of, or was written in part, is tried again at once
    at_once = {id_ for id_, trouble in zip(mended, troubles, strict=True) if getattr(trouble, "how", "") in AT_ONCE}
    assert {change.id for change in loop.run().plan.changes[name]} == at_once
    for id_ in mended:
        platform.trouble(id_, None)
    loop.sandbox.advance(loop.now + timedelta(hours=2))
    delivered = loop.run()
    assert delivered.verdict == "ok"
    assert set(segments(loop, name)) >= planned
    loop.run()
    assert loop.writes() == {}
