"""Applies a palette to the whole application and says which one is on."""

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from app.ui.theme.fonts import font
from app.ui.theme.style_sheet import style_sheet
from app.ui.theme.tokens import DARK, PALETTES, Colours
from ul_engine.assets import assets_dir

_active: Colours = DARK


def colours() -> Colours:
    """The palette now in use, for widgets that paint themselves."""
    return _active


class Theme(QObject):
    """Holds the wish (dark, light, or as the system) and the palette that follows from it."""

    theme_changed = Signal(object)  # Colours

    def __init__(self, app: QApplication, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._app = app
        self._wish = ""
        app.setStyle(QStyleFactory.create("Fusion"))
        app.setFont(font())
        app.styleHints().colorSchemeChanged.connect(self._on_system_changed)

    @property
    def wish(self) -> str:
        """``dark``, ``light`` or ``system``."""
        return self._wish

    def begin(self, wish: str) -> None:
        """Choose the palette for a window that is about to be built; `dress` must follow when it stands.

        A style sheet that is there from the start is worked out anew for every widget with each layout that it enters,
        which made a third of the time that building took.
        """
        self._wish = wish
        self._choose()

    def dress(self) -> None:
        """Put the style sheet on."""
        self._app.setStyleSheet(style_sheet(_active, assets_dir() / "icons"))

    def set_wish(self, wish: str) -> None:
        """Choose the palette."""
        if wish != self._wish:
            self._wish = wish
            self._apply()

    def toggle(self) -> None:
        """From dark to light or back, whatever was wished before."""
        self.set_wish("light" if colours().name == "dark" else "dark")

    def _on_system_changed(self) -> None:
        if self._wish == "system":
            self._apply()

    def _apply(self) -> None:
        self._choose()
        self.dress()
        self.theme_changed.emit(_active)

    def _choose(self) -> None:
        global _active
        name = self._wish
        if name not in PALETTES:
            is_light = self._app.styleHints().colorScheme() is Qt.ColorScheme.Light
            name = "light" if is_light else "dark"
        _active = PALETTES[name]
        self._app.setPalette(qt_palette(_active))


def qt_palette(c: Colours) -> QPalette:
    """The palette as Qt's roles, for whatever the style sheet does not reach."""
    role = QPalette.ColorRole
    palette = QPalette()
    pairs = {
        role.Window: c.window,
        role.WindowText: c.text,
        role.Base: c.field,
        role.AlternateBase: c.panel,
        role.Text: c.text,
        role.PlaceholderText: c.muted,
        role.Button: c.raised,
        role.ButtonText: c.text,
        role.ToolTipBase: c.raised,
        role.ToolTipText: c.text,
        role.Highlight: c.accent,
        role.HighlightedText: c.on_accent,
        role.Link: c.accent_text,
        role.BrightText: c.on_accent,
        role.Light: c.hover,
        role.Midlight: c.raised,
        role.Mid: c.line,
        role.Dark: c.line,
        role.Shadow: c.shadow,
        role.Accent: c.accent,
    }
    for each, colour in pairs.items():
        palette.setColor(each, QColor(colour))
    for each in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, each, QColor(c.disabled))
    return palette
