"""Taking our own things off a platform, one after the other."""

from collections.abc import Callable, Iterable

from connectors.errors import Rejected, Stop

_GONE_ALREADY = 404


def remove_each(things: Iterable[tuple[str, Callable[[], object]]]) -> list[str]:
    """Carry out each removal, given as what goes and how, and say what went.

    What is not there any more counts as gone: an answer was lost, or someone was faster. Raises Stop, naming what the
    platform refuses to let go, after everything else went.
    """
    gone, kept = [], []
    for what, remove in things:
        try:
            remove()
        except Rejected as error:
            if error.status != _GONE_ALREADY:
                kept.append(f"{what}: {error}")
                continue
        gone.append(what)
    if kept:
        raise Stop(
            f"{len(gone)} of our things were removed, {len(kept)} could not be. Most likely a list, report or "
            f"automation uses them: take them out there and try again. {'; '.join(kept)}"
        )
    return gone
