import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from sync.report.data import Account, Flow, LogLine, Migration, Mover, ReportData, Skipped, Written

Read = Callable[[ReportData], Any]

HOSTILE = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "{{ 7 * 7 }}{% raw %}",
    "</style></svg><iframe src=//evil.test>",
    "a\x00b\u202e\ud800",
)
SPECIALIST = re.compile(
    r"\b(auc|log-?loss|brier|ece|shap|precision|recall|f1|calibration|drift|holdout|feature)s?\b", re.I
)


def poisoned(data: ReportData, text: str) -> ReportData:
    mover = Mover(text, text, 10, 90, text)
    assert data.movers is not None
    return replace(
        data,
        currency=text,
        value_label=text,
        headline=replace(data.headline, parts=(text,), things=(text,)),
        accounts=(Account("hubspot", text, 1, 1, 1),),
        objectives=tuple(
            replace(
                one,
                name=text,
                title=text,
                noun=text,
                verb=text,
                rung=text,
                why=text,
                features=(text,),
                card={text: text},
            )
            for one in data.objectives
        ),
        realised=tuple(replace(month, objective=text) for month in data.realised),
        segments=tuple(replace(segment, name=text) for segment in data.segments),
        migration=Migration(data.as_of, (Flow(text, "Lost", 3, 400), Flow("Champions", text, 2, 300))),
        movers=replace(data.movers, title=text, up=(mover,)),
        written=(Written("mailchimp", text, 1, 1, 1, 1, 1, (Skipped(text, 2),)),),
        run_log=(LogLine(data.as_of, text, text),),
        versions={text: text},
        prefix=text,
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(sample: ReportData, read: Read, text: str) -> None:
    page = read(poisoned(sample, text))
    for tag in ("script", "img", "iframe", "link", "object", "form"):
        assert not page.has(tag)
    assert not [
        name for _, attributes in page.elements for name in attributes if name.startswith("on") or name == "src"
    ]
    assert page.unbalanced == []
    assert page.drawings()
    assert "\x00" not in page.html
    page.html.encode("utf-8")


def test_template_syntax_in_a_name_is_not_run(sample: ReportData, read: Read) -> None:
    assert "{{ 7 * 7 }}" in read(poisoned(sample, "{{ 7 * 7 }}")).text["movers"]


def test_nothing_is_fetched(sample: ReportData, read: Read) -> None:
    page = read(sample)
    assert page.html.count("https://") == 1
    assert "http://" not in page.html
    assert "url(" not in page.html
    assert "@import" not in page.html
    targets = [attributes["href"] for tag, attributes in page.elements if "href" in attributes and tag == "a"]
    assert [target for target in targets if not target.startswith("#")] == ["https://example.test/003"]
    assert all("href" not in attributes for tag, attributes in page.elements if tag != "a")
    policy = next(attributes for _, attributes in page.elements if attributes.get("http-equiv"))
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"


def test_links_inside_the_page_have_their_target(sample: ReportData, empty: ReportData, read: Read) -> None:
    for data in (sample, empty):
        page = read(data)
        ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
        inner = {
            attributes["href"][1:] for _, attributes in page.elements if attributes.get("href", "").startswith("#")
        }
        assert inner <= ids


def test_sections_stand_in_the_order_of_interest(sample: ReportData, empty: ReportData, read: Read) -> None:
    order = ["quality", "realised", "segments", "migration", "movers", "written", "science"]
    assert read(sample).sections() == order
    assert read(empty).sections() == [name for name in order if name != "realised"]


def test_every_id_is_used_once(sample: ReportData, read: Read) -> None:
    ids = [attributes["id"] for _, attributes in read(sample).elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_every_chart_is_well_formed_titled_and_has_a_table(sample: ReportData, read: Read) -> None:
    page = read(sample)
    figures = re.findall(r"<figure.*?</figure>", page.html, re.DOTALL)
    assert len(figures) == len(page.drawings()) == 7
    for drawing in page.drawings():
        described = str(drawing.get("aria-labelledby")).split()
        texts = {element.get("id"): element.text for element in drawing if element.tag in {"title", "desc"}}
        assert list(texts) == described
        assert all(texts.values())
        assert drawing.get("role") == "img"
    for figure in figures:
        assert re.search("<figcaption><h[34]>[^<]", figure)
        assert "<caption>" in figure.partition("</svg>")[2]


def test_headings_never_skip_a_level(sample: ReportData, empty: ReportData, read: Read) -> None:
    for data in (sample, empty):
        levels = [int(tag[1]) for tag, _ in read(data).elements if re.fullmatch(r"h[1-6]", tag)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))


def test_table_headers_say_what_they_head(sample: ReportData, read: Read) -> None:
    headers = [attributes for tag, attributes in read(sample).elements if tag == "th"]
    assert headers
    assert all(attributes.get("scope") in {"row", "col"} for attributes in headers)


def test_marketers_meet_no_jargon_and_data_scientists_do(sample: ReportData, read: Read) -> None:
    page = read(sample)
    for name, text in page.text.items():
        if name != "science":
            assert SPECIALIST.findall(text) == [], name
    for word in ("AUC", "Log-loss", "Brier score", "0.871 (0.850–0.894)", "seed 7", "recency_days", "13402", "1.9.1"):
        assert word in page.text["science"]
    assert "logistic (chosen)" in page.text["science"]
    assert "Gini, normalised – 0.555 (0.500–0.600)" in page.text["science"]
    assert page.text["science"].count("Gini") == 1
    assert "boosting (chosen)" not in page.text["science"]


def test_the_numbers_appear(sample: ReportData, read: Read) -> None:
    text = read(sample).text
    assert "mode pilot 20 %. 3 things to look at." in text["top"]
    assert "18 Champions are cooling" in text["top"]
    assert "The top 20 % hold 41 % of later buyers (random 20 %, rule of thumb 38 %)." in text["quality"]
    assert "Of 100 people we gave about 31 %, 28 bought (likely 22–35)." in text["quality"]
    assert "17 of 19" in text["quality"]
    assert "No scores yet. 38 more answers are needed" in text["quality"]
    assert "as predicted in 1 of 3 months" in text["realised"]
    assert "7 of 19" in text["realised"]
    assert "Champions 402 17 % 64,120 +6" in text["segments"]
    assert "ft_segment is any of At risk AND ft_control_group is not Yes" in text["segments"]
    assert "Most at stake: 18 Champions → Cooling, 9,400 EUR." in text["migration"]
    assert "Jonas W. 83 → 41 last order 94 days ago, usually every 41 days" in text["movers"]
    assert "218: opted out of profiling" in text["written"]
    assert "HubSpot: shop-de" in text["written"]


def test_first_run_without_data_says_so(empty: ReportData, read: Read) -> None:
    text = read(empty).text
    assert "Works, with limits. No scores yet. Shadow: scores" in text["top"]
    assert "no objective has been set" in text["quality"]
    assert "Nobody is in a segment yet" in text["segments"]
    assert "This is the first run" in text["migration"]
    assert "No earlier scores" in text["movers"]
    assert "What would be written Shadow" in text["written"]
    assert "Nothing would be written." in text["written"]


def test_a_sample_without_migration_or_moves(sample: ReportData, read: Read) -> None:
    assert "This is the first run" in read(replace(sample, migration=None)).text["migration"]
    stayed = Migration(sample.as_of, (Flow("Loyal", "Loyal", 40, 100),))
    page = read(replace(sample, migration=stayed))
    assert "Nobody changed segment since the last run." in page.text["migration"]
    assert len(page.drawings()) == 6


def test_nothing_measured_leaves_no_broken_picture(sample: ReportData, read: Read) -> None:
    first = sample.objectives[0]
    assert first.evaluation is not None
    bare = replace(first, evaluation=replace(first.evaluation, gains=(), reliability=()), score_counts=(0, 0))
    nobody = tuple(replace(segment, people=0, value_cents=0) for segment in sample.segments)
    months = tuple(replace(month, realised=0, n=0) for month in sample.realised)
    page = read(replace(sample, objectives=(bare,), segments=nobody, realised=months, migration=None))
    assert page.drawings() == []
    assert "realised" not in page.sections()


def test_few_people_get_counts_instead_of_percentages(sample: ReportData, read: Read) -> None:
    few = tuple(replace(segment, people=2) for segment in sample.segments)
    first = sample.objectives[0]
    assert first.evaluation is not None
    small = replace(first, evaluation=replace(first.evaluation, rows=60, outcomes=19))
    text = read(replace(sample, segments=few, objectives=(small,))).text
    assert "Champions 2 2 of 18 64,120" in text["segments"]
    assert "hold 8 of 19 later buyers (random 20 %, rule of thumb 7 of 19)" in text["quality"]


def test_the_same_data_gives_the_same_page(sample: ReportData, read: Read) -> None:
    assert read(sample).html == read(sample).html
