"""Files of ours beside the store: each is there whole, or as it was before."""

import os
from pathlib import Path

OWNER_ONLY = 0o600
"""Rights of a file that names people."""
USUAL = 0o666
"""Rights of any other file, as far as the umask lets them."""


def write_whole(path: Path, text: str, rights: int = USUAL) -> None:
    """Write `text` to `path`: whoever dies or looks meanwhile leaves or finds the old file, never half a new one.

    What is not a plain file, such as a pipe or /dev/stdout, is written to as it is. A process that dies leaves
    `draft_of(path)`, which the next one replaces. OSError when it cannot be written.
    """
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
        return
    target = path.resolve()  # a link stays one
    draft = draft_of(target)
    draft.unlink(missing_ok=True)
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, rights)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - to be born with its rights
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        draft.replace(target)
        to_disk(target.parent)
    finally:
        draft.unlink(missing_ok=True)


def draft_of(path: Path) -> Path:
    """What `path` is called until it is whole."""
    return path.with_name(f".{path.name}.new")


def to_disk(path: Path) -> None:
    """Have the disk take in what was written to this file, or which names this folder has."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
