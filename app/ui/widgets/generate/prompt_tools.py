"""Beside the prompt: what was asked for before, prompts from a file, and what wildcards are."""

from typing import Any

from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QWidget

from app.models.generate_form import GenerateForm
from app.models.prompt_history import PromptHistory
from app.ui.widgets.buttons import IconButton

MAX_SHOWN = 15
_MAX_CHARACTERS = 60


class PromptTools(QWidget):
    """Two small buttons, each with a menu."""

    file_requested = Signal()
    folder_requested = Signal()
    clear_history_requested = Signal()

    def __init__(self, form: GenerateForm, history: PromptHistory, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self._history = history
        self.history_button = IconButton("history", self.tr("Earlier prompts (Alt+↑)"), "title", self)
        self.more_button = IconButton("list", self.tr("Prompts from a file, and wildcards"), "title", self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.history_button)
        row.addWidget(self.more_button)
        self.history_button.clicked.connect(self._on_history_clicked)
        self.more_button.clicked.connect(self._on_more_clicked)
        history.history_changed.connect(self._refresh)
        self._refresh()

    def _refresh(self, _prompts: Any = None) -> None:
        self.history_button.setEnabled(bool(self._history.prompts))

    # ---- menus ----------------------------------------------------------------------------------------------------

    def make_history_menu(self) -> QMenu:
        """The last prompts, and the way to forget them."""
        menu = QMenu(self)
        for prompt in self._history.prompts[:MAX_SHOWN]:
            short = prompt if len(prompt) <= _MAX_CHARACTERS else f"{prompt[: _MAX_CHARACTERS - 1]}…"
            action = menu.addAction(short.replace("&", "&&"))
            action.setData(prompt)
            action.setToolTip(prompt)
        menu.addSeparator()
        menu.addAction(self.tr("Clear the history")).triggered.connect(self.clear_history_requested)
        menu.triggered.connect(self._on_triggered)
        return menu

    def make_more_menu(self) -> QMenu:
        """Files of prompts, and wildcards with the way to use them."""
        menu = QMenu(self)
        menu.addAction(self.tr("Prompts from a file, one a line…")).triggered.connect(self.file_requested)
        menu.addSeparator()
        choice = menu.addAction(self.tr("Insert a choice: {red|blue}"))
        choice.setData(self.tr("{red|blue}"))
        for name in sorted(self._form.wildcard_names)[:MAX_SHOWN]:
            action = menu.addAction(self.tr("Insert a line of {name}.txt").format(name=name))
            action.setData(f"__{name}__")
        menu.addAction(self.tr("Open the folder of wildcards")).triggered.connect(self.folder_requested)
        menu.triggered.connect(self._on_insert_triggered)
        return menu

    def _on_history_clicked(self) -> None:
        _popup(self.make_history_menu(), self.history_button)

    def _on_more_clicked(self) -> None:
        _popup(self.make_more_menu(), self.more_button)

    def _on_triggered(self, action: QAction) -> None:
        if action.data():
            self._form.update(prompt=str(action.data()))

    def _on_insert_triggered(self, action: QAction) -> None:
        if action.data():
            self._form.update(prompt=f"{self._form.state.prompt} {action.data()}".strip())


def _popup(menu: QMenu, button: QWidget) -> None:
    menu.aboutToHide.connect(menu.deleteLater)
    menu.popup(button.mapToGlobal(QPoint(0, button.height())))
