"""The choice of a class, for models that know classes instead of words."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QCompleter, QVBoxLayout, QWidget

from app.models.generate_form import GenerateForm
from app.ui.widgets.labels import Field
from app.ui.widgets.quiet_inputs import QuietComboBox


class ClassField(QWidget):
    """Hidden for models that take no class. Typing finds a class by any part of its name."""

    def __init__(self, form: GenerateForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self._combo = QuietComboBox(self)
        self._combo.setEditable(True)
        self._combo.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        completer = self._combo.completer()
        edit = self._combo.lineEdit()
        assert completer is not None  # an editable box has both
        assert edit is not None
        edit.setAccessibleName(self.tr("Class"))
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(Field(self.tr("Class"), self._combo, self))
        self._combo.activated.connect(self._on_activated)
        form.form_changed.connect(self._on_form_changed)
        form.model_changed.connect(self._on_model_changed)
        self._on_model_changed(form.model)

    def _on_model_changed(self, model: Any) -> None:
        self.setVisible(self._form.condition_kind == "class")
        self._combo.clear()
        if model is None or model.manifest is None:
            return
        self._combo.addItem(self.tr("Any"), -1)
        for index in range(model.manifest.model.conditioning.num_classes):
            names = model.manifest.class_names
            self._combo.addItem(f"{index} · {names[index]}" if index < len(names) else str(index), index)
        self._on_form_changed(self._form.state)

    def _on_form_changed(self, state: Any) -> None:
        row = self._combo.findData(-1 if state.class_label is None else state.class_label)
        if self._combo.count():
            self._combo.setCurrentIndex(max(row, 0))

    def _on_activated(self, row: int) -> None:
        index = self._combo.itemData(row)
        self._form.update(class_label=None if index in (None, -1) else index)
