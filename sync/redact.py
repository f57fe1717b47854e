"""Finding and hiding what must not be shown: access tokens and e-mail addresses."""

import hashlib
import re
from base64 import b64decode
from urllib.parse import unquote

_TOKEN_SHAPES = (
    r"\bpat-[a-z]{2,4}\d*-[\w-]{8,}",  # HubSpot private app or service key
    r"\b[0-9a-f]{32}-us\d{1,3}\b",  # Mailchimp API key
    r"\b00D[A-Za-z0-9]{9,15}(?:!|%21)[\w.]+",  # Salesforce session or access token
    r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+",  # a JSON web token, which Salesforce may give instead
    r"\bhttps://hooks\.slack\.com/services/[\w/]+",
)
_TOKEN = re.compile("|".join(_TOKEN_SHAPES))
_AUTHORIZATION = re.compile(r"(?i)\b(bearer|basic|oauth|apikey)\s+[\w.!~+/=-]{8,}")
_SENSITIVE = r"(?:(?:api|access|auth|private|secret)_?key|token|secret|password|passwd|hapikey)"
# The look-behinds keep the search from beginning anew at every letter of a long word: that would take its square.
_ASSIGNED = re.compile(rf"(?i)(?<![\w-])([\w-]*{_SENSITIVE}[\"']?\s*[=:]\s*[\"']?)([^\s\"'&,;}}]{{8,}})")
_URL_LOGIN = re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+@")
_AT = r"(?:@|%(?:25)*40|\\u0040|&#0*64;|&#x0*40;|&commat;)"  # in addresses, in JSON, in web pages
_EMAIL = re.compile(rf"(?i)(?<![\w.+'%-])[\w.+'%-]+{_AT}[\w-]+(?:\.[\w-]+)+")
_PACKED = re.compile(r"(?<![\w+/-])[\w+/-]{12,}={0,2}", re.ASCII)
_SECRET_KEY = re.compile(rf"(?i)^(?:\w+[_-])?{_SENSITIVE}$")


def redact(text: str, *, emails: bool = True) -> str:
    """`text` with tokens as `***` and each e-mail address as a short hash (the same address, the same hash).

    Without `emails` plain addresses stay as they are; those in other encodings are hidden in any case.
    """
    text = _TOKEN.sub("***", text)
    text = _AUTHORIZATION.sub(r"\1 ***", text)
    text = _ASSIGNED.sub(r"\1***", text)
    text = _URL_LOGIN.sub("***@", text)
    if emails:
        text = _EMAIL.sub(_hashed, text)
    return _PACKED.sub(_unpacked, text)


def is_token(value: str) -> bool:
    """Whether `value` has the shape of a platform's access token."""
    return bool(_TOKEN.search(value) or _AUTHORIZATION.match(value))


def names_a_secret(key: str) -> bool:
    """Whether a setting of this name would hold a secret (`token`, `api_key`, `client_secret`, …)."""
    return bool(_SECRET_KEY.match(key))


def _hashed(found: re.Match[str]) -> str:
    address = unquote(re.sub(_AT, "@", found[0], flags=re.IGNORECASE)).lower()
    return f"<email {hashlib.sha256(address.encode()).hexdigest()[:8]}>"


def _unpacked(found: re.Match[str]) -> str:
    """`***` for the base64 of a token or an address, such as the header that logs in to Mailchimp; else as it is."""
    word = found[0].rstrip("=").replace("-", "+").replace("_", "/")
    try:
        inside = b64decode(word + "=" * (-len(word) % 4)).decode("ascii")
    except ValueError:
        return found[0]
    return "***" if _TOKEN.search(inside) or _EMAIL.search(inside) else found[0]
