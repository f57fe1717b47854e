"""What stands in the way of writing to single contacts, in the ways HubSpot has of telling it, or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.hubspot.errors import bad_request, invalid_properties


@dataclass(frozen=True)
class Trouble:
    """Why a contact cannot be updated in a batch.

    `named`: its row fails, and the answer names it. `unnamed`: the whole call fails, and the answer names nobody.
    `silent`: the row is passed over. `code` and `name`, that of a property, stand in the answer where they are given.
    """

    message: str = ""
    code: str = ""
    name: str = ""
    how: Literal["named", "unnamed", "silent"] = "named"

    @property
    def problems(self) -> list[dict[str, Any]]:
        """As HubSpot tells it of a property; none where it is about no property."""
        problem = {"isValid": False, "message": self.message, "error": self.code, "name": self.name}
        return [problem] if self.name else []


def refuse_unnamed(troubles: Sequence[Trouble]) -> None:
    """Raise the ApiError of the first trouble that fails a whole call, if any of these does."""
    for trouble in troubles:
        if trouble.how == "unnamed":
            raise invalid_properties(trouble.problems) if trouble.problems else bad_request(trouble.message)
