"""Reading the pretended HubSpot: lists, single records, search, associations, forms, the account."""

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.hubspot.other_routes import FORM_GUID
from sandbox.people import Person, World

CONTACTS, DEALS = "/crm/v3/objects/contacts", "/crm/v3/objects/deals"
MIDSUMMER = datetime(2017, 7, 1, tzinfo=UTC)
RUN = datetime(2017, 12, 31, tzinfo=UTC)


def contact_of(hubspot, person: Person) -> dict:
    """The contact of a person with everything it has."""
    properties = (
        "email,firstname,lifecyclestage,lastmodifieddate,num_associated_deals,total_revenue,hs_email_delivered,"
        "hs_email_click,hs_email_optout,hs_email_last_click_date,hs_additional_emails,num_conversion_events"
    )
    return hubspot.get(f"{CONTACTS}/{1 + 50 * person.household}", properties=properties)["properties"]


def millis(at: datetime) -> str:
    return str(int(at.timestamp() * 1000))


@pytest.mark.parametrize("path", [CONTACTS, "/crm/objects/2026-09/contacts", "/crm/v3/objects/0-1"])
def test_the_list_holds_every_contact_once_in_order_of_id(hubspot, small_world: World, path: str) -> None:
    rows = hubspot.everything(path, limit=4)
    ids = [int(row["id"]) for row in rows]
    joined = [person for person in small_world.on("hubspot") if person.joined <= MIDSUMMER]
    assert ids == sorted({1 + 50 * person.household for person in joined})


def test_a_contact_has_the_asked_for_properties_as_text_or_null(hubspot) -> None:
    (row,) = hubspot.get(CONTACTS, limit=1, properties="email,hubspot_owner_id,no_such_thing")["results"]
    assert set(row["properties"]) == {"email", "hubspot_owner_id", "createdate", "hs_object_id", "lastmodifieddate"}
    assert row["properties"]["hubspot_owner_id"] is None
    assert row["properties"]["email"] == row["properties"]["email"].lower()
    assert row["archived"] is False


def test_orders_of_people_at_home_here_are_deals_tied_to_them(hubspot, small_world: World) -> None:
    home = {person.household for person in small_world.people if person.home == "hubspot"}
    orders = {str(each.id): each for each in small_world.orders if each.household in home and each.at <= MIDSUMMER}
    rows = hubspot.everything(DEALS, limit=100, properties="amount,closedate,dealstage", associations="contacts")
    assert {row["id"] for row in rows} == set(orders)
    for row in rows:
        order = orders[row["id"]]
        assert float(row["properties"]["amount"]) == order.amount
        assert datetime.fromisoformat(row["properties"]["closedate"]) == order.at
        assert row["properties"]["dealstage"] == "closedwon"
        (tie,) = row["associations"]["contacts"]["results"]
        assert tie == {"id": str(1 + 50 * order.household), "type": "deal_to_contact"}


def test_mail_counters_are_null_until_the_first_mailing(small_sandbox, hubspot, small_world: World) -> None:
    small_sandbox.advance(RUN)
    mailed = {send.household for send in small_world.sends}
    redeemed = {each.household for each in small_world.redemptions}
    seen = set()
    for person in small_world.on("hubspot"):
        if person.opted_out or person.moved:
            continue
        contact = contact_of(hubspot, person)
        here = person.mailer == "hubspot"
        sends = sum(send.household == person.household for send in small_world.sends) if here else 0
        clicks = sum(each.household == person.household for each in small_world.redemptions) if here else 0
        assert contact["hs_email_delivered"] == (str(sends) if sends else None)
        assert contact["hs_email_click"] == (str(clicks) if clicks else None)
        assert contact["num_conversion_events"] == (str(clicks) if clicks else None)
        seen.add((person.household in mailed and here, person.household in redeemed and here))
    assert seen == {(False, False), (True, False), (True, True)}


def test_deal_totals_do_not_touch_the_last_modified_date(small_sandbox, hubspot, small_world: World) -> None:
    quiet = datetime(2017, 9, 20, tzinfo=UTC), datetime(2017, 10, 25, tzinfo=UTC)  # no campaign runs in between
    person, orders = max(
        (
            (
                person,
                sum(
                    order.household == person.household and quiet[0] < order.at < quiet[1]
                    for order in small_world.orders
                ),
            )
            for person in small_world.people
            if person.home == "hubspot" and not person.opted_out and not person.moved
        ),
        key=lambda pair: pair[1],
    )
    assert orders > 2
    small_sandbox.advance(quiet[0])
    before = contact_of(hubspot, person)
    small_sandbox.advance(quiet[1])
    after = contact_of(hubspot, person)
    assert int(after["num_associated_deals"]) == int(before["num_associated_deals"]) + orders
    assert float(after["total_revenue"]) > float(before["total_revenue"])
    assert after["lastmodifieddate"] == before["lastmodifieddate"]


def test_an_opt_out_is_seen_and_stops_the_mailings(small_sandbox, hubspot, small_world: World) -> None:
    person = next(person for person in small_world.on("hubspot") if "hubspot" in person.opted_out)
    small_sandbox.advance(RUN)
    contact = contact_of(hubspot, person)
    assert contact["hs_email_optout"] == "true"
    before = [
        send
        for send in small_world.sends
        if send.household == person.household and send.at < person.opted_out["hubspot"] and person.mailer == "hubspot"
    ]
    assert int(contact["hs_email_delivered"] or 0) == len(before)


def test_a_changed_address_keeps_the_id_and_restarts_the_mail_counters(connect) -> None:
    from sandbox.server import Sandbox
    from sandbox.world import small

    world = small(people=200)
    person = next(
        person
        for person in world.on("hubspot")
        if person.moved
        and person.mailer == "hubspot"
        and any(send.household == person.household and send.at < person.moved[0] for send in world.sends)
    )
    assert person.moved is not None
    with Sandbox(world, person.moved[0] - timedelta(minutes=1), ("hubspot",), limits=False) as sandbox:
        hubspot = connect(sandbox)
        before = contact_of(hubspot, person)
        sandbox.advance(person.moved[0])
        after = contact_of(hubspot, person)
        assert before["email"] == person.emails["hubspot"].lower()
        assert before["hs_email_delivered"] is not None
        assert (after["email"], after["hs_additional_emails"]) == (person.moved[1], before["email"])
        assert after["hs_email_delivered"] is None
        assert after["lastmodifieddate"] > before["lastmodifieddate"]
        for email in (before["email"], after["email"]):
            assert hubspot.get(f"{CONTACTS}/{email}", idProperty="email")["id"] == str(1 + 50 * person.household)


def test_history_tells_when_a_value_changed(small_sandbox, hubspot, small_world: World) -> None:
    small_sandbox.advance(RUN)
    person = next(
        person
        for person in small_world.on("hubspot")
        if person.mailer == "hubspot" and not person.opted_out and not person.moved
        if sum(send.household == person.household for send in small_world.sends) >= 2
    )
    sends = [send.at for send in small_world.sends if send.household == person.household]
    row = hubspot.get(f"{CONTACTS}/{1 + 50 * person.household}", propertiesWithHistory="hs_email_delivered,email")
    versions = row["propertiesWithHistory"]["hs_email_delivered"]
    assert [version["value"] for version in versions] == [str(n) for n in range(len(sends), 0, -1)]
    assert [datetime.fromisoformat(version["timestamp"]) for version in versions] == sends[::-1]
    assert len(row["propertiesWithHistory"]["email"]) == 1


def test_a_calculated_value_has_no_past(small_sandbox, hubspot, small_world: World) -> None:
    orders = [order for order in small_world.orders if order.at <= MIDSUMMER]
    home = next(person for person in small_world.people if person.home == "hubspot")
    last = max(order.at for order in orders if order.household == home.household)
    row = hubspot.get(f"{CONTACTS}/{1 + 50 * home.household}", propertiesWithHistory="num_associated_deals")
    (version,) = row["propertiesWithHistory"]["num_associated_deals"]
    assert datetime.fromisoformat(version["timestamp"]) == last


def test_a_page_has_its_largest_size(hubspot) -> None:
    hubspot.get(CONTACTS, status=400, limit=51, propertiesWithHistory="email")
    hubspot.get(CONTACTS, status=400, limit=101)


def test_archived_contacts_are_listed_apart(hubspot) -> None:
    (row,) = hubspot.get(CONTACTS, limit=1)["results"]
    hubspot.call("DELETE", f"{CONTACTS}/{row['id']}", 204)
    assert row["id"] not in {each["id"] for each in hubspot.everything(CONTACTS, limit=100)}
    (archived,) = hubspot.get(CONTACTS, archived="true")["results"]
    assert (archived["id"], archived["archived"]) == (row["id"], True)
    assert archived["archivedAt"] >= archived["createdAt"]
    hubspot.get(f"{CONTACTS}/{row['id']}", status=404)


def test_search_finds_what_changed_since_in_order_of_time(hubspot) -> None:
    since = datetime(2017, 5, 1, tzinfo=UTC)
    query = {
        "filterGroups": [
            {"filters": [{"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": millis(since)}]}
        ],
        "sorts": [{"propertyName": "hs_lastmodifieddate", "direction": "ASCENDING"}],
        "properties": ["amount"],
        "limit": 7,
    }
    found, after = [], None
    while True:
        page = hubspot.post(f"{DEALS}/search", {**query, **({"after": after} if after else {})})
        found += page["results"]
        if "paging" not in page:
            break
        after = page["paging"]["next"]["after"]
    assert page["total"] == len(found) == len({row["id"] for row in found})
    everything = hubspot.everything(DEALS, limit=100)
    assert {row["id"] for row in found} == {
        row["id"] for row in everything if datetime.fromisoformat(row["updatedAt"]) >= since
    }
    stamps = [row["updatedAt"] for row in found]
    assert stamps == sorted(stamps)
    assert "associations" not in found[0]


@pytest.mark.parametrize(
    ("operator", "more", "matches"),
    [
        ("EQ", {"value": "301"}, {"301"}),
        ("GT", {"value": "401"}, None),
        ("LT", {"value": "302"}, {"151", "301"}),
        ("IN", {"values": ["151", "301", "7"]}, {"151", "301"}),
        ("BETWEEN", {"value": "200", "highValue": "400"}, {"301", "351"}),
        ("NOT_HAS_PROPERTY", {}, set()),
    ],
)
def test_search_compares_ids_as_numbers(hubspot, operator: str, more: dict, matches: set[str] | None) -> None:
    condition = {"propertyName": "hs_object_id", "operator": operator, **more}
    page = hubspot.post(f"{CONTACTS}/search", {"filterGroups": [{"filters": [condition]}], "limit": 200})
    ids = {row["id"] for row in page["results"]}
    if matches is None:
        matches = {row["id"] for row in hubspot.everything(CONTACTS, limit=100) if int(row["id"]) > 401}
        assert "1501" in matches or len(matches) > 5
    assert ids == matches


def test_search_groups_are_alternatives_and_filters_add_up(hubspot) -> None:
    def condition(operator: str, value: str) -> dict:
        return {"propertyName": "hs_object_id", "operator": operator, "value": value}

    groups = [
        {"filters": [condition("GTE", "151"), condition("LTE", "301")]},
        {"filters": [condition("EQ", "351")]},
    ]
    page = hubspot.post(f"{CONTACTS}/search", {"filterGroups": groups})
    assert {row["id"] for row in page["results"]} == {"151", "301", "351"}


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 201},
        {"limit": 200, "after": "9801"},
        {"filterGroups": [{"filters": []}] * 6},
        {"filterGroups": [{"filters": [{"propertyName": "email", "operator": "EQ", "value": "x"}] * 7}]},
        {"filterGroups": [{"filters": [{"propertyName": "email", "operator": "EQ", "value": "x"}] * 5}] * 4},
        {"filterGroups": [{"filters": [{"propertyName": "no_such", "operator": "EQ", "value": "x"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "createdate", "operator": "GTE", "value": "soon"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "createdate", "operator": "NEAR", "value": "1"}]}]},
        {"sorts": ["email", "createdate"]},
    ],
)
def test_search_refuses_what_hubspot_refuses(hubspot, query: dict) -> None:
    assert hubspot.post(f"{CONTACTS}/search", query, 400)["category"] == "VALIDATION_ERROR"


def test_an_unknown_object_type_is_named(hubspot) -> None:
    assert hubspot.post("/crm/v3/objects/butterflies/search", {}, 400)["message"].endswith("from: butterflies")
    hubspot.get("/crm/v3/objects/butterflies", 400)
    hubspot.post("/crm/v4/associations/contacts/butterflies/batch/read", {"inputs": []}, 400)


def test_batch_read_names_the_missing_ones(hubspot) -> None:
    inputs = [{"id": "151"}, {"id": "99999"}, {"id": "301"}]
    answer = hubspot.post(f"{CONTACTS}/batch/read", {"inputs": inputs, "properties": ["email"]}, 207)
    assert [row["id"] for row in answer["results"]] == ["151", "301"]
    assert answer["errors"][0]["context"]["ids"] == ["99999"]
    dated = hubspot.post("/crm/objects/2026-09/contacts/batch/read", {"inputs": inputs})
    assert dated["numErrors"] == 1
    hubspot.post(f"{CONTACTS}/batch/read", {"inputs": [{"id": "151"}] * 101}, 400)


def test_associations_lead_both_ways_and_their_lack_is_no_failure(hubspot, small_world: World) -> None:
    home = next(person for person in small_world.people if person.home == "hubspot")
    away = next(person for person in small_world.on("hubspot") if person.home != "hubspot")
    ids = [str(1 + 50 * person.household) for person in (home, away)]
    path = "/crm/v4/associations/contacts/deals/batch/read"
    answer = hubspot.post(path, {"inputs": [{"id": id_} for id_ in ids]}, 207)
    (result,) = answer["results"]
    assert result["from"]["id"] == ids[0]
    assert answer["errors"][0]["subCategory"] == "crm.associations.NO_ASSOCIATIONS_FOUND"
    deals = [str(tie["toObjectId"]) for tie in result["to"]]
    orders = [order for order in small_world.orders if order.household == home.household and order.at <= MIDSUMMER]
    assert deals == [str(order.id) for order in orders]
    back = hubspot.post(
        "/crm/associations/2026-09/deals/contacts/batch/read", {"inputs": [{"id": id_} for id_ in deals]}
    )
    assert {str(tie["toObjectId"]) for each in back["results"] for tie in each["to"]} == {ids[0]}
    hubspot.post(path, {"inputs": [{"id": "1"}] * 1001}, 400)


def test_many_associations_come_in_pages(connect) -> None:
    from sandbox.people import Order
    from sandbox.server import Sandbox
    from sandbox.world import small

    world = small(people=10)
    person = next(person for person in world.people if person.home == "hubspot")
    first = person.joined + timedelta(hours=1)
    orders = tuple(Order(10**6 + n, person.household, first + timedelta(minutes=n), 5.0, 1) for n in range(620))
    busy = World(world.people, orders, (), (), ())
    with Sandbox(busy, RUN, ("hubspot",), limits=False) as sandbox:
        hubspot, id_ = connect(sandbox), str(1 + 50 * person.household)
        inline = hubspot.get(f"{CONTACTS}/{id_}", associations="deals")["associations"]["deals"]
        assert len(inline["results"]) == 100
        assert inline["paging"]["next"]["after"] == str(10**6 + 100)
        path = "/crm/v4/associations/contacts/deals/batch/read"
        (page,) = hubspot.post(path, {"inputs": [{"id": id_}]})["results"]
        assert len(page["to"]) == 500
        (rest,) = hubspot.post(path, {"inputs": [{"id": id_, "after": page["paging"]["next"]["after"]}]})["results"]
        assert {tie["toObjectId"] for tie in page["to"] + rest["to"]} == {order.id for order in orders}
        assert "paging" not in rest


def test_redemptions_of_people_mailed_here_are_form_submissions(small_sandbox, hubspot, small_world: World) -> None:
    small_sandbox.advance(RUN)
    (form,) = hubspot.get("/marketing/v3/forms")["results"]
    assert (form["id"], form["name"]) == (FORM_GUID, "Coupon redemption")
    rows = hubspot.everything(f"/form-integrations/v1/submissions/forms/{FORM_GUID}", limit=3)
    mailed = {person.household for person in small_world.people if person.mailer == "hubspot"}
    expected = [each for each in small_world.redemptions if each.household in mailed]
    assert [row["submittedAt"] for row in rows] == [int(millis(each.at)) for each in expected[::-1]]
    emails = {value["value"] for row in rows for value in row["values"] if value["name"] == "email"}
    assert emails <= {person.emails["hubspot"].lower() for person in small_world.on("hubspot")}
    hubspot.get("/form-integrations/v1/submissions/forms/nope", 404)
    hubspot.get(f"/form-integrations/v1/submissions/forms/{FORM_GUID}", 400, limit=51)


@pytest.mark.parametrize("version", ["v3", "2026-09"])
def test_the_account_tells_about_itself(hubspot, version: str) -> None:
    details = hubspot.get(f"/account-info/{version}/details")
    assert (details["companyCurrency"], details["timeZone"]) == ("USD", "UTC")
    (usage,) = hubspot.get(f"/account-info/{version}/api-usage/daily/private-apps")["results"]
    assert usage["usageLimit"] == 625_000
    assert usage["resetsAt"] == "2017-07-02T00:00:00.000Z"


def test_the_portal_has_no_object_types_of_its_own(hubspot) -> None:
    assert hubspot.get("/crm/v3/schemas") == {"results": []}
