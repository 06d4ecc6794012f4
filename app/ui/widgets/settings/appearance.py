"""Dark or light, and how large everything is."""

from typing import Any

from PySide6.QtWidgets import QWidget

from app.models.preferences import SCALES, Preferences
from app.ui.theme.theme import Theme
from app.ui.widgets.quiet_inputs import QuietComboBox
from app.ui.widgets.settings.section import Section

_WISHES = ("system", "dark", "light")


class AppearanceSection(Section):
    """The theme changes at once; the size at the next start, for Qt reads it once."""

    def __init__(self, title: str, preferences: Preferences, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self._preferences = preferences
        self._theme = theme
        self.wish = QuietComboBox(self)
        self.wish.addItems([self.tr("As the system"), self.tr("Dark"), self.tr("Light")])
        self.scale = QuietComboBox(self)
        self.scale.addItems([f"{percent}\u202f%" for percent in SCALES])
        for box in (self.wish, self.scale):
            box.setMinimumWidth(160)
        self.add_row(self.tr("Theme"), "", self.wish)
        self.add_row(self.tr("Size of everything"), self.tr("From the next start of the program."), self.scale)
        self.wish.activated.connect(self._on_wish_activated)
        self.scale.activated.connect(self._on_scale_activated)
        theme.theme_changed.connect(self._show)
        preferences.preferences_changed.connect(self._show)
        self._show()

    def _on_wish_activated(self, row: int) -> None:
        self._theme.set_wish(_WISHES[row])

    def _on_scale_activated(self, row: int) -> None:
        self._preferences.update(scale_percent=SCALES[row])

    def _show(self, _news: Any = None) -> None:
        self.wish.setCurrentIndex(_WISHES.index(self._theme.wish) if self._theme.wish in _WISHES else 0)
        self.scale.setCurrentIndex(SCALES.index(self._preferences.state.scale_percent))
