"""One run at a time over all processes that share a data folder."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sync.errors import RunActive


@contextmanager
def only_run(folder: Path, since: datetime) -> Iterator[None]:
    """Hold the folder for this process; RunActive when another one has it.

    The lock is the operating system's: it is gone with the process, however that ended.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "foretag.lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise RunActive(f"{_owner(file.read())} Try again when it has ended: foretag status") from None
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "since": since.isoformat()}))
        file.flush()
        yield


def _owner(text: str) -> str:
    try:
        owner = json.loads(text)
        return f"another run is active since {owner['since'][:16]} (pid {owner['pid']})."
    except (ValueError, KeyError, TypeError):
        return "another run is active."
