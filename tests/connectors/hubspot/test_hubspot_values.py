"""Values on their way to the platform and back, and what is read out of a contact."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import FieldType
from connectors.hubspot import mail
from connectors.hubspot.answers import cents, instant, millis, parts
from connectors.hubspot.contacts import consent_of
from connectors.hubspot.fields import from_platform, to_platform
from connectors.records import Consent

NAMES = st.text(st.characters(codec="utf-8", exclude_characters=";", exclude_categories=["C", "Z"]), min_size=1)


@given(st.floats(-1e9, 1e9, allow_nan=False))
def test_numbers_come_back(number):
    assert from_platform(FieldType.NUMBER, to_platform(number)) == round(number, 2)


@given(st.sets(NAMES, min_size=1))
def test_tags_come_back_sorted(tags):
    assert from_platform(FieldType.TAGS, to_platform(tuple(tags))) == tuple(sorted(tags))


@given(NAMES)
def test_texts_come_back(text):
    assert from_platform(FieldType.TEXT, to_platform(text)) == text


@pytest.mark.parametrize("value", [True, False])
def test_yes_and_no_come_back(value):
    assert from_platform(FieldType.YES_NO, to_platform(value)) is value


@pytest.mark.parametrize("type_", FieldType)
@pytest.mark.parametrize("empty", [None, ""])
def test_empty_comes_back_as_nothing(type_, empty):
    assert to_platform(empty) == ""
    assert from_platform(type_, empty) is None


@given(st.sets(NAMES))
def test_trap_tags_are_written_as_the_whole_set(tags):
    """A leading semicolon would add to what is there, and nothing takes a single one away."""
    assert not to_platform(tuple(tags)).startswith(";")


def test_no_tags_clear_the_field():
    assert to_platform(()) == ""


@pytest.mark.parametrize(
    ("value", "text"), [(80.0, "80"), (0.0, "0"), (-0.001, "0"), (12.345678, "12.35"), (100, "100")]
)
def test_numbers_are_written_shortly(value, text):
    assert to_platform(value) == text


@pytest.mark.parametrize("text", ["2017-03-09", "1489017600000", "2017-03-09T00:00:00Z"])
def test_dates_come_in_several_forms(text):
    assert from_platform(FieldType.DATE, text) == "2017-03-09"


@pytest.mark.parametrize(("type_", "text"), [(FieldType.NUMBER, "n/a"), (FieldType.DATE, "soon")])
def test_unreadable_values_are_left_out(type_, text):
    assert from_platform(type_, text) is None


@pytest.mark.parametrize(
    ("optout", "consent"),
    [("true", Consent.OPTED_OUT), ("Yes", Consent.OPTED_OUT), ("false", Consent.GRANTED), (None, Consent.UNKNOWN)],
)
def test_trap_an_empty_opt_out_is_no_yes(optout, consent):
    assert consent_of({"hs_email_optout": optout}) is consent


@pytest.mark.parametrize(
    ("optout", "basis", "consent"),
    [
        (None, "Freely given consent from contact", Consent.GRANTED),
        (None, "Performance of a contract;Freely given consent from contact", Consent.GRANTED),
        ("true", "Freely given consent from contact", Consent.OPTED_OUT),
        (None, "Legitimate interest - other", Consent.UNKNOWN),
        (None, "Not applicable", Consent.UNKNOWN),
        (None, None, Consent.UNKNOWN),
    ],
)
def test_trap_only_a_consent_that_was_given_is_a_legal_basis_that_says_yes(optout, basis, consent):
    assert consent_of({"hs_email_optout": optout, "hs_legal_basis": basis}) is consent


def test_trap_consent_that_may_not_be_read_is_unknown():
    assert consent_of({}) is Consent.UNKNOWN
    assert consent_of({"hs_legal_basis": "Freely given consent from contact"}) is Consent.UNKNOWN


@pytest.mark.parametrize(
    "text", ["2025-05-03T12:13:14.150Z", "2025-05-03T14:13:14.150+02:00", "1746274394150", 1746274394150]
)
def test_trap_instants_come_in_several_forms(text):
    assert instant(text) == datetime(2025, 5, 3, 12, 13, 14, 150_000, tzinfo=UTC)


@pytest.mark.parametrize("text", [None, "", "soon", "9" * 30])
def test_unreadable_instants_are_none(text):
    assert instant(text) is None


@given(st.integers(1, 4_102_444_800_000))
def test_milliseconds_round_trip(moment):
    assert millis(instant(str(moment))) == moment


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        ("12.5", 1250),
        ("8.600000000000000477", 860),
        ("0.005", 1),
        ("1e3", 100_000),
        (None, None),
        ("NaN", None),
        ("", None),
    ],
)
def test_amounts_in_cents(amount, expected):
    assert cents(amount) == expected


def test_multiple_values():
    assert parts("a; b;;c") == ("a", "b", "c")
    assert parts(None) == ()


def mailed(**properties):
    return list(mail.activities({"id": "7", "properties": properties}))


def test_a_first_date_that_is_the_last_counts_once():
    [only] = mailed(
        hs_email_first_send_date="2017-03-01T09:00:00Z",
        hs_email_last_send_date="2017-03-01T09:00:00Z",
        hs_email_last_email_name="Spring",
    )
    assert (only.kind, only.contact_id, only.campaign) == ("send", "7", "Spring")


def test_the_last_date_keeps_its_id_when_it_is_no_longer_the_last():
    before = mailed(hs_email_first_open_date="2017-03-01T09:00:00Z", hs_email_last_open_date="2017-03-01T09:00:00Z")
    after = mailed(hs_email_first_open_date="2017-03-01T09:00:00Z", hs_email_last_open_date="2017-04-01T09:00:00Z")
    assert {a.id for a in before} < {a.id for a in after}
    assert len(after) == 2


def test_every_kind_of_mail_date_is_told():
    told = mailed(
        **{
            f"hs_email_{n}_{k}_date": f"2017-0{i}-01T09:00:00Z"
            for i, (n, k) in enumerate(
                [(n, k) for n in ("first", "last") for k in ("send", "open", "click", "reply")], 1
            )
        }
    )
    assert sorted(a.kind for a in told) == sorted(["send", "open", "click", "response"] * 2)
