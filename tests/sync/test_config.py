"""The config models: presets, parsed values, and settings that do not fit together."""

from datetime import time, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from sync.config import PRESETS, Config
from sync.config_keys import blocks
from sync.config_people import Mark
from sync.config_text import Answers, config_text
from sync.configfile import parse


def config(**given):
    return Config.model_validate({"timezone": "Europe/Berlin", "hubspot": [{}], **given})


def refused(**given):
    with pytest.raises(ValidationError) as caught:
        config(**given)
    return str(caught.value)


def test_three_lines_are_a_whole_config():
    made = parse('timezone = "Europe/Berlin"\n[[hubspot]]\n', Path("config.toml"))
    assert made.mode == "shadow"
    assert [objective.predict for objective in made.objectives] == [
        "repeat_purchase", "churn", "high_value", "value", "response",
    ]  # fmt: skip
    assert made.zone.key == "Europe/Berlin"
    assert made.segments.min_stay == timedelta(days=14)


def test_a_preset_sets_defaults_and_the_file_has_the_last_word():
    assert config(preset="solo").holdout.share == 0.2
    assert config(preset="solo", holdout={"share": 0.1}).holdout.share == 0.1
    assert config(preset="solo", model={"seed": 1}).model.candidates == ["rules", "btyd", "logistic"]
    assert config(preset="small") == config()


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_valid(preset):
    assert config(preset=preset).preset == preset


def test_a_config_cannot_be_changed():
    with pytest.raises(ValidationError):
        config().mode = "full"


@pytest.mark.parametrize(("text", "days"), [("30d", 30), ("2w", 14), ("48h", 2), ("auto", None)])
def test_horizons(text, days):
    (objective,) = config(objectives=[{"predict": "churn", "within": text}]).objectives
    assert (objective.within and objective.within.days) == days


@pytest.mark.parametrize("text", ["36h", "0d", "731d", "30", "30 days", "", 30, True])
def test_wrong_horizons(text):
    assert "should be" in refused(objectives=[{"predict": "churn", "within": text}])


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [("08:00-18:00", ["08:00", "17:59"], ["07:59", "18:00"]), ("22:00-04:00", ["22:00", "00:00", "03:59"], ["04:00"])],
)
def test_hours_of_writing(text, inside, outside):
    hours = config(write={"hours": text}).write.hours
    assert str(hours) == text
    assert all(time.fromisoformat(moment) in hours for moment in inside)
    assert not any(time.fromisoformat(moment) in hours for moment in outside)


def test_any_hour():
    assert config(write={"hours": ""}).write.hours is None


@pytest.mark.parametrize("text", ["8-18", "08:00", "08:00-08:00", "25:00-26:00", 8, "08:00+01:00-18:00+01:00"])
def test_wrong_hours(text):
    assert "should be" in refused(write={"hours": text})


@pytest.mark.parametrize("line", ["* * * *", "@daily", "61 * * * *", "", "0 0 * * 8"])
def test_wrong_cron_lines(line):
    assert "cron line" in refused(schedule={"pull": line})


@pytest.mark.parametrize("line", ["0 0 * * 0", "0 0 * * 7", "*/5 8-18 * * mon-fri"])
def test_cron_lines_of_all_kinds(line):
    assert config(schedule={"pull": line}).schedule.pull == line


@pytest.mark.parametrize(
    ("zone", "said"),
    [("Berlin", "did you mean Europe/Berlin?"), ("Europe/Berln", "did you mean Europe/Berlin?")]
    + [(zone, 'such as "Europe/Berlin"') for zone in ("Europe", "", "../etc/passwd", "CEST+2", "\x00")],
)
def test_wrong_time_zones(zone, said):
    assert said in refused(timezone=zone)


def test_a_percentage_is_recognised():
    assert "for 10 per cent write 0.10" in refused(holdout={"share": 10})
    assert "less than or equal to 0.5" in refused(holdout={"share": 0.6})
    assert config(holdout={"share": 0}).holdout.share == 0


@pytest.mark.parametrize(
    "url", ["http://api.hubapi.com", "ftp://x", "api.hubapi.com", "https://u:p@x.y", "https://x.y/?a=1", "https://"]
)
def test_addresses_that_would_leak_the_token_or_make_no_sense(url):
    assert "should" in refused(hubspot=[{"base_url": url}])


def test_plain_http_is_for_this_machine_only():
    (account,) = config(hubspot=[{"base_url": "http://127.0.0.1:8025/hubspot/"}]).hubspot
    assert account.address == "http://127.0.0.1:8025/hubspot"


def test_where_an_account_is_and_what_its_secret_is_called():
    made = config(
        hubspot=[{}, {"name": "shop-de"}, {"name": "hubspot-uk"}],
        mailchimp=[{"server": "us6"}, {"name": "news"}],
        salesforce=[{"instance_url": "https://acme.my.salesforce.com"}],
    )
    assert [(account.secret_name, account.address) for account in made.accounts] == [
        ("hubspot.token", "https://api.hubapi.com"),
        ("hubspot-shop-de.token", "https://api.hubapi.com"),
        ("hubspot-uk.token", "https://api.hubapi.com"),
        ("mailchimp.token", "https://us6.api.mailchimp.com/3.0"),
        ("mailchimp-news.token", None),
        ("salesforce.token", "https://acme.my.salesforce.com"),
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"hubspot": []}, "no account"),
        ({"hubspot": [{}, {}]}, "another account is called hubspot"),
        ({"hubspot": [{"name": "a"}], "mailchimp": [{"name": "a"}]}, "another account is called a"),
        ({"hubspot": [{"name": "mailchimp"}]}, "the name of another platform"),
        ({"objectives": [{"predict": "churn"}, {"predict": "churn"}]}, "churn stands in two objectives"),
        (
            {"objectives": [{"predict": "churn", "name": "x"}, {"predict": "value", "name": "x"}]},
            'two objectives are called "x"',
        ),
        ({"privacy": {"exclude_when": ["mailchimp:tag:x"]}}, "there is no account mailchimp"),
        ({"engine": {"kind": "spark"}}, "spark needs it"),
        ({"engine": {"master": "local"}}, "spark needs it"),
        ({"segments": {"names": {"Lost": "loyal"}}}, 'two tags would be called "loyal"'),
        ({"segments": {"names": {"Lost": "Control"}}}, 'two tags would be called "Control"'),
        ({"segments": {"names": {"Lost": "a;b"}}}, '"a;b" should have 1 to 40 characters'),
        ({"segments": {"names": {"Lost": " "}}}, '" " should have 1 to 40 characters'),
        ({"hubspot": [{"name": "Shop DE"}]}, "should match pattern"),
        ({"write": {"prefix": "foretag_"}}, "should match pattern"),
        ({"objectives": []}, "at least 1"),
    ],
)
def test_what_does_not_fit_together(given, said):
    assert said in refused(**given)


def test_exclusions_are_parsed():
    made = config(privacy={"exclude_when": ["hubspot:property:optout=a=b:c", "hubspot:tag:no: profiling"]})
    assert made.privacy.exclusions == (
        Mark("hubspot", "property", "optout", "a=b:c"),
        Mark("hubspot", "tag", "no: profiling"),
    )


@pytest.mark.parametrize("rule", ["hubspot", "hubspot:lists:4", "hubspot:property:x", "hubspot:tag:", ":tag:x"])
def test_wrong_exclusions(rule):
    assert "should look like" in refused(privacy={"exclude_when": [rule]})


@pytest.mark.parametrize("rule", ["hubspot:list:4", "hubspot:campaign:Spring"])
def test_nobody_is_kept_out_by_a_list(rule):
    assert "would keep nobody out while it cannot be read" in refused(privacy={"exclude_when": [rule]})


def test_a_pilot_by_list_or_campaign():
    rules = ["hubspot:list:Spring: a pilot ", "b2b:list:12", "salesforce:campaign:A=B"]
    accounts = {"hubspot": [{}, {"name": "b2b"}], "salesforce": [{"instance_url": "https://a.my.salesforce.com"}]}
    marks = config(**accounts, pilot={"only": rules}).pilot.marks
    assert [(each.account, each.what, each.name) for each in marks] == [
        ("hubspot", "list", "Spring: a pilot"),
        ("b2b", "list", "12"),
        ("salesforce", "campaign", "A=B"),
    ]


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("hubspot:campaign:Spring", 'hubspot has no campaigns to choose people by: write "hubspot:list:Spring"'),
        ("shop:list:Spring", 'mailchimp has no lists to choose people by: write "shop:tag:Spring"'),
        ("elsewhere:list:Spring", "there is no account elsewhere"),
        ("hubspot:list:", "should look like"),
        ("hubspot:list: ", "should look like"),
    ],
)
def test_a_list_where_there_is_none(rule, told):
    assert told in refused(hubspot=[{}], mailchimp=[{"name": "shop"}], pilot={"only": [rule]})


def test_segments_and_objectives_have_titles():
    made = config(segments={"names": {"At risk": "Win back"}}, objectives=[{"predict": "churn"}])
    assert made.segments.name("At risk") == "Win back"
    assert made.segments.name("Lost") == "Lost"
    assert made.objectives[0].title == "Stops buying"


def test_what_was_typed_in_is_never_in_the_message():
    assert "pat-na1-secret" not in refused(currency="pat-na1-secret")


def test_every_key_is_described():
    undescribed = [f"{block.header}.{key.name}" for block in blocks() for key in block.keys if len(key.meaning) < 12]
    assert undescribed == []
    assert [block.header for block in blocks() if not block.meaning] == []


@pytest.mark.parametrize("platform", ["hubspot", "mailchimp", "salesforce"])
def test_the_file_that_init_writes(platform):
    settings = {"salesforce": {"instance_url": "https://acme.my.salesforce.com"}}
    text = config_text(Answers([platform], "Europe/Berlin", preset="mid", account_settings=settings))
    made = parse(text, Path("config.toml"))
    assert [account.kind for account in made.accounts] == [platform]
    assert made.preset == "mid"
    assert len(text.splitlines()) < 20
