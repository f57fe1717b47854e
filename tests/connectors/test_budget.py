"""The day's calls: never more than the share of the account's quota, whoever spends them, over restarts too."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from connectors.budget import BLOCK, Budget, Usage
from connectors.errors import QuotaSpent
from connectors.hubspot.answers import usage as hubspot_usage
from connectors.salesforce.answers import usage as salesforce_usage


class Book:
    """A ledger in memory that outlives the budgets made on it."""

    def __init__(self, quota: int | None = None) -> None:
        self.used, self.quota, self.closed = 0, quota, False

    def take(self, calls: int, limit: int | None) -> int:
        granted = calls if limit is None else max(0, min(calls, limit - self.used))
        self.used += granted
        return granted

    def give_back(self, calls: int) -> None:
        self.used -= calls

    def heard(self, quota: int) -> None:
        self.quota = quota

    def close(self) -> None:
        self.closed = True


def spent(budget: Budget, most: int = 10_000) -> int:
    """How many calls may be made until the budget says no."""
    for number in range(most):
        try:
            budget.spend()
        except QuotaSpent:
            return number
    return most


@pytest.mark.parametrize(
    ("share", "most", "limit"), [(0.5, None, 100), (0.5, 70, 70), (0.5, 170, 100), (None, 30, 30), (1.0, None, 200)]
)
def test_the_lower_of_share_and_number_holds(share, most, limit):
    budget = Budget("hubspot", Book(200), share=share, most=most)
    assert budget.limit == limit
    assert spent(budget) == limit == budget.used


def test_without_share_and_number_calls_are_only_counted():
    budget = Budget("mailchimp", Book())
    assert spent(budget, 500) == 500 == budget.used
    assert budget.limit is None


def test_before_the_quota_is_known_calls_are_taken_one_by_one():
    book = Book()
    budget = Budget("hubspot", book, share=0.5)
    budget.spend()
    assert book.used == 1
    budget.heard(Usage(1, 20))
    assert spent(budget) == 9


def test_what_was_taken_by_an_outdated_quota_is_not_spent():
    budget = Budget("hubspot", Book(10_000), share=0.5)
    budget.spend()
    budget.heard(Usage(1, 20))
    assert spent(budget) == 9


def test_a_restart_forgets_nothing():
    book = Book(200)
    first = Budget("hubspot", book, share=0.5)
    for _ in range(30):
        first.spend()
    first.close()
    assert (book.used, book.closed) == (30, True)
    assert spent(Budget("hubspot", book, share=0.5)) == 70


def test_what_a_crash_leaves_unmade_counts_as_made():
    book = Book(200)
    Budget("hubspot", book, share=0.5).spend()
    assert book.used == BLOCK
    assert spent(Budget("hubspot", book, share=0.5)) == 100 - BLOCK


def test_threads_together_do_not_exceed_it():
    book = Book(1000)
    budget = Budget("hubspot", book, share=0.5)
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: spent(budget, 200), range(8))) == 500


def test_others_are_left_some_even_if_they_used_most():
    budget = Budget("salesforce", Book(1000), share=0.5, goes_on="It goes on tomorrow.")
    budget.spend()
    budget.heard(Usage(949, 1000))
    budget.spend()
    budget.heard(Usage(950, 1000))
    with pytest.raises(QuotaSpent, match=r"950 of the 1,000 calls that salesforce .* It goes on tomorrow\."):
        budget.spend()


def test_the_refusal_says_how_many_and_when_it_goes_on():
    budget = Budget("hubspot", Book(8), share=0.5, goes_on="It goes on at 00:00 Europe/Berlin.")
    spent(budget)
    with pytest.raises(QuotaSpent, match=r"4 of 4 .*It goes on at 00:00 Europe/Berlin\."):
        budget.spend()


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"X-HubSpot-RateLimit-Daily": "250000", "X-HubSpot-RateLimit-Daily-Remaining": "249000"}, Usage(1000, 250000)),
        ({"X-HubSpot-RateLimit-Daily": "250000"}, None),
        ({"X-HubSpot-RateLimit-Daily": "many", "X-HubSpot-RateLimit-Daily-Remaining": "1"}, None),
        ({}, None),
    ],
)
def test_hubspots_own_count_is_read(headers, told):
    assert hubspot_usage(headers) == told


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("api-usage=18/5000", Usage(18, 5000)),
        ("per-app-api-usage=17/250(appName=x), api-usage=18/5000", Usage(18, 5000)),
        ("", None),
        ("api-usage=?/5000", None),
    ],
)
def test_salesforces_own_count_is_read(header, told):
    assert salesforce_usage({"Sforce-Limit-Info": header}) == told
