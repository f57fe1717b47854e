"""Who is written to: pilot share and control group, drawn once and for all by a hash of the person's number."""

from collections.abc import Set
from hashlib import sha256
from typing import Literal

from sync.config import Config
from sync.config_accounts import Mode


def draw(person_id: int, purpose: str) -> float:
    """A number in [0, 1) that is always the same for this person and purpose, and evenly spread over people."""
    digest = sha256(f"{purpose}:{person_id}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def in_control(person_id: int, share: float) -> bool:
    """Whether the person belongs to the control group of `share` in [0, 0.5]. A larger share keeps all earlier ones."""
    return draw(person_id, "control") < share


def in_pilot(person_id: int, share: float, chosen: Set[int] | None = None) -> bool:
    """Whether the person is among the `share` in [0, 1] of `chosen` (everybody, for None) written to in pilot mode.

    Growing either keeps all earlier ones.
    """
    return (chosen is None or person_id in chosen) and draw(person_id, "pilot") < share


def arm(person_id: int, mode: Mode, config: Config) -> Literal["act", "control", "none"]:
    """What is done with this person's scores: acted on, kept as control, or neither (shadow, or not in the pilot).

    `mode` is the boldest of the accounts the person is on.
    """
    if mode == "shadow" or (mode == "pilot" and not in_pilot(person_id, config.pilot.share)):
        return "none"
    return "control" if in_control(person_id, config.holdout.share) else "act"
