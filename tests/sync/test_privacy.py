"""What a person can ask for: to see everything, to be forgotten for good; and the texts that inform them."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from click.testing import CliRunner

from connectors.contract import Outcome, Page, Result
from connectors.records import Activity, ActivityKind, Consent, Contact
from scoring.rhythm import HORIZON_RANGE
from sync import accounts, backup, cli, cycle, privacy
from sync.errors import ForetagError
from sync.outcome import Outcome as RunOutcome
from sync.privacy_texts import dpia_text, notice_text
from sync.progress import Silent
from sync.store import facts, people
from sync.store.database import open_store, transaction
from sync.store.scores import save_standings

CONFIG = 'timezone = "Europe/Berlin"\nmode = "full"\ndata_dir = "data"\n[[hubspot]]\n'
ANNA = "anna@shop.example"


class Shop:
    """A site with Anna, who has two addresses and a record that was merged away, and Bert."""

    def __init__(self, site, platform, helpers) -> None:
        self.site, self.platform, self.now, self._helpers = site, platform, helpers.now, helpers

    def anna(self, id_: str = "1", email: str | None = ANNA, **more) -> Contact:
        more.setdefault("consent", Consent.GRANTED)
        more.setdefault("owned", self.platform.stored.get(id_, {}))
        return Contact("contacts", id_, email, properties={"firstname": "Anna"}, **more)

    def order(self, id_: str, contact: str | None, email: str | None = None) -> Activity:
        return Activity(
            id_, ActivityKind.ORDER, self.now - timedelta(days=3), contact, email, amount=1250, currency="USD"
        )

    def see(self, *contacts: Contact, activities: tuple[Activity, ...] = ()) -> None:
        facts.save_page(self.site.db, "hubspot", Page("contacts", "c", contacts, activities), self.now)
        people.resolve(self.site.db)

    def write(self) -> RunOutcome:
        with transaction(self.site.db):
            everyone = [row["id"] for row in self.site.db.execute("SELECT id FROM person")]
            placed = [self._helpers.standing(person) for person in everyone]
            save_standings(self.site.db, self.now, placed)
            self.site.db.executemany(
                "INSERT INTO prediction VALUES ('churn', 1, ?, 1, 30, 0.25, 0.5, NULL, 'act')",
                [(each,) for each in everyone],
            )
            self.site.db.executemany(
                "INSERT OR IGNORE INTO move VALUES (?, 1, 'New', 'Loyal', 'event', 0)", [(each,) for each in everyone]
            )
        return cycle.write(self.site, Silent())

    def forget(self, email: str = ANNA) -> None:
        privacy.forget(self.site, privacy.known_person(self.site.db, email))

    def rows(self, table: str, where: str = "1") -> int:
        return self.site.db.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0]


@pytest.fixture
def shop(site, platform, helpers) -> Shop:
    shop = Shop(site, platform, helpers)
    site.db.execute("INSERT INTO model VALUES (1, 'churn', 1, '', x'', '{}', '')")
    shop.see(shop.anna("9", "a@old.example"), activities=(shop.order("o9", "9"),))
    shop.see(
        shop.anna(other_emails=("a@old.example",), aliases=("9",)),
        Contact("contacts", "2", "bert@shop.example", Consent.GRANTED),
        activities=(shop.order("o1", "1"), shop.order("o2", None, "Anna@Shop.example"), shop.order("o3", "2")),
    )
    shop.see(shop.anna("9", "a@old.example", deleted=True, merged_into="1"))
    shop.write()
    return shop


@pytest.fixture
def foretag(shop, platform, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "setup", lambda *_args, **_options: None)
    monkeypatch.setattr(accounts, "connect", lambda *_args, **_options: platform)
    (tmp_path / "config.toml").write_text(CONFIG)

    def call(*words: str, **options):
        now = shop.now.isoformat()
        return CliRunner().invoke(cli.main, ["--now", now, "privacy", *words], prog_name="foretag", **options)

    return call


def test_an_export_holds_everything_about_the_person_and_nobody_else(shop) -> None:
    found = privacy.export(shop.site, " ANNA@shop.example")
    assert [(each["id"], each["deleted_there"]) for each in found["contacts"]] == [("1", False), ("9", True)]
    assert found["contacts"][0]["consent"] == "granted"
    assert found["contacts"][0]["other_emails"] == ["a@old.example"]
    assert found["contacts"][0]["properties"] == {"firstname": "Anna"}
    assert found["contacts"][0]["our_fields"]["segment"] == "Loyal"
    assert [each["amount"] for each in found["activities"]] == [1250, 1250, 1250]
    assert {each["segment"] for each in found["scores"]} == {"Loyal"}
    assert {(each["predicted"], each["rule_of_thumb"], each["horizon_days"]) for each in found["predictions"]} == {
        (0.25, 0.5, 30)
    }
    assert {each["ahead"] for each in found["predictions"]} == {"30 days ahead"}
    own = "within the time in which they usually order again: 30 to 60 days"
    shop.site.db.execute("UPDATE model SET card = json_object('ahead', ?)", (f"{own}, 35 for the one in the middle",))
    assert {each["ahead"] for each in privacy.export(shop.site, "anna@shop.example")["predictions"]} == {own}
    assert [each["after"]["segment"] for each in found["written"]] == ["Loyal"]
    assert {(each["origin"], each["target"], each["cause"]) for each in found["moves"]} == {("New", "Loyal", "event")}
    assert found["scored"] is True
    assert "bert" not in json.dumps(found)


def test_an_export_tells_the_reasons_and_that_someone_objects(shop_of_300) -> None:
    found = privacy.export(shop_of_300, "p1@shop.example")
    (standing,) = found["scores"]
    assert all(reason["text"] and reason["weight"] for reason in standing["reasons"]["repeat_purchase"])
    assert {each["objective"] for each in found["predictions"]} >= {"repeat_purchase", "churn"}
    shop_of_300.db.execute("INSERT INTO excluded SELECT person_id FROM person_email WHERE email = 'p1@shop.example'")
    assert privacy.export(shop_of_300, "p1@shop.example")["scored"] is False


def test_nothing_of_a_forgotten_person_is_left_and_everything_of_the_others(shop, tmp_path) -> None:
    shop.forget()
    for table in ("contact", "person", "standing", "prediction", "move", "outbox", "activity"):
        assert shop.rows(table) == 1, table
    assert shop.rows("alias") == 0
    assert shop.rows("person_email", "email = 'bert@shop.example'") == shop.rows("person_email") == 1
    held = b"".join(file.read_bytes() for file in shop.site.store.parent.glob("foretag.sqlite*"))
    for trace in (b"anna@shop", b"Anna", b"a@old.example"):
        assert trace not in held
    assert b"bert@shop.example" in held


@pytest.mark.parametrize("address", [ANNA, "a@old.example"])
def test_any_address_of_theirs_will_do(shop, address) -> None:
    shop.forget(address)
    assert shop.rows("contact") == 1


@pytest.mark.parametrize("address", ["c1@shop.example", "c2@shop.example", "c3@shop.example"])
def test_records_that_were_merged_later_are_one_person(shop, address) -> None:
    """Three people at first; then the platform merges two of them, and a third shares an address."""
    first = [Contact("contacts", f"c{n}", f"c{n}@shop.example", Consent.GRANTED) for n in (1, 2, 3)]
    shop.see(*first)
    assert shop.rows("person") == 5
    shop.see(replace(first[0], aliases=("c2",), other_emails=("c3@shop.example",)))
    assert len(privacy.export(shop.site, address)["contacts"]) == 3
    shop.forget(address)
    assert shop.rows("contact", "id LIKE 'c%'") == 0
    assert shop.rows("person") == 2


def test_a_forgotten_person_is_not_taken_in_again(shop) -> None:
    shop.forget()
    shop.see(
        shop.anna(),
        shop.anna("9", None),
        shop.anna("77", "A@Old.example", aliases=("78",)),
        activities=(
            *(shop.order(f"n{id_}", id_) for id_ in ("1", "9", "77", "78")),
            shop.order("by address", None, "ANNA@shop.example"),
            shop.order("bert's", "2"),
        ),
    )
    shop.see(activities=(shop.order("later", "77"), shop.order("later still", "78")))
    assert shop.rows("contact") == 1
    assert shop.rows("activity", "contact_id = '2'") == shop.rows("activity") == 2
    assert shop.rows("alias") == 0


def test_what_a_new_contact_of_theirs_did_goes_even_if_it_came_first(shop) -> None:
    shop.forget()
    shop.see(activities=(shop.order("n", "77"),))
    assert shop.rows("activity") == 2
    shop.see(shop.anna("77"))
    assert shop.rows("activity", "contact_id = '77'") == 0


def test_someone_who_turns_out_to_be_a_forgotten_person_is_erased(shop) -> None:
    shop.see(Contact("contacts", "5", "x@shop.example", Consent.GRANTED), activities=(shop.order("o5", "5"),))
    shop.forget()
    shop.see(Contact("contacts", "5", "x@shop.example", Consent.GRANTED, other_emails=(ANNA,)))
    assert shop.rows("contact") == shop.rows("person") == shop.rows("activity") == 1


def test_the_list_holds_no_address_and_differs_from_store_to_store(shop, helpers, platform, tmp_path) -> None:
    other = Shop(helpers.site(tmp_path / "other", platform), platform, helpers)
    other.see(other.anna())
    shop.forget()
    other.forget()
    hashes = [{row[0] for row in each.site.db.execute("SELECT hash FROM forgotten")} for each in (shop, other)]
    assert len(hashes[0]) == 4  # two addresses, two contacts
    assert len(hashes[1]) == 2
    assert not hashes[0] & hashes[1]
    other.site.db.close()


def test_a_restored_copy_forgets_again(shop, tmp_path) -> None:
    made = backup.create(shop.site, tmp_path / "b.sqlite")
    shop.forget()
    for budget in shop.site.budgets.values():
        budget.close()
    shop.site.db.close()
    backup.restore(shop.site.config, shop.now, made)
    shop.site.db = open_store(shop.site.store)
    assert shop.rows("contact") == shop.rows("person") == 1
    assert b"anna@shop" not in shop.site.store.read_bytes()
    shop.see(shop.anna())
    assert shop.rows("contact") == 1


def test_saved_plans_that_name_the_person_are_deleted(shop) -> None:
    plans = shop.site.config.data_dir / "plans"
    (about_both,) = plans.iterdir()
    shop.see(Contact("contacts", "3", "cleo@shop.example", Consent.GRANTED))
    with transaction(shop.site.db):
        shop.site.db.execute("DELETE FROM prediction")
    shop.write()
    assert len(list(plans.iterdir())) == 2
    person = privacy.known_person(shop.site.db, ANNA)
    assert privacy.forget(shop.site, person) == [about_both]
    assert about_both not in list(plans.iterdir())


def test_our_fields_are_emptied_first_and_nothing_else(shop, foretag, platform) -> None:
    platform.pages["contacts"] = [Page("contacts", "c2", (shop.anna(),))]
    result = foretag("forget", ANNA, "--yes")
    assert result.exit_code == 0, result.output
    assert set(platform.stored["1"].values()) == {None}
    assert platform.stored["2"]["segment"] == "Loyal"
    assert "hubspot      1 contact written" in result.output
    assert "Forgotten." in result.output
    assert ANNA not in result.output
    assert shop.rows("contact") == 1
    assert shop.rows("outbox", "contact_id != '2'") == 0


def test_no_is_no(shop, foretag, platform, monkeypatch) -> None:
    assert "Nobody can answer here" in foretag("forget", ANNA, input="y\n").output
    monkeypatch.setattr("sync.commands.asking.in_terminal", lambda: True)
    result = foretag("forget", ANNA, input="n\n")
    assert (result.exit_code, "Forget this person?" in result.output) == (1, True)
    assert shop.rows("contact") == 3
    assert platform.stored["1"]["segment"] == "Loyal"


def test_a_platform_that_refuses_keeps_the_person_known(shop, foretag, platform) -> None:
    platform.outcomes["1"] = Outcome("contacts", "1", Result.REJECTED, "locked")
    result = foretag("forget", ANNA, "--yes")
    assert result.exit_code == 1
    assert "nothing is forgotten yet" in result.output
    assert shop.rows("contact") == 3
    result = foretag("forget", ANNA, "--yes", "--store-only")
    assert result.exit_code == 0
    assert "foretag cleanup removes it" in result.output
    assert shop.rows("contact") == 1


def test_a_contact_that_cannot_be_written_to_is_told(shop, foretag) -> None:
    shop.see(shop.anna(writable=False, aliases=("9",)))
    result = foretag("forget", ANNA, "--yes")
    assert "what foretag wrote stays on 1 contact: not writable there" in result.output
    assert shop.rows("contact") == 1


def test_copies_that_still_hold_the_person_are_named(shop, foretag) -> None:
    made = backup.create(shop.site)
    lines = foretag("forget", ANNA, "--yes").output.splitlines()
    (line,) = (each for each in lines if each.startswith("Still holds the person, delete it when you can: "))
    assert line.endswith(f"data/backups/{made.name}")


def test_an_unknown_address_and_a_forgotten_one_are_told_apart(shop, foretag) -> None:
    for words in (["export", "ghost@shop.example"], ["forget", "ghost@shop.example", "--yes"]):
        result = foretag(*words)
        assert (result.exit_code, "nobody in the store has this address" in result.output) == (1, True)
    shop.forget()
    with pytest.raises(ForetagError, match="was forgotten"):
        privacy.export(shop.site, ANNA)


def test_an_export_to_a_file_is_closed_to_others(foretag, tmp_path) -> None:
    assert foretag("export", ANNA, "--out", "anna.json").output == "Wrote anna.json\n"
    file = tmp_path / "anna.json"
    assert file.stat().st_mode & 0o777 == 0o600
    told, written = json.loads(foretag("export", ANNA).stdout), json.loads(file.read_text(encoding="utf-8"))
    assert told == written
    assert told["contacts"][0]["email"] == ANNA


@pytest.fixture
def shop_of_300(tmp_path, platform, _first_run, helpers):
    """The 300 shoppers after their first run, in a store of their own."""
    folder = tmp_path / "many"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "foretag.sqlite").write_bytes(_first_run.read_bytes())
    site = helpers.site(folder, platform)
    yield site
    site.db.close()


def test_the_texts_are_filled_in_from_the_config(helpers, tmp_path) -> None:
    config = helpers.config(
        tmp_path,
        mode="pilot",
        mailchimp=[{}],
        hubspot=[{"properties": ["vip"]}],
        objectives=[{"predict": "churn", "within": "45d", "name": "Walks away"}],
        privacy={"exclude_when": ["mailchimp:tag:No profiling"]},
        write={"prefix": "zz_"},
    )
    notice, dpia = (" ".join(text(config).split()) for text in (notice_text, dpia_text))
    for text in (notice, dpia):
        assert "It is no legal advice" in text
        assert "HubSpot and Mailchimp" in text
        assert "Salesforce" not in text
        assert "within 45 days" in text
    assert "- whether you will stop buying (within 45 days) For that" in notice
    assert "foretag privacy" not in notice  # customers have no command line
    for words in (
        "Walks away: churn",
        "Mode pilot: values are written for 20%",
        "asked for besides: vip",
        "mailchimp:tag:No profiling",
        "(zz_churn_score)",
        "recency_days",
    ):
        assert words in dpia


def test_the_texts_say_that_churn_follows_a_persons_own_rhythm(helpers, tmp_path) -> None:
    low, high = HORIZON_RANGE
    config = helpers.config(tmp_path, objectives=[{"predict": "churn"}, {"predict": "response"}])
    notice, dpia = (" ".join(text(config).split()) for text in (notice_text, dpia_text))
    own = f"within the time in which a person usually orders again, {low} to {high} days"
    assert f"- whether you will stop buying ({own})" in notice
    assert f"Stops buying: churn, {own}" in dpia
    assert "whether you will answer a mailing (over a time that follows how often people buy)" in notice
    field = f"not to buy within the time in which this person usually orders again ({low} to {high} days), after having"
    assert field in dpia


def test_the_texts_follow_mode_and_engine(helpers, tmp_path) -> None:
    shadow = helpers.config(tmp_path, mode="shadow")
    full = helpers.config(tmp_path, engine={"kind": "spark", "master": "spark://farm:7077"})
    assert "kept there as well" not in notice_text(shadow).replace("\n", " ")
    assert "kept there as well" in notice_text(full).replace("\n", " ")
    assert "spark://farm:7077" in dpia_text(full)
    assert "on this machine" in dpia_text(shadow)
    assert all(len(line) <= 100 for config in (shadow, full) for line in dpia_text(config).splitlines())


def test_the_texts_can_be_printed(foretag) -> None:
    assert foretag("notice").output.startswith("This text is a starting point")
    assert "DATA PROTECTION IMPACT ASSESSMENT" in foretag("dpia").output
