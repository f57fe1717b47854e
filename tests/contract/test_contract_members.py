"""Who is on a list or in a campaign, found by its name or id."""

import pytest

from connectors.errors import NotPermitted, Stop

NAMES = ("Spring pilot", "O'Brien's \"A/B\" 100 % %2F", "Früh\u00adling 🌷", "2017", "a\\b_%")


def on_it(stage, name):
    return set(stage.connect().members(name))


@pytest.fixture
def hand(stage):
    if stage.hand.roster is None:
        with pytest.raises(Stop, match='give these people a tag, and write "mailchimp:tag:Spring pilot"'):
            on_it(stage, "Spring pilot")
        pytest.skip("there are no lists but audiences there, and it says so")
    return stage.hand


def test_everybody_on_it_comes_and_nobody_else(stage, hand, page_size):
    page_size(2)
    first, *people = (person.id for person in stage.people())
    for n, name in enumerate(NAMES):
        id_ = hand.gather(name, people[n:])
        assert on_it(stage, name) == on_it(stage, id_) == set(people[n:])
    hand.gather("Nobody yet", [])
    assert on_it(stage, "Nobody yet") == set()
    assert len(people) > 6
    assert first not in people


def test_reading_changes_nothing(stage, hand):
    hand.gather("Spring pilot", [person.id for person in stage.people()][:3])
    before = stage.records()
    stage.sandbox.reset_calls()
    connector = stage.connect()
    list(connector.members("Spring pilot"))
    assert stage.records() == before
    assert connector.calls.total() <= 3


def test_one_that_is_not_there_is_named_with_the_nearest(stage, hand):
    hand.gather("Spring pilot", [stage.people()[0].id])
    for wrong in ("spring pilots", "Spring pilo", "Spring", "%"):
        with pytest.raises(Stop, match=f'there is no {hand.roster} "{wrong}"') as caught:
            on_it(stage, wrong)
        assert ("Spring pilot" in str(caught.value)) == (wrong != "%"), wrong


def test_an_id_that_is_the_name_of_another_is_no_ones(stage, hand):
    one, other = (person.id for person in stage.people()[:2])
    id_ = hand.gather("Spring pilot", [one])
    hand.gather(id_, [other])
    with pytest.raises(Stop, match=f'2 {hand.roster}s are called "{id_}"'):
        on_it(stage, id_)
    assert on_it(stage, "Spring pilot") == {one}


def test_without_the_right_to_look_it_says_which(stage, hand):
    hand.gather("Spring pilot", [stage.people()[0].id])
    hand.shut_rosters()
    with pytest.raises(NotPermitted, match=r"crm\.lists\.read|CampaignMember"):
        on_it(stage, "Spring pilot")


def test_who_was_merged_counts_by_the_new_id(stage, hand):
    loser, winner, other = (person.id for person in stage.people()[:3])
    hand.gather("Spring pilot", [loser, other])
    hand.merge(loser, winner)
    told = stage.told()
    leads_to = {old: id_ for id_, contact in told.items() for old in contact.aliases}
    leads_to |= {id_: contact.merged_into for id_, contact in told.items() if contact.merged_into}
    found = {leads_to.get(id_, id_) for id_ in on_it(stage, "Spring pilot")}
    assert found == {leads_to.get(winner, winner), other}
