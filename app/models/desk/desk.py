"""The state of the page Models; knows neither processes nor widgets."""

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.models.desk.facts import Account, DeskTask, HubSearch, PublishPlan, Storage, Verified


class ModelDesk(QObject):
    """Compares, stores, tells."""

    storage_changed = Signal(object)  # Storage
    account_changed = Signal(object)  # Account
    search_changed = Signal(object)  # HubSearch
    tasks_changed = Signal(object)  # tuple[DeskTask, ...]
    verified_changed = Signal(object)  # str: folder
    card_read = Signal(object)  # str: folder
    plan_made = Signal(object)  # PublishPlan
    plan_failed = Signal(object)  # str: a sentence
    token_wanted = Signal(object)  # str: what for; the repository, or empty
    token_judged = Signal(object)  # str: what is wrong with it, empty if it was kept

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._storage = Storage()
        self._account = Account()
        self._search = HubSearch()
        self._tasks: tuple[DeskTask, ...] = ()
        self._verified: dict[str, Verified] = {}
        self._cards: dict[str, str] = {}

    # ---- what it holds --------------------------------------------------------------------------------------------

    @property
    def storage(self) -> Storage:
        """Sizes, unfinished downloads, the bin."""
        return self._storage

    @property
    def account(self) -> Account:
        """The Hub that is spoken with."""
        return self._account

    @property
    def search(self) -> HubSearch:
        """What was asked of the Hub."""
        return self._search

    @property
    def tasks(self) -> tuple[DeskTask, ...]:
        """What is being done now."""
        return self._tasks

    def verified(self, folder: str) -> Verified | None:
        """What the last check of a model has shown; None if there was none."""
        return self._verified.get(folder)

    def card(self, folder: str) -> str | None:
        """The card of a model; None until it was read."""
        return self._cards.get(folder)

    def task_of(self, subject: str, *deeds: str) -> DeskTask | None:
        """What is being done with a repository or a folder."""
        return next((task for task in self._tasks if task.subject == subject and task.deed in deeds), None)

    # ---- what changes it ------------------------------------------------------------------------------------------

    def set_storage(self, storage: Storage) -> None:
        """The disk was looked at."""
        if storage != self._storage:
            self._storage = storage
            self.storage_changed.emit(storage)

    def set_account(self, account: Account) -> None:
        """Another server, or a token came or went."""
        if account != self._account:
            self._account = account
            self.account_changed.emit(account)

    def set_search(self, search: HubSearch) -> None:
        """Another question, or its answer."""
        if search != self._search:
            self._search = search
            self.search_changed.emit(search)

    def set_verified(self, folder: str, verified: Verified | None) -> None:
        """A model was checked; None: it is another than it was."""
        if verified is None:
            self._verified.pop(folder, None)
        else:
            self._verified[folder] = verified
        self.verified_changed.emit(folder)

    def set_card(self, folder: str, text: str) -> None:
        """A card was read."""
        self._cards[folder] = text
        self.card_read.emit(folder)

    def forget(self, folder: str) -> None:
        """The folder is gone, or another."""
        self._verified.pop(folder, None)
        self._cards.pop(folder, None)

    def add_task(self, task: DeskTask) -> None:
        """Something was begun."""
        self._set_tasks((*self._tasks, task))

    def update_task(self, task_id: str, **changes: Any) -> None:
        """Something is further than it was."""
        self._set_tasks(tuple(replace(task, **changes) if task.task_id == task_id else task for task in self._tasks))

    def end_task(self, task_id: str) -> None:
        """Something is over."""
        self._set_tasks(tuple(task for task in self._tasks if task.task_id != task_id))

    def set_plan(self, plan: PublishPlan) -> None:
        """What publishing would send is known."""
        self.plan_made.emit(plan)

    def _set_tasks(self, tasks: tuple[DeskTask, ...]) -> None:
        if tasks != self._tasks:
            self._tasks = tasks
            self.tasks_changed.emit(tasks)
