"""What the process that works on models can do. Every deed takes and gives what JSON can hold."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.services.desk import local, moving
from ul_engine.errors import HubError

Result = dict[str, Any] | list[Any] | str | None


@dataclasses.dataclass(frozen=True)
class Report:
    """How a deed tells how far it is, and learns that it is not wanted any more."""

    progress: Callable[..., None]
    is_cancelled: Callable[[], bool]

    def counter(self, total_bytes: int, state: str, chunk_bytes: int = 2**20) -> Callable[[], bool]:
        """For work that asks before every chunk whether to go on: counts the chunks, and tells."""
        count = -1

        def asked() -> bool:
            nonlocal count
            count += 1
            if count % 16 == 0:
                self.progress(state=state, done_bytes=min(count * chunk_bytes, total_bytes), total_bytes=total_bytes)
            return self.is_cancelled()

        return asked


def search(report: Report, *, query: str, limit: int = 100) -> Result:
    """Models on the Hub."""
    from ul_engine.hub import remote
    from ul_engine.hub.endpoint import connect
    from ul_engine.hub.refusals import offline_error

    hub = connect()
    if hub.is_offline:
        raise offline_error("a search")
    return [dataclasses.asdict(found) for found in remote.search(query, hub=hub, limit=limit)]


def download(report: Report, *, repo: str, into: str) -> Result:
    """Fetch a model; what came stays for the next attempt. The folder."""
    from ul_engine.hub import download as fetching
    from ul_engine.hub.endpoint import repo_id

    def tell(news: Any) -> None:
        report.progress(**dataclasses.asdict(news))

    found = fetching.download(repo_id(repo), into=into, progress=tell, is_cancelled=report.is_cancelled)
    return {"folder": str(found.folder), "name": found.manifest.model.name, "is_new": found.is_new}


def forget(report: Report, *, repo: str, into: str) -> Result:
    """Remove what is here of an unfinished download."""
    from ul_engine.hub.download import forget_download, unfinished_downloads

    for unfinished in unfinished_downloads(into):
        if unfinished.repo == repo:
            forget_download(unfinished)
    return None


def plan(report: Report, *, folder: str, repo: str, licence: str) -> Result:
    """What publishing would send; nothing is sent."""
    from ul_engine.hub.publish import plan_publication

    made = plan_publication(folder, repo, license_id=licence)
    uploads = [{"name": upload.name, "size_bytes": upload.size_bytes} for upload in made.uploads]
    facts = {"left_out": list(made.left_out), "card_note": made.card_note, "licence": made.licence}
    return {"repo": made.repo, "card": made.card, "uploads": uploads, **facts}


def publish(report: Report, *, folder: str, repo: str, licence: str, is_private: bool) -> Result:
    """Send a model to the Hub. Where it is to be seen."""
    from ul_engine.hub.publish import Upload, plan_publication
    from ul_engine.hub.publish import publish as send

    made = plan_publication(folder, repo, license_id=licence)
    total = sum(upload.size_bytes for upload in made.uploads)
    sent = 0

    def tell(upload: Upload) -> None:
        nonlocal sent
        report.progress(state="sending", file=upload.name, done_bytes=sent, total_bytes=total)
        sent += upload.size_bytes

    done = send(made, is_private=is_private, on_file=tell, is_cancelled=report.is_cancelled)
    return {"url": done.url, "repo": done.repo}


def verify(report: Report, *, folder: str) -> Result:
    """Compare every weight file with what the model promises."""
    from ul_engine.hub.verify import verify_model

    total = local.weights_size(Path(folder))
    found = verify_model(folder, is_cancelled=report.counter(total, "checking"))
    return {"problems": list(found.problems), "foreign": list(found.foreign)}


def import_model(report: Report, *, path: str, into: str) -> Result:
    """Copy a model folder or a zip among the person's models. Its folder."""
    from ul_engine.hub import importing

    total = local.size_of(Path(path))
    done = importing.import_model(path, into=into, is_cancelled=report.counter(total, "copying"))
    return {"folder": str(done.folder), "name": done.manifest.model.name}


def facts(report: Report, *, roots: list[str], own: str) -> Result:
    """Everything a list of models shows that takes a look at the disk."""
    return local.facts(roots, own)


def card(report: Report, *, folder: str) -> Result:
    """The text of a model's card."""
    return local.card_text(Path(folder))


def remove(report: Report, *, folder: str, own: str) -> Result:
    """Move one of the person's own models to the bin. The batch."""
    return local.remove(Path(folder), Path(own))


def restore(report: Report, *, batch: str, own: str) -> Result:
    """Bring a removed model back. Its folders."""
    return local.restore(batch, Path(own))


def empty_bin(report: Report, *, own: str) -> Result:
    """Remove for good what was removed."""
    local.empty(Path(own))
    return None


def move(report: Report, *, source: str, target: str) -> Result:
    """Move everything of the models folder to another folder."""
    return moving.move_folder(Path(source), Path(target), report.progress, report.is_cancelled)


def set_token(report: Report, *, token: str) -> Result:
    """Try a token and keep it, readable by this user only. Whose it is."""
    from app.services.desk.token import keep_token

    return keep_token(token)


def forget_token(report: Report) -> Result:
    """Remove the stored token."""
    from app.services.desk.token import drop_token

    drop_token()
    return None


def account(report: Report) -> Result:
    """Which server is spoken with, and whether a token is there; never the token."""
    from ul_engine.hub.endpoint import connect

    try:
        hub = connect()
    except HubError as error:
        return {"endpoint": "", "has_token": False, "is_offline": False, "problem": str(error)}
    return {"endpoint": hub.endpoint, "has_token": hub.token is not None, "is_offline": hub.is_offline, "problem": ""}


DEEDS: dict[str, Callable[..., Result]] = {
    "search": search,
    "download": download,
    "forget": forget,
    "plan": plan,
    "publish": publish,
    "verify": verify,
    "import": import_model,
    "facts": facts,
    "card": card,
    "remove": remove,
    "restore": restore,
    "empty_bin": empty_bin,
    "move": move,
    "set_token": set_token,
    "forget_token": forget_token,
    "account": account,
}
