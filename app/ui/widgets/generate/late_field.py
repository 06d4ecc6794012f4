"""A part of the form that is built when it is first needed, so that the window is there sooner."""

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.models.form_state import Mode
from app.models.generate_form import GenerateForm


class LateField(QWidget):
    """Hidden in other modes than its own. What it holds decides by itself whether it has anything to show."""

    def __init__(
        self, form: GenerateForm, mode: Mode, build: Callable[[QWidget], QWidget], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._form = form
        self._mode = mode
        self._build = build
        self.inner: QWidget | None = None
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        form.form_changed.connect(self._refresh)
        form.model_changed.connect(self._refresh)
        self._refresh()

    def _refresh(self, _payload: Any = None) -> None:
        is_needed = self._form.state.mode is self._mode and self._mode in self._form.offers.modes
        if is_needed and self.inner is None:
            self.inner = self._build(self)
            self._layout.addWidget(self.inner)
        self.setVisible(is_needed)
