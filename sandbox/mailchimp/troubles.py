"""What stands in the way of writing to single members, in the ways Mailchimp has of telling it, or not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sandbox.mailchimp.wire import Body, Problem, invalid


@dataclass(frozen=True)
class Trouble:
    """Why a member cannot be updated in a batch, or not be tagged.

    `named`: its row stands among the errors. `numbered`: the whole call fails, and the answer gives the row's number.
    `unnamed`: the whole call fails, and the answer names nobody. `silent`: the row is passed over. `kept`: the member
    comes back as if it were updated, with what it held before. `tag`: it stands among the errors when it is tagged.
    `tag unnamed`: the call that tags it fails as a whole.
    """

    message: str = ""
    field: str = ""
    how: Literal["named", "numbered", "unnamed", "silent", "kept", "tag", "tag unnamed"] = "named"

    def spoil(self, row: Body) -> Body:
        """What is left of a member's row in a batch. Raises the Problem of one that stands among the errors."""
        if self.how == "named":
            raise Problem(400, "Invalid Resource", self.message, [(self.field, self.message)] if self.field else ())
        return {"email_address": row["email_address"]} if self.how == "kept" else row


def refuse_whole(troubles: Sequence[Trouble | None]) -> None:
    """Raise the Problem of the first row that fails a whole batch of members, if any does."""
    for number, trouble in enumerate(troubles):
        if trouble and trouble.how == "numbered":
            raise invalid((f"members.item:{number}.{trouble.field}", trouble.message))
        if trouble and trouble.how == "unnamed":
            raise Problem(400, "Invalid Resource", trouble.message)


def tag_errors(troubles: Mapping[str, Trouble]) -> list[Body]:
    """What the answer to tagging these addresses says against some of them. Problem where the whole call fails."""
    for trouble in troubles.values():
        if trouble.how == "tag unnamed":
            raise Problem(400, "Bad Request", trouble.message)
    return [
        {"email_addresses": [email], "error": trouble.message}
        for email, trouble in troubles.items()
        if trouble.how == "tag"
    ]
