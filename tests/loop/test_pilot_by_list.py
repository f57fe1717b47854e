"""A pilot of the people on a HubSpot list and in a Salesforce campaign, over HTTP through the whole loop."""

from datetime import timedelta

import pytest
import requests

from sandbox.salesforce.ids import make_id
from sync.configfile import load

PILOT = """
[pilot]
share = 1
only = ["hubspot:list:Spring pilot", "salesforce:campaign:Spring"]
"""


class Marketer:
    """Whoever keeps the list and the campaign."""

    def __init__(self, loop):
        self._url = f"{loop.sandbox.url}/hubspot/crm/v3"
        self._hubspot = loop.sandbox.platform("hubspot")
        self._org = loop.sandbox.platform("salesforce").org
        made = self._call("POST", "/lists", {"name": "Sprng pilot", "objectTypeId": "0-1", "processingType": "MANUAL"})
        self._list = made["list"]["listId"]
        now, self._members = self._org.now(), 900_000_000
        self._made = {"IsDeleted": False, "CreatedDate": now, "SystemModstamp": now}
        self._campaign = make_id("701", 900_001)
        self._org.records.add("Campaign", {**self._made, "Id": self._campaign, "Name": "Spring"})

    def enlist(self, *contacts):
        self._call("PUT", f"/lists/{self._list}/memberships/add", list(contacts))

    def invite(self, *people):
        for id_ in people:
            self._members += 1
            who = {"CampaignId": self._campaign, "LeadId" if id_.startswith("00Q") else "ContactId": id_}
            self._org.records.add("CampaignMember", {**self._made, "Id": make_id("00v", self._members), **who})

    def strike(self, contact):
        self._hubspot._portal.lists[self._list]["members"].remove(contact)

    def rename(self, name):
        self._hubspot._portal.lists[self._list]["name"] = name

    def forbid(self):
        self._hubspot.scopes.discard("crm.lists.read")

    def delete(self):
        self._hubspot.scopes.add("crm.lists.read")
        self._call("DELETE", f"/lists/{self._list}")

    def merge(self, loser, winner):
        self._call("POST", "/objects/contacts/merge", {"primaryObjectId": winner, "objectIdToMerge": loser})

    def _call(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {self._hubspot.token}"}
        answer = requests.request(method, self._url + path, json=body, headers=headers, timeout=5)
        answer.raise_for_status()
        return answer.json() if answer.content else None


@pytest.fixture
def loop(tiny):
    """In a pilot of everybody on the list and in the campaign."""
    text = tiny.config_file.read_text().replace('mode = "full"', 'mode = "pilot"')
    tiny.config_file.write_text(text + PILOT)
    tiny.config = load(tiny.config_file)
    return tiny


def alone(loop, account):
    """Ids of contacts that may be written to, of people who are nowhere else."""
    found = loop.ask(
        """SELECT id FROM contact WHERE account = ? AND writable AND consent != 'opted_out' AND person_id IN
        (SELECT person_id FROM contact GROUP BY person_id HAVING count(*) = 1) ORDER BY id""",
        account,
    )
    return [id_ for (id_,) in found]


def written(loop):
    """Who has a segment of ours, on HubSpot and on Salesforce."""
    platforms = loop.sandbox.snapshot()
    salesforce = platforms["salesforce"]["Contact"] | platforms["salesforce"]["Lead"]
    hubspot = {id_ for id_, row in platforms["hubspot"]["contacts"].items() if row.get("ft_segment")}
    return hubspot, {id_ for id_, row in salesforce.items() if row.get("FT_Segment__c")}


def later(loop):
    """A run a day later; what it said of the lists."""
    loop.sandbox.advance(loop.now + timedelta(days=1))
    outcome = loop.run()
    assert outcome.verdict == "ok"
    return " ".join(outcome.plan.unlisted)


@pytest.mark.slow
def test_a_pilot_by_list_and_campaign_from_its_beginning_to_its_end(loop):
    marketer = Marketer(loop)
    [told] = loop.run().plan.unlisted
    assert told.startswith('hubspot: there is no list "Spring pilot"; nearest: "Sprng pilot".')
    hubspot, salesforce = alone(loop, "hubspot"), alone(loop, "salesforce")
    marketer.enlist(*hubspot[:3])
    assert "there is no list" in later(loop)
    assert written(loop) == (set(), set())

    marketer.rename("Spring pilot")
    marketer.invite(*salesforce[:2])
    assert later(loop) == ""
    assert written(loop) == (set(hubspot[:3]), set(salesforce[:2]))
    assert set(loop.ask("SELECT DISTINCT account FROM outbox")) == {("hubspot",), ("salesforce",)}
    [[acted_on]] = loop.ask("SELECT count(DISTINCT person_id) FROM prediction WHERE arm != 'none'")
    assert 0 < acted_on <= 5

    marketer.enlist(hubspot[3])
    marketer.invite(salesforce[2])
    marketer.strike(hubspot[0])
    assert later(loop) == ""
    assert written(loop) == (set(hubspot[:4]), set(salesforce[:3]))

    marketer.enlist(hubspot[4])
    marketer.invite(salesforce[3])
    marketer.forbid()
    assert "crm.lists.read" in later(loop)
    marketer.delete()
    marketer.merge(hubspot[0], hubspot[4])
    assert 'there is no list "Spring pilot"' in later(loop)
    assert written(loop) == (set(hubspot[1:5]), set(salesforce[:4]))
