"""Numbers of things in a text."""

MANY = {"person": "people", "activity": "activities", "copy": "copies"}
"""What has another plural than with an s."""


def counted(number: int, thing: str) -> str:
    """`1 contact`, `2,000 contacts`."""
    return f"{number:,} {thing if number == 1 else MANY.get(thing, f'{thing}s')}"
