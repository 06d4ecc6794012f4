"""What goes into the files of results."""

from typing import Any

from PySide6.QtWidgets import QWidget

from app.models.preferences import Preferences
from app.ui.widgets.settings.section import Section
from app.ui.widgets.settings.switch import Switch


class FilesSection(Section):
    """One switch strips everything."""

    def __init__(self, title: str, preferences: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self._preferences = preferences
        self.keeps = Switch(self)
        self.add_row(
            self.tr("Write the settings into every file"),
            self.tr(
                "Drop such a file on the window and it tells how it was made. Without, pictures and clips carry no "
                "prompt, seed or model."
            ),
            self.keeps,
        )
        self.keeps.toggled.connect(self._on_toggled)
        preferences.preferences_changed.connect(self._show)
        self._show()

    def _on_toggled(self, is_on: bool) -> None:
        self._preferences.update(keeps_request=is_on)

    def _show(self, _state: Any = None) -> None:
        self.keeps.setChecked(self._preferences.state.keeps_request)
