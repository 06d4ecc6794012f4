"""Where indexes and other things that can be made again are kept."""

import json
import os
import tempfile
from hashlib import blake2b
from pathlib import Path

from platformdirs import user_cache_dir

from ul_engine.errors import OutputError


def cache_root() -> Path:
    """``UL_STUDIO_CACHE`` where it is set, else the user's cache folder for this program."""
    return Path(os.environ.get("UL_STUDIO_CACHE") or user_cache_dir("ul-studio", appauthor=False))


def key_of(*parts: object) -> str:
    """32 hexadecimal digits for a file name: the same parts give the same key, on every machine."""
    return blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that others see all or nothing of it, also while several processes write; raises OutputError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".partial")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            os.replace(partial, path)
        except BaseException:
            Path(partial).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OutputError(f"cannot be written ({error.strerror or error})", path=path) from error
