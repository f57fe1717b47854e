"""Keeps calls within foretag's share of an account's daily quota, so that other integrations keep running."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

from connectors.errors import QuotaSpent

BLOCK = 50
"""Calls noted at once, before they are made: what a crash leaves unmade of them counts as made until the next day."""
LEFT_TO_OTHERS = 0.05
"""Share of the account's quota that is left to everybody else, even while foretag's own share is not used up."""


@dataclass(frozen=True, slots=True)
class Usage:
    """The platform's own count of the day: calls of all integrations together, and how many there may be."""

    used: int
    quota: int


class Ledger(Protocol):
    """Where calls are noted so that a restart does not forget them. Safe to use from any thread."""

    @property
    def used(self) -> int:
        """Calls noted today."""

    @property
    def quota(self) -> int | None:
        """The account's daily quota as it was last heard of."""

    def take(self, calls: int, limit: int | None) -> int:
        """Note up to `calls` more, as far as today's stay within `limit`; how many that are."""

    def give_back(self, calls: int) -> None:
        """Take off calls that were noted and not made."""

    def heard(self, quota: int) -> None:
        """Keep the account's daily quota."""

    def close(self) -> None:
        """Nothing is noted from here on."""


class Budget:
    """What one account may spend a day. Safe to share between threads and connectors.

    `most` calls, or the share `share` in (0, 1] of the account's quota where the platform tells one, or both: the lower
    one holds; neither: calls are only counted. `goes_on` says when a new day begins.
    """

    def __init__(
        self, account: str, ledger: Ledger, *, share: float | None = None, most: int | None = None, goes_on: str = ""
    ) -> None:
        self._account, self._ledger = account, ledger
        self._share, self._most, self._goes_on = share, most, goes_on
        self._in_hand = 0
        self._platforms: Usage | None = None
        self._lock = Lock()

    @property
    def limit(self) -> int | None:
        """Calls a day; None while there is no limit, or none is known yet."""
        quota = self._ledger.quota
        by_share = None if self._share is None or quota is None else int(self._share * quota)
        return min((limit for limit in (by_share, self._most) if limit is not None), default=None)

    @property
    def used(self) -> int:
        """Calls made today."""
        return self._ledger.used - self._in_hand

    def spend(self) -> None:
        """One call is about to be made; QuotaSpent when it must not be."""
        with self._lock:
            self._leave_some_to_others()
            if not self._in_hand:
                blind = self._share is not None and self._ledger.quota is None
                self._in_hand = self._ledger.take(1 if blind else BLOCK, self.limit)
            if not self._in_hand:
                raise QuotaSpent(
                    f"foretag's calls to {self._account} for today are used up: {self.used:,} of {self.limit:,} "
                    f"(daily_share, daily_calls). {self._goes_on}"
                )
            self._in_hand -= 1

    def heard(self, usage: Usage) -> None:
        """The platform has told its own count."""
        with self._lock:
            known, self._platforms = self._platforms, usage
            if known is None or known.quota != usage.quota:
                self._ledger.heard(usage.quota)
                self._hand_back()  # it was taken by what was known before

    def close(self) -> None:
        """Give back what was noted ahead and not spent; nothing is spent from here on."""
        with self._lock:
            self._hand_back()
            self._ledger.close()

    def _hand_back(self) -> None:
        self._ledger.give_back(self._in_hand)
        self._in_hand = 0

    def _leave_some_to_others(self) -> None:
        told = self._platforms
        if self._share is not None and told and told.quota - told.used <= LEFT_TO_OTHERS * told.quota:
            raise QuotaSpent(
                f"{told.used:,} of the {told.quota:,} calls that {self._account} may get today are used, by all "
                f"integrations together; foretag leaves them the rest. {self._goes_on}"
            )


Meter = Callable[[Mapping[str, str]], Usage | None]
"""Reads the platform's own count from the headers of an answer; None where they tell nothing."""
