"""One file over the net, going on where an earlier attempt stopped; every byte is hashed as it comes."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ul_engine.errors import HubError
from ul_engine.hub.connection import Patience, opened
from ul_engine.hub.endpoint import Asked, Hub, file_url
from ul_engine.hub.place import flush, written
from ul_engine.hub.progress import Meter
from ul_engine.hub.verify import CHUNK_BYTES

if TYPE_CHECKING:
    import httpx2

PARTIAL = ".partial"


@dataclass(frozen=True)
class Wanted:
    """A file whose size and content are known before it is fetched."""

    repo: str
    commit: str
    name: str
    size_bytes: int
    sha256: str

    @property
    def partial_name(self) -> str:
        """Name of what is here of it so far: that of another content would be another."""
        return f"{self.name}.{self.sha256[:16]}{PARTIAL}"


class _Partial:
    """What is here of a file: its bytes on the disk and the hash of them."""

    def __init__(self, path: Path, meter: Meter) -> None:
        self.path = path
        self.length = 0
        self.kept = 0
        self._meter = meter
        self._digest = hashlib.sha256()

    def take_up(self, limit: int, patience: Patience) -> None:
        """Hash what an earlier attempt left; more than `limit` bytes cannot be right and are dropped."""
        if not self.path.exists():
            return
        if self.path.stat().st_size > limit:
            self.path.unlink()
            return
        with self.path.open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                patience.check()
                self._digest.update(chunk)
                self.length += len(chunk)
        self.kept = self.length
        self._meter.kept(self.length)

    def drop(self) -> None:
        """Begin anew."""
        self._meter.dropped(self.length, kept_bytes=self.kept)
        self.path.unlink(missing_ok=True)
        self.length = self.kept = 0
        self._digest = hashlib.sha256()

    def append(self, chunks: Iterator[bytes], limit: int, patience: Patience) -> None:
        """Write what comes, up to `limit` bytes in all."""
        with self.path.open("ab") as stream:
            for chunk in chunks:
                patience.check()
                part = chunk[: limit - self.length]
                stream.write(part)
                self._digest.update(part)
                self.length += len(part)
                self._meter.fetched(len(part))
                patience.renew()

    @property
    def sha256(self) -> str:
        """Of all bytes so far."""
        return self._digest.hexdigest()


def fetch(hub: Hub, wanted: Wanted, folder: Path, meter: Meter, patience: Patience) -> Path:
    """Bring `wanted` into `folder`, fetching only what is missing; returns its path.

    Raises HubError, OutputError where the disk refuses, and Cancelled; what came so far stays for the next attempt.
    """
    path = folder / wanted.name
    partial = _Partial(folder / wanted.partial_name, meter)
    with written(folder):
        if path.exists():  # an earlier attempt got this far
            path.replace(partial.path)
        meter.enter("checking", wanted.name)
        partial.take_up(wanted.size_bytes, patience)
        _complete(hub, wanted, partial, meter, patience)
        flush(partial.path)
        partial.path.replace(path)
    return path


def _complete(hub: Hub, wanted: Wanted, partial: _Partial, meter: Meter, patience: Patience) -> None:
    """Fetch until size and hash are right. Only bytes from before are worth a second try; fresh ones are as sent."""
    _fill(hub, wanted, partial, meter, patience)
    if partial.sha256 != wanted.sha256 and partial.kept:
        partial.drop()
        _fill(hub, wanted, partial, meter, patience)
    if partial.sha256 != wanted.sha256:
        partial.drop()
        raise HubError(
            f"{wanted.name} of {wanted.repo} came with another content than promised (SHA-256) and was thrown away; "
            "try again, or from another mirror",
            kind="wrong-hash",
        )


def _fill(hub: Hub, wanted: Wanted, partial: _Partial, meter: Meter, patience: Patience) -> None:
    while partial.length < wanted.size_bytes:
        patience.check()
        meter.enter("downloading", wanted.name)
        try:
            with _from(hub, wanted, partial) as chunks:
                partial.append(chunks, wanted.size_bytes, patience)
            if partial.length < wanted.size_bytes:
                raise HubError(
                    f"{wanted.name} of {wanted.repo} ends after {partial.length:,} of {wanted.size_bytes:,} bytes; "
                    "what came is kept, try again later",
                    kind="truncated",
                )
        except HubError as error:
            patience.after(error)
    if not partial.path.exists():
        partial.path.touch()  # a file of no bytes


@contextmanager
def _from(hub: Hub, wanted: Wanted, partial: _Partial) -> Iterator[Iterator[bytes]]:
    """The bytes that follow those already here; a server that sends all of them again makes the partial begin anew."""
    asked = Asked(wanted.repo, wanted.commit, wanted.name)
    start = partial.length
    extra = {"range": f"bytes={start}-"} if start else {}
    with opened(hub, file_url(hub, wanted.repo, wanted.commit, wanted.name), asked, extra) as response:
        _require_whole(response, wanted)
        if start and not response.headers.get("content-range", "").startswith(f"bytes {start}-"):
            partial.drop()
        yield response.iter_raw()


def _require_whole(response: "httpx2.Response", wanted: Wanted) -> None:
    """Refuse an answer about a file of another size, such as the login page of a hotel, before it spoils anything."""
    part = response.headers.get("content-range", "")
    stated = part.rpartition("/")[2] if part else response.headers.get("content-length", "")
    if stated.isdigit() and int(stated) != wanted.size_bytes:
        raise HubError(
            f"{wanted.name} of {wanted.repo} has {wanted.size_bytes:,} bytes, but {int(stated):,} are offered; what "
            "came before is kept, try again later",
            kind="truncated",
        )
