"""Widgets that follow the comparison while they are on show, and catch up when they come to be."""

from PySide6.QtCore import QObject
from PySide6.QtGui import QShowEvent

from app.models.compare.comparison import Comparison


class WhenSeen:
    """Mixed into a widget that has `refresh`: hidden analyses cost nothing while somebody scrubs."""

    _is_stale = True

    def follow(self, compare: Comparison) -> None:
        """Refresh with the comparison from now on."""
        assert isinstance(self, QObject)
        compare.shown_changed.connect(self._on_shown_changed)

    def refresh(self) -> None:
        """Show what is the case now."""
        raise NotImplementedError

    def _on_shown_changed(self) -> None:
        self._is_stale = True
        if self.isVisible() or self.is_needed():  # type: ignore[attr-defined]
            self.catch_up()

    def is_needed(self) -> bool:
        """Whether it must be right although it is hidden."""
        return False

    def catch_up(self) -> None:
        """Refresh, if anything has happened."""
        if self._is_stale:
            self._is_stale = False
            self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """It comes to be seen."""
        self.catch_up()
        super().showEvent(event)  # type: ignore[misc]
