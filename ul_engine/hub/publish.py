"""Publishing a model folder on the Hub: only what belongs to a model, verified, under a card that says what it is."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ul_engine.errors import Cancelled, CheckpointError, HubError
from ul_engine.hub.card import completed_card, is_made_here, licence_of, make_card
from ul_engine.hub.connection import Patience, get_bytes
from ul_engine.hub.endpoint import CONNECT_S, Asked, Hub, connect, repo_id
from ul_engine.hub.files import MAX_CARD_BYTES, is_picture, model_files
from ul_engine.hub.refusals import offline_error, refusal, transport_error
from ul_engine.hub.verify import foreign_files, require_intact
from ul_engine.model_folder import CARD_NAME, Manifest

UPLOAD_SILENCE_S = 120.0
"""Uploads may wait for a busy disk at the other end longer than downloads do."""


@dataclass(frozen=True)
class Upload:
    """One file of a publication; `content` is None where the file on the disk is sent as it is."""

    name: str
    path: Path
    size_bytes: int
    content: bytes | None = None


@dataclass(frozen=True)
class Plan:
    """What would be published; making it changes nothing anywhere."""

    repo: str
    manifest: Manifest
    uploads: tuple[Upload, ...]
    left_out: tuple[str, ...]
    card_note: str
    licence: str

    @property
    def card(self) -> str:
        """The card as it would be sent."""
        (card,) = (upload.content for upload in self.uploads if upload.name == CARD_NAME)
        return (card or b"").decode("utf-8")


@dataclass(frozen=True)
class Publication:
    """What was published, and where it is to be seen."""

    repo: str
    url: str
    commit: str


class _Right(BaseModel):
    model_config = ConfigDict(extra="ignore")
    role: str = ""


class _Auth(BaseModel):
    model_config = ConfigDict(extra="ignore")
    accessToken: _Right = _Right()  # noqa: N815  the Hub's spelling


class _Account(BaseModel):
    model_config = ConfigDict(extra="ignore")
    name: str
    auth: _Auth = _Auth()


def plan_publication(
    folder: str | os.PathLike[str], repo: str, *, license_id: str = "", is_new_card: bool = False
) -> Plan:
    """Verify a model folder and say what publishing it would send.

    A ``README.md`` that a person wrote is kept word for word and only gets the front matter it lacks; `is_new_card`
    replaces it by a generated one. Raises CheckpointError for a folder that is not whole, HubError for a bad name.
    """
    place, repo = Path(folder), repo_id(repo)
    manifest = require_intact(place)
    names = [path.name for path in place.iterdir() if path.is_file()]
    card, note = _card(place, manifest, repo, license_id=license_id, is_new_card=is_new_card)
    content = card.encode("utf-8")
    own = [file.name for file in model_files(manifest, names) if file.name != CARD_NAME]
    pretenders = [name for name in own if not _is_honest(place / name)]
    uploads = [Upload(name, place / name, (place / name).stat().st_size) for name in own if name not in pretenders]
    uploads.append(Upload(CARD_NAME, place / CARD_NAME, len(content), content))
    left_out = tuple(sorted([*foreign_files(place, manifest), *pretenders]))
    return Plan(repo, manifest, tuple(uploads), left_out, note, licence_of(card))


def publish(
    plan: Plan,
    *,
    hub: Hub | None = None,
    is_private: bool = False,
    branch: str | None = None,
    on_file: Callable[[Upload], None] = lambda upload: None,
    is_cancelled: Callable[[], bool] = lambda: False,
    shows_bars: bool = False,
) -> Publication:
    """Create the repository if need be and send the plan's files as one commit; weights go ahead, one by one.

    `is_private` counts for a new repository only; `branch` None is main. `on_file` hears of each file before it is
    sent; cancelling is heard between files and leaves the repository's content as it was. `shows_bars` lets
    huggingface_hub draw its progress bars on a terminal. Raises HubError, Cancelled.
    """
    hub = hub or connect()
    _require_right_to_write(hub, is_cancelled)
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.utils.tqdm import disable_progress_bars

    api = HfApi(endpoint=hub.endpoint, token=hub.token, library_name="ul-studio")
    _bound_waits()
    operations = []
    with nullcontext() if shows_bars else disable_progress_bars(), _explained(hub, plan.repo, branch or "main"):
        _require_valid_card(hub, plan.card)
        api.create_repo(plan.repo, private=is_private or None, exist_ok=True)
        if branch:
            api.create_branch(plan.repo, branch=branch, exist_ok=True)
        for upload in plan.uploads:
            if is_cancelled():
                raise Cancelled
            on_file(upload)
            content = upload.content if upload.content is not None else upload.path
            operations.append(CommitOperationAdd(upload.name, content))
            api.preupload_lfs_files(plan.repo, operations[-1:], revision=branch, free_memory=False)
        commit = api.create_commit(
            plan.repo, operations, commit_message=f"Publish {plan.manifest.model.name}", revision=branch
        )
    return Publication(plan.repo, hub.page(plan.repo), commit.oid)


def _card(place: Path, manifest: Manifest, repo: str, *, license_id: str, is_new_card: bool) -> tuple[str, str]:
    """(card, what was done about it in words)."""
    own = ""
    with suppress(*([CheckpointError] if is_new_card else [])):
        own = _own_card(place / CARD_NAME)
    if is_new_card or is_made_here(own) or not own.strip():
        return make_card(manifest, repo, license_id=license_id or licence_of(own)), "generated from the manifest"
    card, added = completed_card(own, manifest, license_id=license_id)
    return card, f"yours, with {', '.join(added)} set in its front matter" if added else "yours, as it is"


def _own_card(path: Path) -> str:
    """The card in the folder, empty if there is none."""
    try:
        if path.stat().st_size > MAX_CARD_BYTES:
            raise CheckpointError("is far longer than any card; shorten it, or ask for a new one", path=path)
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f"cannot be read ({error}); mend it, or ask for a new one", path=path) from error


def _is_honest(path: Path) -> bool:
    """Whether a preview is a picture; everything else was verified already."""
    if path.suffix not in (".png", ".webp"):
        return True
    with path.open("rb") as stream:
        return is_picture(path.name, stream.read(16))


def _require_right_to_write(hub: Hub, is_cancelled: Callable[[], bool]) -> None:
    """Ask whose token this is: an answer within seconds, before anything is hashed or sent."""
    tokens = f"{hub.endpoint}/settings/tokens"
    if hub.is_offline:
        raise offline_error("publishing")
    if hub.token is None:
        raise HubError(
            f"publishing needs a token with the right to write, from {tokens} (--token, HF_TOKEN or `hf auth login`)",
            kind="token",
            url=tokens,
        )
    content = get_bytes(
        hub, f"{hub.endpoint}/api/whoami-v2", Asked(), Patience(hub.patience_s, is_cancelled), max_bytes=2**20
    )
    try:
        account = _Account.model_validate_json(content)
    except ValidationError as error:
        raise HubError(f"{hub.endpoint} does not answer as a Hugging Face Hub would", kind="server") from error
    if account.auth.accessToken.role == "read":
        raise HubError(
            f"this token of {account.name} may only read; make one with the right to write at {tokens}",
            kind="forbidden",
            url=tokens,
        )


def _require_valid_card(hub: Hub, card: str) -> None:
    """Have the Hub judge the front matter before gigabytes are sent, which its own client does only afterwards."""
    from huggingface_hub import get_session

    url = f"{hub.endpoint}/api/validate-yaml"
    response = get_session().post(url, json={"content": card, "repoType": "model"}, headers=hub.headers_for(url))
    answer = response.json()
    if response.status_code == 400 and isinstance(answer, dict):
        errors = [error for error in answer.get("errors") or () if isinstance(error, dict)]
        reasons = "; ".join(str(error.get("message")) for error in errors) or "it gives no reason"
        raise HubError(f"the Hub does not take the card's front matter: {reasons}", kind="refused")


def _bound_waits() -> None:
    """huggingface_hub waits for ever by default; a server that has gone away must not hold a person up."""
    import httpx2
    from huggingface_hub import get_session

    get_session().timeout = httpx2.Timeout(UPLOAD_SILENCE_S, connect=CONNECT_S)


@contextmanager
def _explained(hub: Hub, repo: str, revision: str) -> Iterator[None]:
    """Turns the errors of huggingface_hub's upload calls into HubError."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    try:
        yield
    except HfHubHTTPError as error:
        raise refusal(hub, error.response, Asked(repo, revision), error.server_message or "") from error
    except httpx2.HTTPError as error:
        raise transport_error(hub, error) from error
    except (ValueError, LookupError) as error:  # a card that the Hub rejects; an answer that is none
        raise HubError(f"{repo} was not published: {' '.join(str(error).split())}", kind="refused") from error
    except (RuntimeError, OSError) as error:  # one file that did not get there
        cause = error.__cause__
        if isinstance(cause, HfHubHTTPError):
            raise refusal(hub, cause.response, Asked(repo, revision), cause.server_message or "") from error
        raise HubError(f"{repo} was not published: {cause or error}", kind="server") from error
