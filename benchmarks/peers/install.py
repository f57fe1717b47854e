"""Installs the peers, each into an environment of its own: `python -m benchmarks.peers.install`.

They need other versions of the libraries than foretag does, and than one another. Nothing of them is part of foretag.
"""

import subprocess
import sys
import venv
from pathlib import Path

FOLDER = Path.home() / ".cache" / "foretag-peers"
PEERS = {
    "tap-hubspot": "4.5.0",
    "tap-mailchimp": "1.3.3",
    "tap-salesforce": "2.8.1",
    "drt-core": "1.2.1",
}
"""The versions that were measured."""


def binary(peer: str, name: str) -> Path:
    """The program `name` of a peer. SystemExit when the peer is not installed."""
    path = FOLDER / peer / "bin" / name
    if not path.exists():
        raise SystemExit(f"{peer} is not installed: python -m benchmarks.peers.install")
    return path


def install(peer: str, version: str) -> None:
    """Make the peer's environment, unless it is there. CalledProcessError when the package cannot be had."""
    stamp = FOLDER / peer / f"{version}.installed"
    if stamp.exists():
        return
    print(f"{peer} {version}", flush=True)
    venv.create(FOLDER / peer, clear=True, with_pip=True)
    python = FOLDER / peer / "bin" / "python"
    pip: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # the taps are older than setuptools 80, which no longer brings pkg_resources
    subprocess.run([*pip, f"{peer}=={version}", "setuptools<80"], check=True, stdout=sys.stderr)
    stamp.touch()


def main() -> None:
    for peer, version in PEERS.items():
        install(peer, version)
    print(f"{len(PEERS)} peers are in {FOLDER}")


if __name__ == "__main__":
    main()
