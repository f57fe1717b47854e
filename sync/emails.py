"""When two written addresses are the same one."""

import re
from functools import lru_cache

_LOCAL = re.compile(r"[\w+'%-]+(\.[\w+'%-]+)*", re.ASCII)
_DOMAIN = re.compile(r"(?!.*xn--)[\w.-]+", re.ASCII)
"""What stands before and behind the @ of nearly all addresses: in lower case, its normal form is itself."""


def email_key(written: str | None) -> str | None:
    """The address in its normal form, for matching: blanks stripped, lower case, Unicode and domain normalised.

    Plus tags and dots are kept: who writes them differently may mean two mailboxes. None for no address; what is not
    valid is matched as written, in lower case.
    """
    text = (written or "").strip().lower()
    local, _, domain = text.rpartition("@")
    if _LOCAL.fullmatch(local):
        return f"{local}@{_normal_domain(domain)}"
    return _normal(text) if text else None


@lru_cache(maxsize=10_000)
def _normal_domain(domain: str) -> str:
    """Cached: one in other letters than ours takes a millisecond, and many people share it."""
    return domain if _DOMAIN.fullmatch(domain) else _normal(f"a@{domain}").rpartition("@")[2]


def _normal(text: str) -> str:
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(text, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return text
