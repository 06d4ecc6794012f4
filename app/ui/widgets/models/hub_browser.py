"""Models on the Hugging Face Hub: search, filters, unfinished downloads."""

import re
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from app.models.desk.desk import ModelDesk
from app.models.desk.facts import HubModel, HubSearch
from app.models.progress import grouped
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import Chip, TextButton
from app.ui.widgets.labels import label, selectable
from app.ui.widgets.models.hub_row import HubRow, found_words, unfinished_words
from app.ui.widgets.quiet_inputs import QuietComboBox

MAX_ROWS = 100
_REPO = re.compile(r"^(https?://[^/]+/)?[A-Za-z0-9_][\w.-]*/[A-Za-z0-9_][\w.-]*/?$")


class HubBrowser(QWidget):
    """A name such as user/model, or the address of a page, is offered to be fetched directly."""

    search_requested = Signal(object)  # str
    fetch_requested = Signal(object)  # str: repository
    forget_requested = Signal(object)  # str: repository
    token_requested = Signal()

    def __init__(self, desk: ModelDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self.field = QLineEdit(self)
        self.field.setPlaceholderText(self.tr("Search, or the name of a repository such as user/model"))
        self.field.setAccessibleName(self.tr("Search the Hub"))
        self.field.setClearButtonEnabled(True)
        self.search_button = TextButton(self.tr("Search"), "primary", "search", self)
        self.kind = QuietComboBox(self)
        self.kind.setAccessibleName(self.tr("Kind"))
        self.kind.setFixedWidth(170)
        self.is_open = Chip(self.tr("Without terms to accept"), parent=self)
        self.is_open.setCheckable(True)
        self._account = selectable(label("", "caption", is_wrapped=True))
        self.token_button = TextButton(self.tr("Access token…"), "link", parent=self)
        self.state = selectable(label("", "muted", is_wrapped=True))
        self._rows = QVBoxLayout()
        self._on_show: list[HubRow] = []
        self._build()
        self.field.returnPressed.connect(self._on_search)
        self.search_button.clicked.connect(self._on_search)
        self.field.textChanged.connect(self._show_button)
        self.kind.activated.connect(self._refresh)
        self.is_open.toggled.connect(self._refresh)
        self.token_button.clicked.connect(self.token_requested)
        desk.search_changed.connect(self._refresh)
        desk.tasks_changed.connect(self._on_tasks_changed)
        desk.storage_changed.connect(self._refresh)
        desk.account_changed.connect(self._refresh)
        self._busy: tuple[str, ...] = ()
        self._refresh()

    def _build(self) -> None:
        for text, task in (
            (self.tr("All kinds"), ""),
            (self.tr("Pictures from text"), "text-to-image"),
            (self.tr("Clips"), "text-to-video"),
            (self.tr("Pictures without text"), "unconditional-image-generation"),
            (self.tr("Encodes and decodes"), "image-to-image"),
        ):
            self.kind.addItem(text, task)
        search = QHBoxLayout()
        search.setSpacing(SPACING.s)
        for part, share in ((self.field, 1), (self.search_button, 0), (self.kind, 0), (self.is_open, 0)):
            search.addWidget(part, share)
        account = QHBoxLayout()
        account.addWidget(self._account, 1)
        account.addWidget(self.token_button)
        body = QWidget()
        body.setProperty("role", "plain")
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, SPACING.m, SPACING.l)
        column.setSpacing(SPACING.s)
        self._rows.setSpacing(SPACING.s)
        column.addLayout(self._rows)
        column.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setWidget(body)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.s)
        layout.addWidget(label(self._honest_words(), "muted", is_wrapped=True))
        layout.addLayout(search)
        layout.addLayout(account)
        layout.addWidget(self.state)
        layout.addWidget(scroll, 1)

    def _honest_words(self) -> str:
        return self.tr(
            "Nobody has released general text-to-image weights for Unified Latents yet. What there is: the models that "
            "come with this program, your own, and what others publish of theirs. Only safetensors are fetched, and "
            "nothing in them is ever run."
        )

    def _on_search(self) -> None:
        text = self.field.text().strip()
        if _REPO.match(text):
            self.fetch_requested.emit(text)
        else:
            self.search_requested.emit(text)

    def _on_tasks_changed(self, tasks: Any) -> None:
        """Only when a download begins or ends; how far it is stands above."""
        busy = tuple(task.subject for task in tasks if task.deed == "download")
        if busy != self._busy:
            self._busy = busy
            self._refresh()

    # ---- what it shows --------------------------------------------------------------------------------------------

    @property
    def rows(self) -> list[HubRow]:
        """Those on show."""
        return list(self._on_show)

    def _show_button(self, _text: str = "") -> None:
        is_name = bool(_REPO.match(self.field.text().strip()))
        self.search_button.setText(self.tr("Fetch it") if is_name else self.tr("Search"))
        self.search_button.setEnabled(not self._desk.search.is_running or is_name)

    def _refresh(self, _payload: Any = None) -> None:
        search = self._desk.search
        self._show_button()
        self._account.setText(self._account_words())
        found = [model for model in search.found if self._is_wanted(model)]
        self.state.setText(self._state_words(search, len(found)))
        self._clear()
        names = {facts.source for facts in self._desk.storage.models.values()}
        stopped = [each for each in self._desk.storage.unfinished if each.repo not in self._busy]
        for unfinished in stopped:
            self._add(HubRow(unfinished.repo, unfinished_words(unfinished), unfinished=True, parent=self))
        above = {each.repo for each in stopped}
        for model in [each for each in found if each.repo not in above][:MAX_ROWS]:
            row = HubRow(model.repo, found_words(model), parent=self)
            row.set_state(is_here=model.repo in names, is_busy=model.repo in self._busy)
            self._add(row)

    def _is_wanted(self, model: HubModel) -> bool:
        task = self.kind.currentData()
        return (not task or model.task == task) and not (self.is_open.isChecked() and model.is_gated)

    def _clear(self) -> None:
        for row in self._on_show:
            row.hide()
            row.deleteLater()
        self._on_show = []

    def _add(self, row: HubRow) -> None:
        row.fetch_requested.connect(self.fetch_requested)
        row.forget_requested.connect(self.forget_requested)
        self._rows.addWidget(row)
        self._on_show.append(row)

    def _account_words(self) -> str:
        account = self._desk.account
        if account.problem:
            return account.problem
        if not account.endpoint:
            return ""
        token = self.tr("a token is stored") if account.has_token else self.tr("without a token")
        if account.is_offline:
            return self.tr("Staying offline: nothing is fetched. Change that in Settings.")
        return self.tr("From {server}, {token}").format(server=account.endpoint, token=token)

    def _state_words(self, search: HubSearch, count: int) -> str:
        if search.is_running:
            return self.tr("Asking the Hub…")
        if search.problem:
            return search.problem
        if not search.is_answered:
            return self.tr("Leave the field empty and search to see all models for this program.")
        if not search.found:
            return self.tr("No model for this program was found.")
        if not count:
            return self.tr("{n} were found, but the filters leave none.").format(n=len(search.found))
        return self.tr("1 model") if count == 1 else self.tr("{n} models").format(n=grouped(count))
