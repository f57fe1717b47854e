"""Members of campaigns."""

import pytest

from connectors.errors import NotPermitted, Stop
from sandbox.salesforce.rows import campaign_id


def member_rows(box, campaign):
    rows = box.platform.org.records.tables["CampaignMember"].values()
    return [row for row in rows if row["CampaignId"] == campaign and not row.get("IsDeleted")]


def test_a_campaign_of_the_shops_own_is_found_by_name_and_by_both_its_ids(box):
    campaign = campaign_id(1)
    there = {row["ContactId"] for row in member_rows(box, campaign)}
    name = box.platform.org.records.tables["Campaign"][campaign]["Name"]
    assert len(there) > 2
    for wanted in (name, campaign, campaign[:15]):
        assert set(box.connect().members(wanted)) == there, wanted


def test_trap_a_converted_lead_in_a_campaign_is_the_contact_it_became(box):
    campaign = campaign_id(1)
    first, second, *_ = member_rows(box, campaign)
    first["LeadId"] = "00Q000000000001AAA"
    second["LeadId"], second["ContactId"] = "00Q000000000002AAA", None
    found = set(box.connect().members(campaign))
    assert first["ContactId"] in found
    assert "00Q000000000001AAA" not in found
    assert "00Q000000000002AAA" in found


def test_trap_a_deleted_campaign_or_membership_counts_no_more(box):
    campaign = campaign_id(1)
    gone, *others = member_rows(box, campaign)
    box.platform.delete(gone["Id"])
    assert set(box.connect().members(campaign)) == {row["ContactId"] for row in others}
    box.platform.delete(campaign)
    with pytest.raises(Stop, match="there is no campaign"):
        set(box.connect().members(campaign))


@pytest.mark.parametrize("object_", ["Campaign", "CampaignMember"])
def test_what_may_not_be_read_is_named(box, object_):
    box.platform.close(object_)
    with pytest.raises(NotPermitted, match=rf"of {object_}\. Give that user read access"):
        set(box.connect().members("Spring"))
