"""Ties the page Models to the process that works on models: hands wishes over, hears news, tells what came of it."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from app.errors import Notice, NoticeAction, Severity
from app.models.desk.facts import (
    Account,
    DeskTask,
    DiskFacts,
    HubModel,
    HubSearch,
    PublishPlan,
    PublishWish,
    RemovedModel,
    Storage,
    Unfinished,
    Verified,
)
from app.models.desk.words import plain
from app.models.notices import ActionChoice
from app.models.session import Session
from app.services.desk.client import DeskClient, DeskNews
from app.studio import actions
from app.studio.desk_failures import desk_failure

SHOWN = frozenset(("download", "publish", "verify", "import", "move"))
"""Deeds that take long enough to be shown as tasks."""
_PROGRESS = ("state", "done_bytes", "total_bytes", "bytes_per_s", "note")


class ModelKeeper(QObject):
    """The go-between of the models here, the Hub, and the notices."""

    def __init__(self, session: Session, client: DeskClient | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._desk = session.desk
        self.client = client or DeskClient(parent=self)
        self._dropped: set[str] = set()
        self._after_token = ""
        self.client.told.connect(self._on_told)
        session.notices.action_chosen.connect(self._on_action_chosen)
        session.preferences.preferences_changed.connect(self._heed_preferences)
        self._heed_preferences()

    @property
    def own(self) -> str:
        """Folder of the person's own models."""
        return str(self._session.folders.places.models)

    def open(self) -> None:
        """The page came to the front."""
        self.refresh()
        self.client.start("account")

    def refresh(self) -> None:
        """Look at the folders again."""
        self._session.library.refresh()
        self.client.start("facts", roots=[str(root) for root in self._session.library.roots], own=self.own)

    def close(self) -> None:
        """End the process."""
        self.client.close()

    def _heed_preferences(self, _state: Any = None) -> None:
        state = self._session.preferences.state
        self.client.set_environment(
            HF_ENDPOINT=state.hub_endpoint or None, HF_HUB_OFFLINE="1" if state.is_hub_offline else None
        )

    # ---- what a person does ---------------------------------------------------------------------------------------

    def search(self, query: str) -> None:
        """Ask the Hub."""
        self._desk.set_search(HubSearch(query, is_running=True, found=self._desk.search.found))
        self.client.start("search", query=query)

    def download(self, repo: str) -> None:
        """Fetch a model, or go on fetching it."""
        if self._desk.task_of(repo, "download") is None:
            self._session.notices.dismiss_key(f"desk-download-{repo}")
            self._begin("download", repo, repo=repo, into=self.own)

    def pause(self, task: DeskTask) -> None:
        """Stop a task; of a download what came stays."""
        self._desk.update_task(task.task_id, is_stopping=True)
        self.client.cancel(task.task_id)

    def drop(self, task: DeskTask) -> None:
        """Stop a download and remove what came."""
        self._dropped.add(task.task_id)
        self.pause(task)

    def forget(self, repo: str) -> None:
        """Remove what is here of an unfinished download."""
        self.client.start("forget", repo=repo, into=self.own)

    def verify(self, folder: str) -> None:
        """Read every weight file of a model."""
        if self._desk.task_of(folder, "verify") is None:
            self._begin("verify", folder, folder=folder)

    def read_card(self, folder: str) -> None:
        """Ends in the desk's `card_read`."""
        self.client.start("card", folder=folder)

    def bring_in(self, paths: tuple[str, ...]) -> None:
        """Copy model folders or zips among the person's models."""
        self._session.notices.dismiss_passing()
        for path in paths:
            self._begin("import", path, path=path, into=self.own)

    def remove(self, folder: str) -> None:
        """Move one of the person's models to the bin."""
        self._session.notices.dismiss_passing()
        self.client.start("remove", folder=folder, own=self.own)

    def restore(self, batch: str) -> None:
        """Bring a removed model back."""
        self.client.start("restore", batch=batch, own=self.own)

    def empty_bin(self) -> None:
        """Remove for good what was removed."""
        self.client.start("empty_bin", own=self.own)

    def move(self, folder: Path) -> None:
        """Move all of the person's models to another folder."""
        self._begin("move", str(folder), source=self.own, target=str(folder))

    def plan(self, wish: PublishWish) -> None:
        """Ends in the desk's `plan_made` or `plan_failed`."""
        self.client.start("plan", folder=wish.folder, repo=wish.repo, licence=wish.licence)

    def publish(self, wish: PublishWish) -> None:
        """Send a model to the Hub."""
        arguments = {"folder": wish.folder, "repo": wish.repo, "licence": wish.licence, "is_private": wish.is_private}
        self._begin("publish", wish.repo, **arguments)

    def set_token(self, token: str, then_fetch: str = "") -> None:
        """Try and keep a token; ends in the desk's `token_judged`. What waited for it is fetched then."""
        self._after_token = then_fetch
        self.client.start("set_token", token=token)

    def forget_token(self) -> None:
        """Remove the stored token."""
        self.client.start("forget_token")

    def _begin(self, deed: str, subject: str, **arguments: Any) -> None:
        task_id = self.client.start(deed, **arguments)
        self._desk.add_task(DeskTask(task_id, deed, subject))

    # ---- news -----------------------------------------------------------------------------------------------------

    def _on_told(self, news: DeskNews) -> None:
        if news.news == "progress":
            changes = {name: news.content[name] for name in _PROGRESS if name in news.content}
            self._desk.update_task(news.task_id, **changes)
            return
        subject = next((task.subject for task in self._desk.tasks if task.task_id == news.task_id), "")
        self._desk.end_task(news.task_id)
        if news.news == "done":
            self._on_done(news, news.content["result"])
        elif news.news == "failed":
            self._on_failed(news, subject)
        elif news.task_id in self._dropped:
            self._dropped.discard(news.task_id)
            self.forget(str(news.arguments["repo"]))
        if news.deed in SHOWN:
            self.refresh()

    def _on_done(self, news: DeskNews, result: Any) -> None:
        match news.deed:
            case "facts":
                self._desk.set_storage(_storage(result))
            case "account":
                self._desk.set_account(Account(**result))
            case "search":
                found = tuple(_found(each) for each in result)
                self._desk.set_search(HubSearch(str(news.arguments["query"]), is_answered=True, found=found))
            case "card":
                self._desk.set_card(str(news.arguments["folder"]), result)
            case "plan":
                uploads = tuple((each["name"], each["size_bytes"]) for each in result.pop("uploads"))
                self._desk.set_plan(PublishPlan(uploads=uploads, left_out=tuple(result.pop("left_out")), **result))
            case "verify":
                self._desk.set_verified(str(news.arguments["folder"]), Verified(tuple(result["problems"])))
            case "set_token":
                self._on_token_kept(result)
            case "move":
                self._on_moved(result)
            case _:
                self._tell_done(news, result)

    def _tell_done(self, news: DeskNews, result: Any) -> None:
        match news.deed:
            case "download" | "import":
                self._desk.forget(result["folder"])
                use = NoticeAction(actions.USE_MODEL, self.tr("Use it"), result["folder"])
                is_new = result.get("is_new", True)
                title = self.tr("{name} is ready") if is_new else self.tr("{name} was here already, every file whole")
                self._post(title.format(name=result["name"]), result["folder"], use)
            case "publish":
                shown = NoticeAction(actions.OPEN_PAGE, self.tr("Open the page"), result["url"])
                self._post(self.tr("{repo} is published").format(repo=result["repo"]), result["url"], shown)
            case "remove":
                undo = NoticeAction(actions.RESTORE_MODEL, self.tr("Undo"), result["batch"])
                sentence = self.tr("It lies in the bin until you empty it.")
                self._post(self.tr("{name} was removed").format(name=result["name"]), sentence, undo)
            case "restore":
                names = ", ".join(Path(folder).name for folder in result["folders"])
                self._post(self.tr("Back again"), names)
            case "forget_token":
                self.client.start("account")
        if news.deed in ("remove", "restore", "empty_bin", "forget"):
            self.refresh()

    def _on_failed(self, news: DeskNews, subject: str) -> None:
        text = plain(str(news.content["text"]))
        match news.deed:
            case "search":
                problem = desk_failure("search", "", news.content).sentence
                self._desk.set_search(HubSearch(str(news.arguments["query"]), is_answered=True, problem=problem))
                return
            case "plan":
                self._desk.plan_failed.emit(text)
                return
            case "set_token":
                self._desk.token_judged.emit(text)
                return
            case "facts" | "account" | "card" if news.content["kind"] != "bug":
                return
        if not subject:
            subject = str(news.arguments.get("repo") or news.arguments.get("folder") or "")
        self._session.notices.post(desk_failure(news.deed, subject, news.content))

    def _on_token_kept(self, _result: Any) -> None:
        self._desk.token_judged.emit("")
        self.client.start("account")
        repo, self._after_token = self._after_token, ""
        if repo:
            self.download(repo)

    def _on_moved(self, result: Any) -> None:
        self._session.preferences.update(models_folder=result["folder"])
        self._post(self.tr("Your models were moved"), result["folder"])
        if result["left"]:
            title = self.tr("Some files stayed at the old place")
            self._session.notices.post(Notice(Severity.WARNING, title, result["left"], key="desk-left"))

    def _post(self, title: str, sentence: str, *offered: NoticeAction) -> None:
        self._session.notices.post(
            Notice(Severity.INFO, title, sentence, actions=offered, key="desk-done", is_passing=True)
        )

    def _on_action_chosen(self, choice: ActionChoice) -> None:
        match choice.name:
            case actions.RESTORE_MODEL:
                self.restore(choice.argument)
            case actions.FETCH_AGAIN:
                self.download(choice.argument)
            case actions.ENTER_TOKEN:
                self._desk.token_wanted.emit(choice.argument)


def _storage(result: dict[str, Any]) -> Storage:
    models = {
        path: DiskFacts(**{**facts, "foreign": tuple(facts["foreign"])}) for path, facts in result["models"].items()
    }
    return Storage(
        models=models,
        own_bytes=result["own_bytes"],
        free_bytes=result["free_bytes"],
        unfinished=tuple(Unfinished(**each) for each in result["unfinished"]),
        removed=tuple(RemovedModel(each["batch"], each["path"], each["size_bytes"]) for each in result["bin"]),
    )


def _found(each: dict[str, Any]) -> HubModel:
    return HubModel(**{**each, "tags": tuple(each["tags"])})
