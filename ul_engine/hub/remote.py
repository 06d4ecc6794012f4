"""What a repository of the Hub holds at one commit, and which of it makes a model."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ul_engine.errors import CheckpointError, HubError
from ul_engine.hub.connection import Patience, get_bytes
from ul_engine.hub.endpoint import Asked, Hub, file_url
from ul_engine.hub.files import ModelFile, model_files
from ul_engine.hub.place import written
from ul_engine.hub.wording import reason_of, size_text
from ul_engine.model_folder import MANIFEST_NAME, MAX_MANIFEST_BYTES, Manifest, read_manifest

MAX_ANSWER_BYTES = 64 * 2**20
"""A repository of very many files has a long list of them."""

SEARCH_TAG = "unified-latents"


@dataclass(frozen=True)
class RemoteFile:
    """A file on the Hub; `sha256` is None where it is not kept as a large file."""

    size_bytes: int
    sha256: str | None


@dataclass(frozen=True)
class RemoteModel:
    """A repository pinned to one commit."""

    repo: str
    revision: str
    commit: str
    files: dict[str, RemoteFile]


@dataclass(frozen=True)
class FoundModel:
    """A search result; `gated` models have terms to accept first."""

    repo: str
    downloads: int
    likes: int
    tags: tuple[str, ...]
    updated: str
    is_gated: bool
    is_private: bool
    task: str


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Large(_Answer):
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class _File(_Answer):
    rfilename: str
    size: int | None = Field(None, ge=0)
    lfs: _Large | None = None


class _Repository(_Answer):
    sha: str = Field(pattern=r"^[0-9a-f]{40}$")
    siblings: tuple[_File, ...] = ()


class _Found(_Answer):
    id: str
    downloads: int = 0
    likes: int = 0
    tags: tuple[str, ...] = ()
    lastModified: str = ""  # noqa: N815  the Hub's spelling
    gated: bool | str = False
    private: bool = False
    pipeline_tag: str | None = None


_FOUND = TypeAdapter(tuple[_Found, ...])


def look_up(hub: Hub, repo: str, revision: str, patience: Patience) -> RemoteModel:
    """What `repo` holds at a branch, tag or commit; raises HubError."""
    url = f"{hub.endpoint}/api/models/{repo}/revision/{quote(revision, safe='')}?blobs=true"
    content = get_bytes(hub, url, Asked(repo, revision), patience, max_bytes=MAX_ANSWER_BYTES)
    try:
        answer = _Repository.model_validate_json(content)
    except ValidationError as error:
        raise _no_hub(hub) from error
    files = {
        file.rfilename: RemoteFile(file.size, file.lfs.sha256 if file.lfs else None)
        for file in answer.siblings
        if file.size is not None
    }
    if answer.siblings and not files:
        raise _no_hub(hub)
    return RemoteModel(repo, revision, answer.sha, files)


def search(query: str = "", *, hub: Hub, limit: int = 20) -> tuple[FoundModel, ...]:
    """Models on the Hub that are tagged unified-latents, the most downloaded first; raises HubError."""
    url = f"{hub.endpoint}/api/models?filter={SEARCH_TAG}&sort=downloads&limit={limit}&full=true"
    if query:
        url += f"&search={quote(query)}"
    content = get_bytes(hub, url, Asked(), Patience(hub.patience_s), max_bytes=MAX_ANSWER_BYTES)
    try:
        answers = _FOUND.validate_json(content)
    except ValidationError as error:
        raise _no_hub(hub) from error
    return tuple(
        FoundModel(
            repo=found.id,
            downloads=found.downloads,
            likes=found.likes,
            tags=found.tags,
            updated=found.lastModified[:10],
            is_gated=bool(found.gated),
            is_private=found.private,
            task=found.pipeline_tag or "",
        )
        for found in answers
    )


def fetch_manifest(hub: Hub, remote: RemoteModel, folder: Path, patience: Patience) -> Manifest:
    """Fetch ``config.json`` into `folder` and read it; raises HubError if the repository is no model of ours."""
    asked = Asked(remote.repo, remote.revision, MANIFEST_NAME)
    if MANIFEST_NAME not in remote.files:
        raise _no_model(remote, f"it has no {MANIFEST_NAME}")
    url = file_url(hub, remote.repo, remote.commit, MANIFEST_NAME)
    content = get_bytes(hub, url, asked, patience, max_bytes=MAX_MANIFEST_BYTES)
    with written(folder):
        (folder / MANIFEST_NAME).write_bytes(content)
    try:
        return read_manifest(folder)
    except CheckpointError as error:
        raise _no_model(remote, f"its {MANIFEST_NAME} {reason_of(error)}") from error


def wanted_files(remote: RemoteModel, manifest: Manifest) -> tuple[ModelFile, ...]:
    """The files to fetch; raises HubError where the repository lacks one, or contradicts its own manifest."""
    try:
        files = model_files(manifest, remote.files)
    except CheckpointError as error:
        raise _no_model(remote, f"it {error}") from error
    for file in files:
        found = remote.files.get(file.name)
        if found is None:
            raise HubError(
                f"{remote.repo} has no {file.name} at {remote.revision}, though its {MANIFEST_NAME} names it; whoever "
                "published it has to complete it",
                kind="file-not-found",
            )
        if found.size_bytes > file.max_bytes:
            raise _no_model(remote, f"its {file.name} has {size_text(found.size_bytes)}, far more than it should")
        if file.network is not None and found.sha256 not in (None, file.network.sha256):
            raise HubError(
                f"{remote.repo} contradicts itself: the Hub holds another {file.name} than its {MANIFEST_NAME} "
                "promises (SHA-256); nothing was fetched. Whoever published it has to do so again",
                kind="wrong-hash",
            )
    return files


def _no_model(remote: RemoteModel, reason: str) -> HubError:
    return HubError(
        f"{remote.repo} is no Unified Latents model: {reason}. Nothing more was fetched", kind="not-a-model"
    )


def _no_hub(hub: Hub) -> HubError:
    return HubError(
        f"{hub.endpoint} does not answer as a Hugging Face Hub would; check the endpoint, or whether this network "
        "asks for a login first",
        kind="server",
    )
