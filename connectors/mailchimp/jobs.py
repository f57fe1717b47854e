"""Asynchronous batches: many operations handed over in one call, their answers fetched later as one archive.

The archive is read as a stream and never unpacked to disk. It comes from a host that is not Mailchimp's own, so it is
not trusted: sizes and counts are capped, and it must be whole to its last byte.
"""

import gzip
import json
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import urllib3

from connectors.errors import NotAllowed, NotPermitted, Rejected, Unavailable
from connectors.mailchimp.sdk import Api
from connectors.transport import Transport

PATIENCE = 1800.0
"""Seconds to wait for a batch. One that takes longer is looked at again at the next pull."""
FILE_LIMIT = 256 * 1024**2
TOTAL_LIMIT = 8 * 1024**3
FILES_LIMIT = 100_000

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 60.0
_DOWNLOADS = 4
_TAIL = 64 * 1024
_BROKEN = (EOFError, OSError, ValueError, zlib.error, tarfile.TarError, urllib3.exceptions.HTTPError, NotPermitted)


class Expired(Unavailable):
    """Mailchimp does not know the batch (any more): its operations have to be handed over again."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The answer to one operation, or one page of it: several entries may have the same `id`."""

    id: str
    status: int
    answer: Any


class Jobs:
    """The asynchronous batches of one account."""

    def __init__(self, api: Api, transport: Transport, sleep: Callable[[float], None]) -> None:
        self._api = api
        self._transport = transport
        self._sleep = sleep

    def start(self, operations: Sequence[Mapping[str, Any]]) -> str:
        """Hand over operations, each with an `operation_id` of ours; the batch's id. Mailchimp pages through reads."""
        return str(self._api.call(self._api.batches.start, {"operations": list(operations)})["id"])

    def results(self, job: str, skip: int) -> Iterator[tuple[int, list[Entry]]]:
        """The answers, file by file, behind the first `skip` files; each with the number of files up to it.

        Raises Expired, and Unavailable when the batch takes longer than `PATIENCE` or its archive stays broken.
        """
        broken: Exception | None = None
        for _ in range(_DOWNLOADS):
            url = self._address(job)
            try:
                with closing(self._transport.download(url)) as response:
                    for number, content in _files(response.raw, skip):
                        yield number, _entries(content)
                        skip = number
                return
            except _BROKEN as error:
                broken = error
        raise Unavailable(f"the archive of the batch {job} could not be read: {broken!r}") from broken

    def _address(self, job: str) -> str:
        """Where the archive is, once the batch is finished. The address is good for a short while only."""
        wait, waited = _FIRST_WAIT, 0.0
        while waited <= PATIENCE:
            try:
                answer = self._api.call(self._api.batches.status, job)
            except Rejected as error:
                if error.status == 404:
                    raise Expired(str(error)) from error
                raise
            if answer["status"] == "finished" and answer["response_body_url"]:
                return str(answer["response_body_url"])
            self._sleep(wait)
            waited += wait
            wait = min(2 * wait, _LONGEST_WAIT)
        raise Unavailable(f"Mailchimp is still at work on the batch {job}; the next run goes on from there")


def _files(source: Any, skip: int) -> Iterator[tuple[int, bytes]]:
    """The files of a tar.gz stream behind the first `skip`, numbered from 1. Raises EOFError where it breaks off."""
    packed: Any = gzip.GzipFile(fileobj=source)
    total = 0
    with tarfile.open(fileobj=packed, mode="r|") as archive:
        for number, info in enumerate(archive, 1):
            total += info.size
            if info.size > FILE_LIMIT or total > TOTAL_LIMIT or number > FILES_LIMIT:
                raise NotAllowed("the archive of a batch is larger than any result of ours and was not read on")
            file = archive.extractfile(info) if number > skip and info.isfile() and info.size else None
            if file is not None:
                yield number, file.read()
    # tarfile takes a break between two files for the end: only the rest of the gzip stream tells whether it was
    if len(packed.read(_TAIL)) == _TAIL:
        raise NotAllowed("the archive of a batch goes on behind its end and was not read on")


def _entries(content: bytes) -> list[Entry]:
    """Raises ValueError for anything but a list of answers."""
    try:
        return [Entry(str(row["operation_id"]), int(row["status_code"]), _parsed(row)) for row in json.loads(content)]
    except (KeyError, TypeError) as error:
        raise ValueError(f"a file of the archive holds no answers: {error!r}") from error


def _parsed(row: Any) -> Any:
    try:
        return json.loads(row["response"])
    except ValueError:
        return None
