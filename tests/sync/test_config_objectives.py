import pytest
from pydantic import ValidationError

from sync.config import Config
from sync.config_sections import TAKEN, Objective
from sync.fields import every_field, field_specs, score_key


def config(*objectives):
    return Config(timezone="UTC", hubspot=[{}], objectives=list(objectives))


def test_a_conversion_says_what_counts():
    assert Objective(predict="conversion", counts="form").title == "First form"
    assert Objective(predict="conversion", counts="form", name="Asks for a demo").title == "Asks for a demo"
    won = Objective(predict="conversion", counts="deal_won")
    assert (won.title, won.event) == ("First won deal", "order")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"predict": "conversion"}, "a conversion needs counts"),
        ({"predict": "value", "counts": "form"}, "counts belongs to"),
        ({"predict": "conversion", "counts": "dancing"}, "counts"),
        ({"predict": "churn", "counts": "deal_won"}, "nobody leaves by buying"),
        ({"predict": "churn", "field": "gone"}, "field belongs to"),
        ({"predict": "conversion", "counts": "form", "field": "value"}, "another field of ours"),
        ({"predict": "conversion", "counts": "form", "field": "toolongx"}, "field"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong, said):
    with pytest.raises(ValidationError, match=said):
        Objective(**wrong)


def test_several_of_a_kind_each_have_a_field_of_their_own():
    asked = (
        {"predict": "conversion", "counts": "order"},
        {"predict": "conversion", "counts": "form", "name": "Asks for a demo", "field": "demo"},
        {"predict": "churn"},
        {"predict": "churn", "counts": "unsubscribe", "field": "leave"},
    )
    made = config(*asked)
    assert [each.key for each in made.objectives] == ["conversion", "demo", "churn", "leave"]
    found = {spec.key: spec for spec in field_specs(made)}
    assert (found["demo_score"].short, found["demo_score"].label) == ("DEMO", "Asks for a demo")
    assert found["leave_score"].description.startswith("Chance in per cent to leave (unsubscribe) within")
    assert [score_key(each.key) for each in made.objectives] == [
        "conversion_score",
        "demo_score",
        "churn_score",
        "leave_score",
    ]
    # The order in the file, or another objective beside it, changes no field.
    turned = {spec.key: spec for spec in field_specs(config(*reversed(asked[1:])))}
    assert turned["demo_score"] == found["demo_score"]
    assert {"demo_score", "leave_score", "response_score"} <= {spec.key for spec in every_field(made)}


def test_the_same_kind_twice_needs_fields_and_names():
    form = {"predict": "conversion", "counts": "form"}
    with pytest.raises(ValidationError, match="give this one a field of its own"):
        config(form, {"predict": "conversion", "counts": "order"})
    with pytest.raises(ValidationError, match="two objectives have the field demo"):
        config({**form, "field": "demo"}, {"predict": "conversion", "counts": "order", "field": "demo"})
    with pytest.raises(ValidationError, match='two objectives are called "First form"'):
        config(form, {**form, "field": "demo"})


def test_no_short_name_of_ours_can_be_taken():
    assert {spec.short for spec in every_field(config({"predict": "value"}))} == TAKEN


def test_a_property_that_counts_must_be_read():
    stage = {"predict": "conversion", "counts": "property:stage=customer"}
    with pytest.raises(ValidationError, match=r'no account reads stage: set properties = \["stage"\]'):
        config(stage)
    made = Config(timezone="UTC", hubspot=[{"properties": ["stage"]}], objectives=[stage])
    assert (made.objectives[0].event, made.objectives[0].reached) == ("stage=customer", ("stage", "customer"))
    assert made.objectives[0].title == "First stage=customer"


def test_again_is_for_conversions():
    once, again = (
        {"predict": "conversion", "counts": "form", **more} for more in ({}, {"again": True, "field": "more"})
    )
    made = config(once, again).objectives
    assert [each.title for each in made] == ["First form", "Next form"]
    assert [each.meaning for each in made] == ["conversion", "again"]
    with pytest.raises(ValidationError, match="again belongs to predict"):
        config({"predict": "churn", "again": True})
