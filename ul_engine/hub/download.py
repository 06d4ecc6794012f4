"""Fetching a model from the Hub: checked before the first gigabyte, resumable, in place whole or not at all.

What comes is gathered in ``.downloads`` inside the models folder, a folder per repository. It stays there when the
connection breaks, the person cancels or the process is killed, and the next attempt goes on from it; complete and
verified, that folder itself becomes the model by one rename.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ul_engine.errors import CheckpointError, HubError, OutputError
from ul_engine.hub.connection import Patience, get_bytes
from ul_engine.hub.endpoint import Asked, Hub, connect, file_url, repo_id
from ul_engine.hub.files import ModelFile, is_picture
from ul_engine.hub.importing import Installed, copy_in, now_text
from ul_engine.hub.place import (
    Origin,
    folder_name_for,
    put_in_place,
    read_origin,
    require_free,
    require_name,
    require_space,
    write_origin,
    written,
)
from ul_engine.hub.progress import Meter, ProgressListener
from ul_engine.hub.refusals import offline_error
from ul_engine.hub.remote import RemoteModel, fetch_manifest, look_up, wanted_files
from ul_engine.hub.sources import FolderSource
from ul_engine.hub.transfer import Wanted, fetch
from ul_engine.hub.verify import header_problem, require_intact
from ul_engine.model_folder import MANIFEST_NAME, Manifest, NetworkFile, user_models_dir

DOWNLOADS_NAME = ".downloads"


@dataclass(frozen=True)
class Unfinished:
    """A download that was stopped: the same download goes on from `done_bytes`."""

    repo: str
    folder: Path
    done_bytes: int


def download(
    repo: str,
    *,
    revision: str = "main",
    into: str | os.PathLike[str] | None = None,
    name: str | None = None,
    replace: bool = False,
    hub: Hub | None = None,
    progress: ProgressListener | None = None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Installed:
    """Fetch the model `repo` (user/name, or the address of its page) to ``into/name``.

    `into` None is the folder of the person's models, `name` None the repository's own name, `hub` None what the
    environment says. The same commit already in place is verified and left alone; another folder there is an
    OutputError unless `replace`. Offline, a complete copy in the Hub's own cache is taken. Raises HubError,
    OutputError, ConfigError (name), and Cancelled within ten seconds of `is_cancelled`.
    """
    hub = hub or connect()
    repo = repo_id(repo)
    root = Path(into or user_models_dir())
    target = root / (require_name(name) if name else folder_name_for(repo.rpartition("/")[2]))
    if not _is_from(target, repo):
        require_free(target, replace=replace)
    if hub.is_offline:
        return _offline(repo, revision, target, replace=replace)
    meter = Meter(progress)
    patience = Patience(hub.patience_s, is_cancelled, lambda error: meter.enter("waiting", note=str(error)))
    meter.enter("asking")
    with _gathering(root, repo) as staging:
        remote = look_up(hub, repo, revision, patience)
        here = _in_place(target, remote, is_cancelled)
        if here is not None:
            return here
        _require_free(target, remote, replace=replace)
        manifest = _Gatherer(hub, remote, staging, meter, patience).run()
        origin = Origin(repo=repo, revision=revision, commit=remote.commit, endpoint=hub.endpoint, when=now_text())
        with written(staging):
            write_origin(staging, origin)
        put_in_place(staging, target)
    meter.enter("done")
    return Installed(target, manifest, origin, fetched_bytes=meter.fetched_bytes)


def unfinished_downloads(root: str | os.PathLike[str]) -> tuple[Unfinished, ...]:
    """Downloads into `root` that were stopped and can go on."""
    folders = (path for path in sorted((Path(root) / DOWNLOADS_NAME).glob("*--*")) if path.is_dir())
    return tuple(
        Unfinished(folder.name.replace("--", "/", 1), folder, sum(file.stat().st_size for file in folder.iterdir()))
        for folder in folders
    )


def forget_download(unfinished: Unfinished) -> None:
    """Remove what is here of an unfinished download; raises HubError while it is running, OutputError."""
    with _gathering(unfinished.folder.parent.parent, unfinished.repo) as staging, written(staging):
        shutil.rmtree(staging)


@contextmanager
def _gathering(root: Path, repo: str) -> Iterator[Path]:
    """The folder in which this repository is gathered, ours alone; it stays unless it was put in place."""
    from filelock import FileLock, Timeout

    staging = root / DOWNLOADS_NAME / repo.replace("/", "--", 1)
    with written(staging):
        staging.mkdir(parents=True, exist_ok=True)
    lock = FileLock(staging.with_name(f"{staging.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise HubError(f"{repo} is being downloaded already, by another window or terminal", kind="busy") from None
    except (OSError, NotImplementedError) as error:  # the second: a disk without locks
        raise OutputError(f"cannot be locked ({error}); choose another folder (--to)", path=staging) from error
    try:
        yield staging
    finally:
        if not any(path.name != MANIFEST_NAME for path in _contents(staging)):
            shutil.rmtree(staging, ignore_errors=True)  # nothing worth going on from
        lock.release()


def _contents(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


class _Gatherer:
    """Brings all files of one remote model into a folder, and nothing else."""

    def __init__(self, hub: Hub, remote: RemoteModel, staging: Path, meter: Meter, patience: Patience) -> None:
        self._hub = hub
        self._remote = remote
        self._staging = staging
        self._meter = meter
        self._patience = patience

    def run(self) -> Manifest:
        """Fetch the manifest, judge it and the repository, then fetch the rest."""
        manifest = fetch_manifest(self._hub, self._remote, self._staging, self._patience)
        files = wanted_files(self._remote, manifest)
        self._meter.total_bytes = sum(self._remote.files[file.name].size_bytes for file in files)
        self._meter.enter("checking")
        self._meter.fetched(self._remote.files[MANIFEST_NAME].size_bytes)
        self._clear(files)
        with written(self._staging):
            here = sum(path.stat().st_size for path in self._staging.iterdir())
        require_space(self._staging, max(0, self._meter.total_bytes - here))
        for file in files:
            if file.network is not None:
                self._fetch_weights(file, file.network)
            elif file.name != MANIFEST_NAME:
                self._fetch_small(file)
        return manifest

    def _clear(self, files: tuple[ModelFile, ...]) -> None:
        """Remove what an attempt at another revision left and this one has no use for."""
        useful = {file.name for file in files}
        useful |= {self._wanted(file, file.network).partial_name for file in files if file.network is not None}
        with written(self._staging):
            for path in self._staging.iterdir():
                if path.is_dir():
                    shutil.rmtree(path)
                elif path.name not in useful:
                    path.unlink()

    def _wanted(self, file: ModelFile, network: NetworkFile) -> Wanted:
        size = self._remote.files[file.name].size_bytes
        return Wanted(self._remote.repo, self._remote.commit, file.name, size, network.sha256)

    def _fetch_weights(self, file: ModelFile, network: NetworkFile) -> None:
        path = fetch(self._hub, self._wanted(file, network), self._staging, self._meter, self._patience)
        problem = header_problem(path, network)
        if problem:
            path.unlink()
            raise HubError(f"{file.name} of {self._remote.repo} {problem}", kind="not-a-model")

    def _fetch_small(self, file: ModelFile) -> None:
        """Fetch a card or preview whole; a preview that is no picture is not kept."""
        self._meter.enter("downloading", file.name)
        remote = self._remote
        url = file_url(self._hub, remote.repo, remote.commit, file.name)
        asked = Asked(remote.repo, remote.revision, file.name)
        content = get_bytes(self._hub, url, asked, self._patience, max_bytes=file.max_bytes)
        self._meter.fetched(len(content))
        if file.name.endswith((".png", ".webp")) and not is_picture(file.name, content):
            return
        with written(self._staging):
            (self._staging / file.name).write_bytes(content)


def _is_from(target: Path, repo: str) -> bool:
    origin = read_origin(target)
    return origin is not None and origin.repo == repo


def _in_place(target: Path, remote: RemoteModel, is_cancelled: Callable[[], bool]) -> Installed | None:
    """The model at `target`, if it is this commit and whole; None if it is to be fetched (again)."""
    origin = read_origin(target)
    if origin is None or (origin.repo, origin.commit) != (remote.repo, remote.commit):
        return None
    try:
        return Installed(target, require_intact(target, is_cancelled=is_cancelled), origin, is_new=False)
    except CheckpointError:
        return None


def _require_free(target: Path, remote: RemoteModel, *, replace: bool) -> None:
    """A damaged copy of the same commit may be replaced unasked, that is what fetching again means; another may not."""
    origin = read_origin(target)
    if origin is None or origin.repo != remote.repo or replace:
        require_free(target, replace=replace)
    elif origin.commit != remote.commit:
        raise OutputError(
            f"holds {remote.repo} at commit {origin.commit[:12]}; {remote.revision} is now {remote.commit[:12]}. "
            "Replace it (--replace), or choose another name (--name)",
            path=target,
        )


def _offline(repo: str, revision: str, target: Path, *, replace: bool) -> Installed:
    """What can be had without the network: the model in place, or a complete snapshot in the Hub's own cache."""
    from huggingface_hub import try_to_load_from_cache

    origin = read_origin(target)
    if origin is not None and origin.repo == repo and revision in (origin.revision, origin.commit):
        return Installed(target, require_intact(target), origin, is_new=False)
    require_free(target, replace=replace)
    cached = try_to_load_from_cache(repo, MANIFEST_NAME, revision=revision)
    if not isinstance(cached, str):
        raise offline_error(f"{repo} at {revision}")
    snapshot = Path(cached).parent
    origin = Origin(repo=repo, revision=revision, commit=snapshot.name, when=now_text())
    try:
        return copy_in(FolderSource(snapshot), target, origin)
    except CheckpointError as error:
        raise HubError(
            f"HF_HUB_OFFLINE is set, and the cached copy of {repo} is not complete: {error}", kind="offline"
        ) from error
