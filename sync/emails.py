"""When two written addresses are the same one."""

from functools import lru_cache


@lru_cache(maxsize=100_000)
def email_key(written: str | None) -> str | None:
    """The address in its normal form, for matching: blanks stripped, lower case, Unicode and domain normalised.

    Plus tags and dots are kept: who writes them differently may mean two mailboxes. None for no address; an address
    that is not valid is matched as written, in lower case.
    """
    from email_validator import EmailNotValidError, validate_email

    text = (written or "").strip()
    if not text:
        return None
    try:
        return validate_email(text, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return text.lower()
