"""Whether the desktop tells when long work ends."""

from typing import Any

from PySide6.QtWidgets import QWidget

from app.models.preferences import Preferences
from app.ui.widgets.settings.section import Section
from app.ui.widgets.settings.switch import Switch


class NotificationsSection(Section):
    """One switch."""

    def __init__(self, title: str, preferences: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self._preferences = preferences
        self.notifies = Switch(self)
        self.add_row(
            self.tr("Tell me when long work ends"),
            self.tr("After more than 30 seconds of work, and only while this window is behind others."),
            self.notifies,
        )
        self.notifies.toggled.connect(self._on_toggled)
        preferences.preferences_changed.connect(self._show)
        self._show()

    def _on_toggled(self, is_on: bool) -> None:
        self._preferences.update(notifies=is_on)

    def _show(self, _state: Any = None) -> None:
        self.notifies.setChecked(self._preferences.state.notifies)
