"""The front door: who may call, and how many at once."""

import base64
import binascii

from flask import current_app, request

from sandbox.gate import OPEN_CALLS
from sandbox.mailchimp.records import API_KEY, DATACENTER, VIEWER_KEY
from sandbox.mailchimp.wire import Problem

SIMULTANEOUS_MAX = 10


def check_open_calls() -> None:
    """Problem 429 for the eleventh call at once, unless the sandbox runs without limits."""
    if current_app.config.get("LIMITS", True) and request.environ.get(OPEN_CALLS, 1) > SIMULTANEOUS_MAX:
        detail = f"You have exceeded the limit of {SIMULTANEOUS_MAX} simultaneous connections."
        raise Problem(429, "Too Many Requests", detail)


def check_key() -> None:
    """Problem 401 for a missing or wrong key, 403 for one of another datacenter and for a viewer who wants more."""
    key = _sent_key()
    if not key:
        raise Problem(401, "API Key Missing", "Your request did not include an API key.")
    if role() == "viewer" and request.method != "GET":
        raise Problem(403, "Forbidden", "You are not permitted to access this resource.")
    if key in (API_KEY, VIEWER_KEY):
        return
    if key.partition("-")[0] == API_KEY.partition("-")[0]:
        raise Problem(403, "Forbidden", f"The API key provided is linked to datacenter '{DATACENTER}'")
    reason = "Your API key may be invalid, or you've attempted to access the wrong datacenter."
    raise Problem(401, "API Key Invalid", reason)


def role() -> str:
    """The role of the user whose key was sent."""
    return "viewer" if _sent_key() == VIEWER_KEY else "owner"


def _sent_key() -> str:
    """The key from Basic (any user name), `apikey` or Bearer credentials; "" for none."""
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return credentials
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
