"""What the stage says before there is a picture: what to do, what the model understands, or what is missing."""

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from app.models.engine_state import EnginePhase
from app.models.model_library import titles_of
from app.models.session import Session
from app.ui.theme.icons import pixmap
from app.ui.theme.theme import colours
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import Chip, TextButton
from app.ui.widgets.labels import label
from app.ui.widgets.middle_column import middle_column

WIDTH_PX = 520
NUM_EXAMPLES = 3


class EmptyState(QWidget):
    """Changes its words with the model, the queue and the engine."""

    example_chosen = Signal(object)  # str
    refresh_requested = Signal()
    models_folder_requested = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._sign = QLabel(self)
        self._title = label("", "display")
        self._text = label("", "muted", is_wrapped=True)
        self._try = label(self.tr("Try one of these"), "field")
        self._examples: list[Chip] = []
        self._known = label("", "caption", is_wrapped=True)
        self._buttons = QWidget(self)
        self._build()
        session.engine.status_changed.connect(self._refresh)
        session.queue.queue_changed.connect(self._refresh)
        session.library.models_changed.connect(self._refresh)
        session.form.model_changed.connect(self._on_model_changed)
        self._on_model_changed()

    def _build(self) -> None:
        self._column = middle_column(self, WIDTH_PX)
        buttons = QHBoxLayout(self._buttons)
        buttons.setContentsMargins(0, SPACING.s, 0, 0)
        folder = TextButton(self.tr("Open the models folder"), "", "folder", self._buttons)
        again = TextButton(self.tr("Look again"), "primary", parent=self._buttons)
        folder.clicked.connect(self.models_folder_requested)
        again.clicked.connect(self.refresh_requested)
        for part in (again, folder):
            buttons.addWidget(part)
        buttons.addStretch(1)
        self._column.addWidget(self._sign)
        self._column.addSpacing(SPACING.s)
        self._column.addWidget(self._title)
        self._column.addWidget(self._text)
        self._column.addWidget(self._buttons)
        self._column.addSpacing(SPACING.l)
        self._column.addWidget(self._try)
        self._after_examples = self._column.count()
        self._column.addSpacing(SPACING.l)
        self._column.addWidget(self._known)

    def _on_model_changed(self, _model: Any = None) -> None:
        for chip in self._examples:
            chip.hide()
            chip.deleteLater()
        grammar = self._session.form.grammar
        texts = grammar.examples[:NUM_EXAMPLES] if grammar else ()
        self._examples = [Chip(text, text, "example", self) for text in texts]
        for place, chip in enumerate(self._examples):
            chip.clicked.connect(self._on_example_clicked)
            self._column.insertWidget(self._after_examples + place, chip)
        self._try.setVisible(bool(texts))
        self._refresh()

    def _on_example_clicked(self) -> None:
        chip = self.sender()
        if isinstance(chip, Chip):
            self.example_chosen.emit(chip.value)

    def _refresh(self, _payload: Any = None) -> None:
        usable = self._session.library.usable
        has_models = bool(usable)
        self._buttons.setVisible(not has_models)
        is_waiting = bool(self._session.queue.view.ready)
        self._try.setVisible(has_models and bool(self._examples) and not is_waiting)
        for chip in self._examples:
            chip.setVisible(has_models and not is_waiting)
        icon_name, title, text = self._words() if has_models else self._no_models_words()
        self._sign.setPixmap(pixmap(icon_name, colours().accent_text, 40))
        self._title.setText(title)
        self._text.setText(text)
        names = ", ".join(titles_of(usable))
        self._known.setText(self.tr("Models known: {names}").format(names=names) if has_models else self._problems())

    def _words(self) -> tuple[str, str, str]:
        phase, queue = self._session.engine.status.phase, self._session.queue.view
        if queue.ready and phase is EnginePhase.DOWN:
            return "warning", self.tr("The engine is not running"), self.tr("Restart it to make your pictures.")
        if queue.ready and phase in (EnginePhase.STARTING, EnginePhase.RESTARTING):
            return (
                "generate",
                self.tr("Warming up"),
                self.tr(
                    "The engine starts in its own process; that takes a few seconds. Your pictures come by themselves."
                ),
            )
        kind, makes_clips = self._session.form.condition_kind, self._session.form.offers.makes_clips
        if kind == "text":
            text = self.tr("Write a prompt on the left, or click an example. Then press Generate.")
            title = self.tr("Describe a clip") if makes_clips else self.tr("Describe a picture")
        elif kind == "class":
            title, text = self.tr("Choose a class"), self.tr("Choose what to draw on the left. Then press Generate.")
        else:
            title = self.tr("Make clips") if makes_clips else self.tr("Make pictures")
            text = self.tr("This model takes no prompt. Just press Generate.")
        if phase is EnginePhase.STARTING:
            text += " " + self.tr("The engine is still warming up, but you need not wait for it.")
        return "generate", title, text

    def _no_models_words(self) -> tuple[str, str, str]:
        folder = str(self._session.library.roots[-1]) if self._session.library.roots else ""
        text = self.tr("Put a model folder (with its config.json) into {folder}, then look again.").format(
            folder=folder
        )
        return "model", self.tr("No usable model found"), text

    def _problems(self) -> str:
        return "\n".join(entry.problem for entry in self._session.library.entries if entry.problem)

    def changeEvent(self, event: Any) -> None:
        """The sign follows the palette."""
        super().changeEvent(event)
        if event.type() == event.Type.StyleChange and hasattr(self, "_known"):
            self._refresh()
