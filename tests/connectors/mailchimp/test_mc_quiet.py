"""Tags that are set so that no automation starts by them, on the sandbox over real HTTP."""

import pytest

from connectors.contract import Change, Result
from connectors.errors import SchemaDrift
from sandbox.faults import Fault
from sandbox.mailchimp.records import LIST_ID, Member
from sandbox.mailchimp.troubles import Trouble

LOYAL, NEW = {"segment": "Loyal", "tags": ("Control", "Loyal")}, {"segment": "New", "tags": ("New",)}


@pytest.fixture
def silent(sandbox, connect, fields):
    """A connector that may start no automation, with our fields in place."""
    connector = connect(f"{sandbox.url}/mailchimp/3.0", fire_automations=False)
    connector.provision(fields)
    return connector


@pytest.fixture
def readers(sandbox):
    """Fifteen hundred subscribers, more than one batch takes."""
    audience, at = sandbox.platform("mailchimp")._account.audience, "2017-07-31T12:00:00+00:00"
    for n in range(1500):
        audience.add(Member(f"c{n:04}", f"Reader{n}@post.example", "subscribed", at, at, n, "Import"))
    return [f"c{n:04}" for n in range(1500)]


def changes(ids, after, before=None):
    return [Change(LIST_ID, id_, f"Reader{int(id_[1:])}@post.example", after, before or {}) for id_ in ids]


def results(connector, given):
    outcomes = {each.id: each for batch in connector.write(given) for each in batch}
    assert len(outcomes) == len(given)
    return {id_: each.result for id_, each in outcomes.items()}


def tags_of(sandbox):
    return {id_: sorted(row["tags"]) for id_, row in sandbox.snapshot()["mailchimp"]["members"].items()}


def test_no_automation_starts_where_none_may(silent, connect, sandbox, readers):
    platform = sandbox.platform("mailchimp")
    assert silent.capabilities.silent_tags
    foreseen = silent.predict_calls(given := changes(readers, LOYAL))
    silent.calls.clear()
    assert set(results(silent, given).values()) == {Result.WRITTEN}
    assert silent.calls.total() == foreseen == 2 + 3 + 2 * 4  # a look, a sample, three calls of values, two batches
    tags = tags_of(sandbox)
    assert {tuple(tags[id_]) for id_ in readers} == {("FT: Control", "FT: Loyal")}
    assert platform.started() == 0
    moved = changes(readers[:5], NEW, LOYAL)
    assert set(results(silent, moved).values()) == {Result.WRITTEN}
    assert {tuple(tags_of(sandbox)[id_]) for id_ in readers[:5]} == {("FT: New",)}
    assert platform.started() == 0

    loud = connect(f"{sandbox.url}/mailchimp/3.0", fire_automations=True)
    assert not loud.capabilities.silent_tags
    assert set(results(loud, changes(readers[:5], LOYAL, NEW)).values()) == {Result.WRITTEN}
    assert platform.started() == 10  # two tags each


TAGS_ONLY = {"tags": ("Loyal",)}


def test_where_only_tags_change_no_values_are_sent(silent, sandbox, readers):
    idle, tagged = changes(readers[:1], TAGS_ONLY, TAGS_ONLY), changes(readers[1:7], TAGS_ONLY)
    ghost = Change(LIST_ID, "ghost", "ghost@post.example", TAGS_ONLY)
    silent.calls.clear()
    foreseen = silent.predict_calls([*idle, *tagged, ghost])
    written = results(silent, [*idle, *tagged, ghost])
    assert written.pop("ghost") is Result.GONE
    assert set(written.values()) == {Result.WRITTEN}
    assert "members update" not in silent.calls
    assert silent.calls.total() == foreseen == 4
    tags = tags_of(sandbox)
    assert [tuple(tags[id_]) for id_ in readers[:8]] == [(), *[("FT: Loyal",)] * 6, ()]


def test_the_handful_whose_status_is_looked_at_is_of_those_with_values(silent, readers):
    both = changes(readers[:1], TAGS_ONLY) + changes(readers[1:3], LOYAL)
    silent.calls.clear()
    foreseen = silent.predict_calls(both)
    assert set(results(silent, both).values()) == {Result.WRITTEN}
    assert (silent.calls["members update"], silent.calls["member"]) == (1, 1)
    assert silent.calls.total() == foreseen


def test_where_tags_may_start_automations_an_update_tells_who_is_gone(silent, connect, sandbox, readers):
    loud = connect(f"{sandbox.url}/mailchimp/3.0", fire_automations=True)
    ghost = Change(LIST_ID, "ghost", "ghost@post.example", TAGS_ONLY)
    given = [ghost, *changes(readers[:2], TAGS_ONLY)]
    foreseen = loud.predict_calls(given)
    assert results(loud, given) == {"ghost": Result.GONE} | dict.fromkeys(readers[:2], Result.WRITTEN)
    assert loud.calls["members update"] == 1
    assert loud.calls.total() == foreseen + 1  # the first whose status is looked for is gone


def test_the_gone_and_the_refused_are_named_and_the_others_tagged(silent, sandbox, readers, monkeypatch):
    audience, platform = sandbox.platform("mailchimp")._account.audience, sandbox.platform("mailchimp")
    platform.trouble(readers[3], Trouble("This address cannot be tagged", how="tag"))
    start = silent._writer._tagger._jobs.start

    def somebody_goes_before_the_tags(operations):
        audience.forget(audience.find(readers[7]))
        return start(operations)

    monkeypatch.setattr(silent._writer._tagger._jobs, "start", somebody_goes_before_the_tags)
    found = {each.id: each for batch in silent.write(changes(readers[:20], LOYAL)) for each in batch}
    assert (found[readers[3]].result, found[readers[3]].reason) == (
        Result.REJECTED,
        "tag: This address cannot be tagged",
    )
    assert found[readers[7]].result is Result.GONE
    assert [each.result for each in found.values()].count(Result.WRITTEN) == 18


@pytest.mark.parametrize("kind", ["status", "reset_after", "truncate"])
def test_a_lost_answer_costs_a_second_batch_and_nothing_else(silent, sandbox, readers, kind):
    sandbox.inject(Fault("mailchimp", "POST .*/batches$", kind), Fault("mailchimp", "batch-results", "truncate"))
    assert set(results(silent, changes(readers[:20], LOYAL)).values()) == {Result.WRITTEN}
    assert {tuple(tags_of(sandbox)[id_]) for id_ in readers[:20]} == {("FT: Control", "FT: Loyal")}
    assert sandbox.platform("mailchimp").started() == 0


def test_who_is_not_in_the_answer_is_not_known(silent, sandbox, readers, monkeypatch):
    jobs = silent._writer._tagger._jobs
    monkeypatch.setattr(jobs, "results", lambda job, skip: iter(()))
    assert set(results(silent, changes(readers[:3], LOYAL)).values()) == {Result.UNKNOWN}


def test_a_tag_that_is_missing_is_named_before_any_is_set(silent, connect, sandbox, readers):
    audience = sandbox.platform("mailchimp")._account.audience
    audience.drop_segment(audience.segment_named("FT: Loyal"), sandbox.clock.now())
    with pytest.raises(SchemaDrift, match="the tag FT: Loyal is missing"):
        results(connect(f"{sandbox.url}/mailchimp/3.0", fire_automations=False), changes(readers[:3], LOYAL))
    assert sandbox.platform("mailchimp").batched_writes() == 0
