"""When two written addresses are the same one."""

import re
from functools import lru_cache

_PLAIN = re.compile(r"[\w.+'%-]+@(?!.*xn--)[\w.-]+", re.ASCII | re.IGNORECASE)
"""Addresses whose normal form is themselves in lower case: nearly all, and these need not be taken apart."""


@lru_cache(maxsize=10_000)
def email_key(written: str | None) -> str | None:
    """The address in its normal form, for matching: blanks stripped, lower case, Unicode and domain normalised.

    Plus tags and dots are kept: who writes them differently may mean two mailboxes. None for no address; an address
    that is not valid is matched as written, in lower case.
    """
    text = (written or "").strip()
    if not text or _PLAIN.fullmatch(text):
        return text.lower() or None
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(text, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return text.lower()
