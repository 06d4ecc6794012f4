"""What a collection of files is made of, and which names in it are left out or refused."""

from typing import NamedTuple

from ul_engine.errors import DataError

LOOSE, PIECE, STORED, DEFLATED, BZIP2 = -2, -1, 0, 8, 12
"""How an entry is kept: as a file of its own, as a plain piece of a tar file, as a member of a zip file (whose numbers
these are)."""

_LEFT_OUT = frozenset({"__macosx", "thumbs.db", "desktop.ini"})
_SHARD = ".tar"


class Entry(NamedTuple):
    """One file of a collection, loose or inside an archive."""

    name: str
    """Path below the collection's root with "/" between its parts; in a folder of shards it begins with the shard."""
    num_bytes: int
    file: str
    """The real file that holds it."""
    offset: int = 0
    """Where in `file` it begins (zip: its local header)."""
    stored_bytes: int = 0
    """Bytes it takes in `file`, compressed or not."""
    method: int = LOOSE
    """One of the five ways above."""
    mark: int = 0
    """Changes with the content: a check sum where the archive has one, else a time of modification."""


def is_left_out(name: str) -> bool:
    """Whether a name belongs to the system and not to the data: hidden files, ``__MACOSX``, ``Thumbs.db``."""
    return any(part.startswith(".") or part.lower() in _LEFT_OUT for part in name.split("/"))


def safe_name(name: str, archive: str) -> str:
    """The member name with "/" between its parts; raises DataError for one that leads out of the archive."""
    plain = name.replace("\\", "/").removeprefix("./")
    parts = plain.split("/")
    if not plain or ".." in parts or plain.startswith("/") or parts[0].endswith(":") or "\0" in plain:
        raise DataError(f"holds the unsafe name {name!r}; pack the archive again without it", path=archive)
    return "/".join(part for part in parts if part not in ("", "."))


def name_in_shard(name: str) -> str:
    """The entry's name without the shard that holds it: ``a/part-3.tar/dog/1.jpg`` gives ``dog/1.jpg``."""
    shard, separator, rest = name.rpartition(_SHARD + "/")
    return rest if separator and shard else name
