"""Amounts in the org's corporate currency, at the org's own rates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.salesforce.schema import Schema, readable

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

OBJECTS = ("CurrencyType", "DatedConversionRate")
_NOW = ("IsoCode", "ConversionRate", "IsCorporate")
_DATED = ("IsoCode", "StartDate", "NextStartDate", "ConversionRate")


@dataclass(frozen=True, slots=True)
class Rates:
    """How many of a currency are one of the corporate currency; empty where the org has one currency only.

    Dated rates (Advanced Currency Management) count for the days they were made for, the others for all days.
    """

    corporate: str | None = None
    now: Mapping[str, float] = field(default_factory=dict)
    dated: Sequence[tuple[str, str, str, float]] = ()
    """Currency, first day, the day after the last, rate."""

    def cents(self, amount: float, currency: str | None, day: str | None) -> tuple[int, str | None]:
        """Hundredths of the corporate currency, and its code; without a rate the amount stays in its own currency."""
        rate = self._rate(currency, day or "") if currency and currency != self.corporate else None
        if not rate:
            return round(amount * 100), currency
        return round(amount / rate * 100), self.corporate

    def _rate(self, currency: str, day: str) -> float | None:
        on_day = (rate for code, first, behind, rate in self.dated if code == currency and first <= day < behind)
        return next(on_day, None) or self.now.get(currency)


def rates(sf: "Salesforce", schema: Schema) -> Rates:
    """The org's rates, as far as the token may read them; costs a call for each kind there is."""
    if len(readable(schema, "CurrencyType", _NOW)) < len(_NOW):
        return Rates()
    types = list(sf.query_all_iter(f"SELECT {','.join(_NOW)} FROM CurrencyType"))  # noqa: S608 - constants
    dated = []
    if len(readable(schema, "DatedConversionRate", _DATED)) == len(_DATED):
        rows = sf.query_all_iter(f"SELECT {','.join(_DATED)} FROM DatedConversionRate")  # noqa: S608 - constants
        dated = [(row["IsoCode"], row["StartDate"], row["NextStartDate"], float(row["ConversionRate"])) for row in rows]
    return Rates(
        next((row["IsoCode"] for row in types if row["IsCorporate"]), None),
        {row["IsoCode"]: float(row["ConversionRate"]) for row in types},
        dated,
    )
