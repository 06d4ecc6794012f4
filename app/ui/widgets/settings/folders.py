"""Where results, models and runs go: shown, opened, moved."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QLabel, QWidget

from app.models.folders import Folders
from app.ui.widgets.settings.section import Section, selectable
from app.ui.widgets.shown_path import shown_path

KINDS = ("outputs", "models", "runs")


class FoldersSection(Section):
    """Asks for other folders; what is in the old ones stays there."""

    folder_chosen = Signal(object)  # tuple[str, Path]: kind and folder
    folder_open_requested = Signal(object)  # Path

    def __init__(self, title: str, folders: Folders, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self._folders = folders
        self._asked = ""
        self._paths: dict[str, QLabel] = {}
        titles = {
            "outputs": self.tr("Results"),
            "models": self.tr("Models of your own"),
            "runs": self.tr("Training runs"),
        }
        for kind in KINDS:
            self._paths[kind] = selectable()
            change = self.button(self.tr("Change…"), self._on_change_clicked)
            show = self.button(self.tr("Open"), self._on_open_clicked)
            for button in (change, show):
                button.setProperty("kind", kind)
                button.setAccessibleName(f"{titles[kind]}: {button.text()}")
            self.add_row(titles[kind], self._paths[kind], change, show)
        folders.folders_changed.connect(self._show)
        self._show()

    def choose(self, kind: str) -> None:
        """Ask for another folder."""
        self._asked = kind
        dialog = QFileDialog(self, self.tr("Choose a folder"), str(self._place(kind)))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._on_folder_chosen)
        dialog.open()

    def path_shown(self, kind: str) -> str:
        """The folder as it is written there."""
        return self._paths[kind].text().replace("\u200b", "")

    def _place(self, kind: str) -> Path:
        place: Path = getattr(self._folders.places, kind)
        return place

    def _kind_clicked(self) -> str:
        return str(self.sender().property("kind"))

    def _on_change_clicked(self) -> None:
        self.choose(self._kind_clicked())

    def _on_open_clicked(self) -> None:
        self.folder_open_requested.emit(self._place(self._kind_clicked()))

    def _on_folder_chosen(self, path: str) -> None:
        self.folder_chosen.emit((self._asked, Path(path)))

    def _show(self, _places: Any = None) -> None:
        for kind, shown in self._paths.items():
            shown.setText(shown_path(self._place(kind), is_breakable=True))
