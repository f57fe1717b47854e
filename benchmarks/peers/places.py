"""Where the peers find the sandbox: the environment that `hosts/sitecustomize.py` reads."""

import json
import os
from pathlib import Path

HOSTS = Path(__file__).parent / "hosts"


def environment(url: str, home: Path) -> dict[str, str]:
    """What a peer is started with; `home` stands in for the user's folder, where some keep settings."""
    places = {
        "https://api.hubapi.com": f"{url}/hubspot",
        "https://us1.api.mailchimp.com": f"{url}/mailchimp",
        "https://login.salesforce.com": f"{url}/salesforce",
    }
    path = os.environ.get("PATH", "")
    return {"PATH": path, "HOME": str(home), "PYTHONPATH": str(HOSTS), "PEER_HOSTS": json.dumps(places)}
