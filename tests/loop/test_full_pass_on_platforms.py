"""A pass over all contacts on every platform: nothing new where nothing changed, and what went untold is found."""

from datetime import timedelta


def contacts(loop) -> dict[tuple[str, str], tuple]:
    rows = loop.ask("SELECT account, id, deleted, email, properties, owned, changed_at, person_id FROM contact")
    return {(row[0], row[1]): row[2:] for row in rows}


def passes(loop) -> dict[str, bool]:
    """Per account, whether its last pass has ended."""
    return {account: ended is not None for account, ended in loop.ask("SELECT account, ended FROM full_pass")}


def test_nothing_is_new_and_nothing_written_when_nothing_changed(tiny):
    assert tiny.run().verdict == "ok"
    tiny.sandbox.advance(tiny.now + timedelta(minutes=5))
    tiny.run()
    before = contacts(tiny)
    tiny.config = tiny.config.model_copy(
        update={
            kind: [account.model_copy(update={"full_pull": timedelta(0)}) for account in getattr(tiny.config, kind)]
            for kind in ("hubspot", "mailchimp", "salesforce")
        }
    )
    outcome = tiny.run()
    assert passes(tiny) == dict.fromkeys(("hubspot", "mailchimp", "salesforce"), True)
    read = {(each.account, each.stream): each.contacts for each in outcome.pulled if each.contacts}
    assert sum(read.values()) == len(before)
    assert sum(each.contacts_changed for each in outcome.pulled) == 0
    assert contacts(tiny) == before
    assert outcome.plan.size == 0
    assert tiny.writes() == {}


def test_who_went_untold_is_found_after_a_week_and_not_written_to(tiny):
    """As after a purge: no tombstone, nothing in the bin, nothing in what changed."""
    assert tiny.run().verdict == "ok"
    org = tiny.sandbox.platform("salesforce").org
    gone = sorted(id_ for (account, id_) in contacts(tiny) if account == "salesforce" and id_.startswith("003"))[0]
    del org.records.tables["Contact"][gone]
    tiny.sandbox.advance(tiny.now + timedelta(days=1))
    tiny.run()
    assert contacts(tiny)["salesforce", gone][0] == 0
    tiny.sandbox.advance(tiny.now + timedelta(days=7))
    tiny.run(accept_large_change=True)
    tiny.sandbox.advance(tiny.now + timedelta(hours=1))
    tiny.run(accept_large_change=True)
    assert contacts(tiny)["salesforce", gone][0] == 1
