"""Numbers, names, playbooks, filters and moves: the small words of the page."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.report import moving, numbers
from sync.report.data import Flow, Headline, Migration, Mover, Platform, ReportData, Segment
from sync.report.filters import filters
from sync.report.names import display_name
from sync.report.playbooks import PLAYBOOKS, direction

LABELS = {"Champions": "Stars", "Cooling": "Cooling"}


def test_numbers_are_written_for_people() -> None:
    assert numbers.whole(12408) == "12,408"
    assert [numbers.signed(n) for n in (12, 0, -8)] == ["+12", "0", "\u22128"]
    assert [numbers.percent(p).replace("\u00a0", " ") for p in (0, 0.004, 0.412, 1)] == [
        "0 %",
        "0.4 %",
        "41 %",
        "100 %",
    ]
    assert numbers.money(940_000, "EUR") == "9,400\u00a0EUR"
    assert [numbers.amount(cents) for cents in (0, 1234, -1234_00)] == ["0", "12.34", "\u22121,234"]
    assert numbers.day(date(2017, 12, 1)) == "1 December 2017"
    assert numbers.moment(datetime(2017, 12, 1, 7, 4, tzinfo=UTC)) == "1 December 2017, 07:04 UTC"
    assert numbers.measured(None) == "–"


@given(total=st.integers(1, 200), share=st.floats(0, 1))
def test_no_percentage_of_fewer_than_thirty(total: int, share: float) -> None:
    said = numbers.portion(round(share * total), total)
    assert ("%" in said) == (total >= 30)


@given(total=st.integers(1, 5000), share=st.floats(0, 1))
def test_the_range_of_a_share_holds_it_and_stays_between_nothing_and_all(total: int, share: float) -> None:
    hits = round(share * total)
    seen = numbers.proportion_range(hits, total)
    assert 0 <= seen.low <= seen.value + 1e-12
    assert seen.value - 1e-12 <= seen.high <= 1


def test_the_range_is_wilsons() -> None:
    seen = numbers.proportion_range(7, 19)
    assert (round(seen.low, 4), round(seen.high, 4)) == (0.1915, 0.5896)


@pytest.mark.parametrize(
    ("first", "last", "email", "shown"),
    [
        ("Lena", "krause", "lena@shop.example", "Lena K."),
        (" Lena ", "", "lena@shop.example", "Lena"),
        ("", "Krause", "lena@shop.example", "K."),
        ("", "", "lena.krause@mail.shop.example", "l…@….example"),
        ("", "", "lena@localhost", "l…@…"),
        ("", "", "", "Someone without a name"),
    ],
)
def test_nobody_is_named_in_full(first: str, last: str, email: str, shown: str) -> None:
    assert display_name(first, last, email) == shown


def test_all_nine_segments_have_a_playbook() -> None:
    assert list(PLAYBOOKS) == [
        "Champions", "Loyal", "Rising", "Promising", "New", "Steady", "Cooling", "At risk", "Lost",
    ]  # fmt: skip
    for play in PLAYBOOKS.values():
        assert all(len(text) > 15 for text in (play.who, play.goal, play.send, play.avoid, play.trigger))


@pytest.mark.parametrize(
    ("origin", "target", "way"),
    [
        ("Champions", "Cooling", "down"),
        ("Lost", "Steady", "up"),
        ("New", "Promising", "sideways"),
        ("Loyal", "Loyal", "stayed"),
        (None, "New", "joined"),
        ("Lost", None, "left"),
        ("Loyal", "Own segment", "sideways"),
    ],
)
def test_the_way_of_a_move(origin: str | None, target: str | None, way: str) -> None:
    assert direction(origin, target) == way


def test_filters_fit_the_connected_platforms() -> None:
    asked: tuple[Platform, ...] = ("salesforce", "mailchimp", "hubspot", "hubspot", "files")
    plain = {one.platform: one.text for one in filters("At risk", asked, prefix="ft_", without_control=False)}
    assert plain == {
        "HubSpot": "ft_segment is any of At risk",
        "Mailchimp": "Tags: contact is tagged FT: At risk",
        "Salesforce": "FT_Segment__c equals At risk",
        "CSV file": "ft_segment = At risk",
    }
    assert filters("Lost", (), prefix="ft_", without_control=False) == ()
    (spared,) = filters("Lost", ("mailchimp",), prefix="ft_", without_control=True)
    assert spared.text == "Tags: contact is tagged FT: Lost AND contact is not tagged FT: Control"


def test_a_segment_tells_its_change() -> None:
    def told(before: int | None) -> str:
        return moving.change(Segment("New", "New", 10, before, 0))

    assert [told(None), told(10), told(4), told(11)] == ["first run", "same", "+6", "\u22121"]


def test_moves_come_by_money_and_without_stayers() -> None:
    fall, rise = Flow("Champions", "Cooling", 3, 900_00), Flow("Cooling", "Champions", 9, 50_00)
    moved = Migration(datetime(2017, 11, 1, tzinfo=UTC), (Flow("Cooling", "Cooling", 80, 1), rise, fall))
    assert moving.moves(moved) == [fall, rise]
    assert moving.moved(moved, "Cooling", "Champions") == 9
    assert moving.told(fall, LABELS, "EUR") == "3 Stars → Cooling, 900\u00a0EUR"
    assert moving.summary(moved, LABELS, "EUR").startswith(
        "12 people (13\u00a0%) changed segment. Most at stake: 3 Stars"
    )


def test_few_moves_are_counted_and_joining_is_named() -> None:
    moved = Migration(datetime(2017, 11, 1, tzinfo=UTC), (Flow(None, "Cooling", 2, 0), Flow("Cooling", None, 1, 5)))
    assert moving.summary(moved, LABELS, "EUR") == "3 of 3 changed segment. Nobody moved down."
    assert [moving.route(flow, LABELS) for flow in moved.flows] == [
        "not scored → Cooling",
        "Cooling → no longer scored",
    ]


def test_data_refuses_what_would_mislead(empty: ReportData) -> None:
    with pytest.raises(ValueError, match="at most 3"):
        Headline("ok", (), ("a", "b", "c", "d"))
    with pytest.raises(ValueError, match="https"):
        Mover("Lena K.", "record", 1, 2, "", url="javascript:alert(1)")
    with pytest.raises(ValueError, match="time zone"):
        ReportData(empty.generated_at.replace(tzinfo=None), empty.as_of, "full", "EUR", empty.headline, "", 1)
