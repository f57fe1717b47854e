"""Our fields on a platform, the same for every adapter: made once, watched, and nothing else is touched."""

import pytest

from connectors.errors import NotAllowed


def flat(row):
    """A record with the values inside its values, such as Mailchimp's merge fields, as fields of their own."""
    inner = {
        f"{name}.{key}": value for name, each in row.items() if isinstance(each, dict) for key, value in each.items()
    }
    return inner | {name: value for name, value in row.items() if not isinstance(value, dict)}


def test_setting_up_twice_makes_everything_once(stage, given):
    connector = stage.connect()
    assert connector.drift(given.fields)
    assert len(connector.provision(given.fields)) >= len(given.fields)
    assert connector.drift(given.fields) == []
    before = stage.sandbox.snapshot()
    assert stage.connect().provision(given.fields) == []
    assert connector.provision(given.fields) == []
    assert stage.sandbox.snapshot() == before


def test_setting_up_goes_on_where_it_was_broken_off(stage, given):
    for number in range(1, len(given.fields)):
        stage.connect().provision(given.fields[:number])
    stage.connect().provision(given.fields)
    assert stage.connect().drift(given.fields) == []
    assert stage.connect().provision(given.fields) == []


def test_setting_up_changes_no_contact_and_no_field_of_others(stage, given):
    before = stage.records()
    stage.connect().provision(given.fields)
    after = stage.records()
    for kind, rows in before.items():
        for id_, row in rows.items():
            assert flat(after[kind][id_]) | flat(row) == flat(after[kind][id_]), (kind, id_)


def test_a_further_field_is_made_beside_the_others(stage, given):
    stage.connect().provision(given.fields[:3])
    before = stage.connect().drift(given.fields)
    assert before
    done = stage.connect().provision(given.fields)
    assert done
    assert not any(stage.hand.name_of("buy_score") in line for line in done)
    assert stage.connect().drift(given.fields) == []


@pytest.mark.parametrize("how", ["missing", "retyped", "without an option"])
def test_damage_to_our_fields_is_named_with_its_repair(ready, given, how):
    told = ready.hand.spoil(how)
    [sentence] = ready.connect().drift(given.fields)
    assert told in sentence
    assert ": " in sentence
    finding = next(each for each in ready.connect().check() if "missing or were changed" in each.text)
    assert finding.level == "warn"
    assert told in finding.text


def test_check_finds_nothing_wrong_where_all_is_well(ready):
    findings = ready.connect().check()
    assert findings
    assert not [finding for finding in findings if finding.level == "fail"]
    assert "all our fields and tags are in place" in [finding.text for finding in findings]


def test_removing_takes_off_what_is_ours_and_nothing_else(stage, given):
    before = stage.records()
    stage.connect().provision(given.fields)
    people = stage.people()
    changes = [given.change(person, dict.fromkeys(given.values)) for person in people]
    stage.write([given.change(person) for person in people])
    stage.write(changes)
    full, connector = stage.records(), stage.connect(cleanup=True)
    would_go = connector.remove(given.fields, dry_run=True)
    assert stage.records() == full
    assert connector.remove(given.fields) == would_go
    assert len(would_go) >= len(given.fields)
    assert stage.connect(cleanup=True).remove(given.fields) == []
    after = stage.records()
    for kind, rows in before.items():
        assert set(after[kind]) == set(rows), kind
        for id_, row in rows.items():
            assert flat(after[kind][id_]) | flat(row) == flat(after[kind][id_]), (kind, id_)
    assert len(stage.connect().provision(given.fields)) >= len(given.fields)


def test_making_fields_needs_a_connector_that_was_opened_for_it(stage, given):
    before = stage.records()
    with pytest.raises(NotAllowed, match="was not sent"):
        stage.connect(provision=False).provision(given.fields)
    assert stage.records() == before


def test_the_package_names_every_field_and_costs_no_call(stage, given):
    connector = stage.connect(provision=False)
    files = connector.package(given.fields)
    text = "\n".join(files.values())
    assert connector.calls.total() == 0
    for spec in given.fields:
        assert spec.label in text or all(option in text for option in spec.options), spec.key
    assert stage.hand.name_of("buy_score") in text
    assert not any(name.startswith(("/", "..")) for name in files)
