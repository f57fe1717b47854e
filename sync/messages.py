"""Sends a text to a place the admin named, and says to a dead man's switch that all is well.

Where a text goes is an apprise address (mail, Slack, Teams, ntfy, a webhook …), kept as a secret, never in the config.
"""

import logging
from typing import Any
from urllib.parse import urlsplit

from connectors.allowlist import AllowList, Rule
from connectors.errors import ConnectorError
from connectors.pacing import Pacer
from connectors.transport import Transport
from sync import secrets
from sync.clock import Clock
from sync.errors import ForetagError

log = logging.getLogger(__name__)

OVER = "Over"
"""How a text begins that tells the end of what was told before."""
PING_ATTEMPTS = 3
_FOR_HUMANS = ("service_url", "setup_url", "app_url", "image_url")
"""What apprise says of a service beside where it answers."""


def deliver(place: str, text: str) -> bool:
    """Send `text` to `place`, one of [alerts] to; False when it did not arrive. Raises nothing.

    The title is the subject of a mail, the kind the colour elsewhere.
    """
    title, kind = ("foretag: over again", "success") if text.startswith(OVER) else ("foretag: please look", "warning")
    try:
        return bool(_service(place).notify(title=title, body=text, notify_type=kind))
    except ForetagError as error:
        log.warning("the alert could not be sent to %s: %s", place, error)
    except Exception as error:  # noqa: BLE001 - many services, each with failures of its own; none may stop a run
        log.warning("the alert could not be sent to %s: %s", place, type(error).__name__)
    return False


def hosts(place: str) -> list[str]:
    """The hosts (HOST, or HOST:PORT) that alerts for `place` go to, by what its service says; [] where it says nothing.

    Raises MissingSecret, or ForetagError for an address that apprise does not understand.
    """
    found: set[str] = set()
    for service in _service(place):
        port = f":{service.port}" if service.port else ""
        addressed = any("{host}" in each for each in service.templates) and getattr(service, "mode", "") != "cloud"
        if getattr(service, "smtp_host", None):
            found.add(f"{service.smtp_host}{port}")
        elif addressed:
            found.add(f"{service.host}{port}")
        else:
            named = [name for name in dir(type(service)) if name.endswith("_url") and name not in _FOR_HUMANS]
            urls = [value for name in named if isinstance(value := getattr(service, name), str)]
            found.update(host for url in urls if (host := urlsplit(url).hostname))
    return sorted(found)


def ping_host() -> str:
    """The host (and port) of the dead man's switch. Raises MissingSecret."""
    return urlsplit(secrets.find(secrets.PING).value).netloc.rpartition("@")[2]


def ping(clock: Clock) -> None:
    """Call the dead man's switch: whoever stops hearing from us raises the alarm. A failure is only logged."""
    try:
        address = urlsplit(secrets.find(secrets.PING).value)
        if address.scheme != "https" and address.hostname not in ("127.0.0.1", "localhost"):
            raise ForetagError(f"{secrets.PING} is not an https address")
        rule = Rule("ping", "GET", ".*", repeatable=True, private=True)
        pacer = Pacer({}, monotonic=clock.monotonic, sleep=clock.sleep)
        base = f"{address.scheme}://{address.netloc}"
        with Transport(base, AllowList([rule]), pacer, sleep=clock.sleep, attempts=PING_ATTEMPTS) as transport:
            transport.get(address.geturl())
    except (ConnectorError, ForetagError) as error:
        log.warning("the dead man's switch could not be called: %s", error)


def _service(place: str) -> Any:
    """Apprise with the one service behind `place`. ForetagError for an address it does not understand."""
    from apprise import Apprise, AppriseAsset, PersistentStoreMode

    # Its own log tells addresses, and with them passwords; what it would store on the disk is of no use to us.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    asset = AppriseAsset(app_id="foretag", app_url="", async_mode=False, storage_mode=PersistentStoreMode.MEMORY)
    found = Apprise(asset=asset)
    if not found.add(secrets.find(secrets.of_alert(place)).value):
        raise ForetagError(
            f"{secrets.of_alert(place)} is no address that apprise knows, such as mailtos:// or slack://"
        )
    return found
