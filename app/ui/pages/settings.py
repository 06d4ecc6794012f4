"""The page Settings: looks, where results go, and the engine."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.models.engine_state import EngineStatus
from app.models.session import Session
from app.ui.pages.generate import open_folder
from app.ui.theme.theme import Theme
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import label
from app.ui.widgets.quiet_inputs import QuietComboBox

WIDTH_PX = 640
_WISHES = ("system", "dark", "light")


class SettingsPage(QScrollArea):
    """Every change is on at once; there is nothing to apply."""

    outputs_chosen = Signal(object)  # Path
    restart_requested = Signal()

    def __init__(self, session: Session, theme: Theme, outputs: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._theme = theme
        self._outputs = outputs
        self._wish = QuietComboBox(self)
        self._wish.addItems([self.tr("As the system"), self.tr("Dark"), self.tr("Light")])
        self._wish.setAccessibleName(self.tr("Theme"))
        self._wish.setFixedWidth(200)
        self._folder = _path_label(outputs)
        self._device = label("", "muted", is_wrapped=True)
        self._models = label("", "muted", is_wrapped=True)
        self._build()
        self._wish.activated.connect(self._on_wish_activated)
        theme.theme_changed.connect(self._on_theme_changed)
        session.engine.status_changed.connect(self._on_status_changed)
        session.library.models_changed.connect(self._on_models_changed)
        self._on_theme_changed()
        self._on_status_changed(session.engine.status)
        self._on_models_changed()

    def _build(self) -> None:
        body = QWidget()
        body.setProperty("role", "plain")
        column = QWidget(body)
        column.setMaximumWidth(WIDTH_PX)
        layout = QVBoxLayout(column)
        layout.setContentsMargins(SPACING.xl, SPACING.xl, SPACING.xl, SPACING.xl)
        layout.setSpacing(SPACING.l)
        layout.addWidget(label(self.tr("Settings"), "title"))
        layout.addWidget(self._card(self.tr("Theme"), None, self._wish))
        change = self._button(self.tr("Change…"), self._on_change_clicked)
        layout.addWidget(self._card(self.tr("Folder of results"), self._folder, change, self._open_button()))
        look = self._button(self.tr("Look again"), self._session.library.refresh)
        layout.addWidget(self._card(self.tr("Models"), self._models, look))
        restart = self._button(self.tr("Restart"), self.restart_requested)
        layout.addWidget(self._card(self.tr("Engine"), self._device, restart))
        layout.addStretch(1)
        outer = QHBoxLayout(body)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(column, 1)
        outer.addStretch(0)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(body)

    def _card(self, title: str, text: QLabel | None, *controls: QWidget) -> QFrame:
        card = QFrame(self)
        card.setProperty("role", "card")
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(label(title, "emphasis"))
        if text is not None:
            words.addWidget(text)
        row = QHBoxLayout(card)
        row.setContentsMargins(SPACING.l, SPACING.m, SPACING.m, SPACING.m)
        row.setSpacing(SPACING.s)
        row.addLayout(words, 1)
        for control in controls:
            row.addWidget(control, 0, Qt.AlignmentFlag.AlignVCenter)
        return card

    def _button(self, text: str, slot: Any) -> TextButton:
        button = TextButton(text, parent=self)
        button.clicked.connect(slot)
        return button

    def _open_button(self) -> TextButton:
        return self._button(self.tr("Open"), self.open_outputs)

    # ---- theme ----------------------------------------------------------------------------------------------------

    def _on_wish_activated(self, row: int) -> None:
        self._theme.set_wish(_WISHES[row])

    def _on_theme_changed(self, _colours: Any = None) -> None:
        self._wish.setCurrentIndex(_WISHES.index(self._theme.wish) if self._theme.wish in _WISHES else 0)

    # ---- folders --------------------------------------------------------------------------------------------------

    def set_outputs(self, folder: Path) -> None:
        """Results go there from now on."""
        self._outputs = folder
        self._folder.setText(_breakable(folder))

    def choose_outputs(self) -> None:
        """Ask for another folder."""
        dialog = QFileDialog(self, self.tr("Folder of results"), str(self._outputs))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._on_folder_chosen)
        dialog.open()

    def _on_change_clicked(self) -> None:
        self.choose_outputs()

    def _on_folder_chosen(self, path: str) -> None:
        self.outputs_chosen.emit(Path(path))

    def open_outputs(self) -> None:
        """Show the folder of results."""
        self._outputs.mkdir(parents=True, exist_ok=True)
        open_folder(self._outputs)

    # ---- engine and models ----------------------------------------------------------------------------------------

    def _on_status_changed(self, status: EngineStatus) -> None:
        if not status.device_name:
            self._device.setText(self.tr("Not running yet."))
        elif status.device == "cpu":
            self._device.setText(self.tr("{name}. No GPU is used.").format(name=status.device_name))
        else:
            self._device.setText(f"{status.device_name} ({status.device})")

    def _on_models_changed(self, _entries: Any = None) -> None:
        library = self._session.library
        lines = [entry.problem or entry.name for entry in library.entries]
        own = self.tr("Your own models belong into {folder}").format(folder=library.roots[-1] if library.roots else "")
        self._models.setText("\n".join([*lines, own]))


def _path_label(path: Path) -> QLabel:
    result = label(_breakable(path), "muted", is_wrapped=True)
    result.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return result


def _breakable(path: Path) -> str:
    return str(path).replace("/", "/\u200b")
