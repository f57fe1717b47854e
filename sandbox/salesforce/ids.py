"""Record ids as Salesforce writes them: a three-character type prefix, a base-62 number and a checksum."""

import re
import string

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_CHECKSUM = string.ascii_uppercase + "012345"
_POD = "5g0"
_ID = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")


def make_id(prefix: str, number: int) -> str:
    """The 18-character id of record `number` (0 … 62⁹-1) of the type with this prefix."""
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    short = f"{prefix}{_POD}{digits:0>9}"
    return short + checksum(short)


def checksum(short: str) -> str:
    """The three characters that make a case-sensitive 15-character id safe where case is lost."""
    return "".join(
        _CHECKSUM[sum(1 << place for place, letter in enumerate(short[start : start + 5]) if letter.isupper())]
        for start in (0, 5, 10)
    )


def full_id(text: str) -> str | None:
    """The 18-character form of a 15- or 18-character id; None when `text` is not an id."""
    if not _ID.fullmatch(text):
        return None
    whole = text[:15] + checksum(text[:15])
    return whole if text in (whole, whole[:15]) else None
