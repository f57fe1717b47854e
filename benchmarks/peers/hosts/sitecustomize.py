"""Sends the requests of a peer to the sandbox. Python imports this file by itself when its folder is on PYTHONPATH.

`PEER_HOSTS` is JSON: the beginning of an address → what stands in its place. Nothing of the peer itself is changed. The
two libraries all peers send with are patched at the last step, where the address is complete.
"""

import json
import os
from importlib.util import find_spec
from typing import Any

HOSTS: dict[str, str] = json.loads(os.environ.get("PEER_HOSTS", "{}"))


def moved(url: str) -> str:
    """The address in the sandbox. ValueError for one that is neither there nor in the table: nothing leaves."""
    for host, place in HOSTS.items():
        if url.startswith(host):
            return place + url[len(host) :]
    if url.startswith("http://127.0.0.1:"):
        return url
    raise ValueError(f"a peer asked for {url}, which PEER_HOSTS does not lead into the sandbox")


if HOSTS and find_spec("requests"):
    from requests import Session

    _send_request = Session.send

    def _send(self: Session, request: Any, **options: Any) -> Any:
        request.url = moved(request.url)
        return _send_request(self, request, **options)

    Session.send = _send

if HOSTS and find_spec("httpx"):
    from httpx import URL, Client

    _send_httpx = Client.send

    def _send_by_httpx(self: Client, request: Any, **options: Any) -> Any:
        request.url = URL(moved(str(request.url)))
        request.headers["Host"] = request.url.netloc.decode()
        return _send_httpx(self, request, **options)

    Client.send = _send_by_httpx
