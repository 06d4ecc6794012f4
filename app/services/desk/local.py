"""Models on the disk: how large, from where, what lies beside them, and the bin for those removed."""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from app.services.gallery.recycle_bin import empty_bin, list_bin, move_to_bin, restore_from_bin
from ul_engine.errors import CheckpointError, OutputError
from ul_engine.model_folder import CARD_NAME, MANIFEST_NAME, list_models, read_manifest

BIN_NAME = ".trash"
MAX_CARD_CHARACTERS = 60_000


def facts(roots: list[str], own: str) -> dict[str, Any]:
    """By folder: size, source, foreign files. And the whole: unfinished downloads, the bin, room on the disk."""
    from ul_engine.hub.download import unfinished_downloads

    models = {}
    for entry in list_models(roots):
        models[entry.path] = _facts_of(Path(entry.path))
    unfinished = [{"repo": each.repo, "done_bytes": each.done_bytes} for each in unfinished_downloads(own)]
    entries = list_bin(Path(own) / BIN_NAME)
    return {
        "models": models,
        "unfinished": unfinished,
        "own_bytes": sum(known["size_bytes"] for path, known in models.items() if Path(path).parent == Path(own)),
        "free_bytes": _free_bytes(Path(own)),
        "bin": [{"batch": each.batch, "path": each.path, "size_bytes": each.size_bytes} for each in entries],
    }


def _facts_of(folder: Path) -> dict[str, Any]:
    from ul_engine.hub.local import is_bundled
    from ul_engine.hub.place import read_origin
    from ul_engine.hub.verify import foreign_files

    foreign: tuple[str, ...] = ()
    with suppress(CheckpointError, OSError):
        foreign = foreign_files(folder, read_manifest(folder))
    origin = read_origin(folder)
    return {
        "size_bytes": size_of(folder),
        "is_bundled": is_bundled(folder),
        "foreign": list(foreign),
        "source": (origin.repo or origin.source) if origin is not None else "",
        "commit": origin.commit if origin is not None else "",
        "when": origin.when[:10] if origin is not None else "",
    }


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    try:
        files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
        return sum(file.stat().st_size for file in files)
    except OSError:
        return 0


def weights_size(folder: Path) -> int:
    """Bytes of the weights of a model."""
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))


def _free_bytes(folder: Path) -> int:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def card_text(folder: Path) -> str:
    """The card without its front matter; empty where there is none."""
    try:
        text = (folder / CARD_NAME).read_text(encoding="utf-8", errors="replace")[:MAX_CARD_CHARACTERS]
    except OSError:
        return ""
    if text.startswith("---\n"):
        text = text[4:].partition("\n---")[2].lstrip("-")
    return text.strip()


def remove(folder: Path, own: Path) -> dict[str, Any]:
    """Move one of the person's models to the bin; raises CheckpointError for any other folder."""
    if folder.parent.resolve() != own.resolve():
        raise CheckpointError("does not lie among your models; it is not removed from here", path=folder)
    if not (folder / MANIFEST_NAME).is_file():
        raise CheckpointError(f"has no {MANIFEST_NAME}; it is no model and is not removed from here", path=folder)
    done = move_to_bin(own, own / BIN_NAME, [folder.name])
    if done.problems:
        raise OutputError(done.problems[0].partition(": ")[2] or done.problems[0], path=folder)
    return {"batch": done.batch, "name": folder.name}


def restore(batch: str, own: Path) -> dict[str, Any]:
    """Bring removed models back; raises OutputError where the system refuses."""
    done = restore_from_bin(own, own / BIN_NAME, batch)
    if done.problems:
        raise OutputError(done.problems[0], path=own)
    return {"folders": [os.fspath(own / path) for path in done.done]}


def empty(own: Path) -> None:
    """Remove for good what was removed; raises OutputError."""
    empty_bin(own / BIN_NAME)
