"""Which models are compared: tick boxes, at least one."""

from typing import Any

from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from app.models.compare.form import MAX_MODELS, CompareForm
from app.models.model_library import titles_of
from app.ui.theme.tokens import SPACING
from app.ui.widgets.labels import label


class ModelList(QWidget):
    """Models that can reconstruct; those that cannot have no encoder and are not offered."""

    def __init__(self, form: CompareForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self.boxes: list[QCheckBox] = []
        self._none = label(
            self.tr("No model here has an encoder. Put one into the models folder."), "error", is_wrapped=True
        )
        self._hint = label("", "caption", is_wrapped=True)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(SPACING.xs)
        self._layout.addWidget(label(self.tr("Models"), "field"))
        self._layout.addWidget(self._none)
        self._layout.addWidget(self._hint)
        form.models_changed.connect(self._refresh)
        self._refresh()

    def _refresh(self, _payload: Any = None) -> None:
        offered = self._form.offered
        if [box.property("path") for box in self.boxes] != [entry.path for entry in offered]:
            self._rebuild()
        chosen = {entry.path for entry in self._form.chosen}
        for box in self.boxes:
            box.blockSignals(True)
            box.setChecked(box.property("path") in chosen)
            box.setEnabled(box.isChecked() or len(chosen) < MAX_MODELS)
            box.blockSignals(False)
        self._none.setVisible(not offered)
        self._hint.setVisible(len(offered) > 1)
        self._hint.setText(self.tr("Tick several to see them side by side."))

    def _rebuild(self) -> None:
        for box in self.boxes:
            box.hide()
            box.deleteLater()
        self.boxes = []
        offered = self._form.offered
        for place, (entry, title) in enumerate(zip(offered, titles_of(offered), strict=True)):
            box = QCheckBox(title.replace("&", "&&"), self)
            box.setProperty("path", entry.path)
            box.setToolTip(entry.path)
            box.toggled.connect(self._on_toggled)
            self._layout.insertWidget(1 + place, box)
            self.boxes.append(box)

    def _on_toggled(self, is_on: bool) -> None:
        box = self.sender()
        if isinstance(box, QCheckBox):
            self._form.toggle_model(str(box.property("path")), is_on=is_on)
            self._refresh()
