"""What the form is for: pictures, a clip's continuation, a grid, a way between two pictures."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from app.models.form_state import Mode
from app.models.generate_form import GenerateForm
from app.ui.widgets.buttons import TextButton


class ModeTabs(QFrame):
    """One row of choices, of which one is on; arrows walk. Only what the model offers is there."""

    def __init__(self, form: GenerateForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self.setProperty("role", "segments")
        self.setAccessibleName(self.tr("What to make"))
        self.buttons = {mode: TextButton("", "segment", parent=self) for mode in Mode}
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 2, 2, 2)
        row.setSpacing(2)
        for mode, button in self.buttons.items():
            button.setCheckable(True)
            button.setProperty("mode", str(mode))
            button.clicked.connect(self._on_clicked)
            row.addWidget(button, 1)
        form.form_changed.connect(self._refresh)
        form.model_changed.connect(self._on_model_changed)
        self._on_model_changed()

    @property
    def mode(self) -> Mode:
        """The choice that is on."""
        mode = self._form.state.mode
        return mode if mode in self._form.offers.modes else Mode.PICTURES

    def _on_model_changed(self, _model: Any = None) -> None:
        offers = self._form.offers
        titles = {
            Mode.PICTURES: self.tr("Clips") if offers.makes_clips else self.tr("Pictures"),
            Mode.CONTINUE: self.tr("Continue"),
            Mode.GRID: self.tr("Grid"),
            Mode.BETWEEN: self.tr("Between"),
        }
        tips = {
            Mode.PICTURES: self.tr("What the prompt says, as often as you like"),
            Mode.CONTINUE: self.tr("Go on from the last frames of a clip"),
            Mode.GRID: self.tr("A labelled sheet over any two settings"),
            Mode.BETWEEN: self.tr("The way from one seed or prompt to another, step by step"),
        }
        for mode, button in self.buttons.items():
            button.setText(titles[mode])
            button.setToolTip(tips[mode])
            button.setVisible(mode in offers.modes)
        self._refresh()

    def _refresh(self, _state: Any = None) -> None:
        for mode, button in self.buttons.items():
            button.setChecked(mode is self.mode)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus if mode is self.mode else Qt.FocusPolicy.NoFocus)

    def _on_clicked(self) -> None:
        self._form.update(mode=Mode(str(self.sender().property("mode"))))
        self._refresh()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right choose the neighbour."""
        offset = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        modes = self._form.offers.modes
        if offset is None:
            super().keyPressEvent(event)
            return
        mode = modes[(modes.index(self.mode) + offset) % len(modes)]
        self._form.update(mode=mode)
        self.buttons[mode].setFocus()
