"""The choice of a preset; it reads "Custom" as soon as an expert field differs."""

from typing import Any

from PySide6.QtCore import QPoint, Signal
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from app.models.form_state import sampling_of_state
from app.models.generate_form import GenerateForm
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.labels import Field
from app.ui.widgets.quiet_inputs import QuietComboBox


class PresetField(QWidget):
    """Presets of the chosen model and own ones, with a small menu to keep, rename and delete those."""

    save_requested = Signal()
    rename_requested = Signal(object)  # str
    delete_requested = Signal(object)  # str

    def __init__(self, form: GenerateForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self._combo = QuietComboBox(self)
        self._field = Field(self.tr("Quality"), self._combo, self)
        self._field.set_help(
            self.tr("Preview is quick, Balanced is for daily use, Paper is slow and as in the publication.")
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.xs)
        layout.addWidget(self._field)
        self.more_button = IconButton("more", self.tr("Own presets"), "title", self)
        self.more_button.clicked.connect(self._on_more_clicked)
        self._field.add_to_title(self.more_button)
        form.presets_changed.connect(self._on_model_changed)
        self._combo.activated.connect(self._on_activated)
        form.form_changed.connect(self._on_form_changed)
        form.model_changed.connect(self._on_model_changed)
        self._on_model_changed()

    def _on_model_changed(self, _model: Any = None) -> None:
        self._combo.clear()
        for name, sampling in self._form.presets.items():
            steps = f"{sampling.base.num_steps} + {sampling.decoder.num_steps}"
            self._combo.addItem(self.tr("{name} · {steps} steps").format(name=name, steps=steps), name)
        self._on_form_changed()

    def _on_form_changed(self, _state: Any = None) -> None:
        custom = self._combo.findData("")
        row = self._combo.findData(self._form.preset) if self._form.preset else -1
        if row < 0:
            state = self._form.state
            text = self.tr("Custom · {base} + {decoder} steps").format(
                base=state.base_steps, decoder=state.decoder_steps
            )
            if custom < 0:
                self._combo.addItem(text, "")
                custom = self._combo.count() - 1
            self._combo.setItemText(custom, text)
            row = custom
        elif custom >= 0:
            self._combo.removeItem(custom)
        self._combo.setCurrentIndex(row)

    def make_menu(self) -> QMenu:
        """What can be done with own presets now."""
        menu, name = QMenu(self), self._form.preset
        is_own = name in self._form.own_presets
        save = menu.addAction(self.tr("Save as preset…"))
        save.triggered.connect(self.save_requested)
        save.setEnabled(sampling_of_state(self._form.state) is not None)
        menu.addAction(self.tr("Rename {name}…").format(name=name) if is_own else self.tr("Rename…"))
        menu.addAction(self.tr("Delete {name}").format(name=name) if is_own else self.tr("Delete"))
        rename, delete = menu.actions()[1:]
        for action in (rename, delete):
            action.setEnabled(is_own)
        rename.triggered.connect(self._on_rename)
        delete.triggered.connect(self._on_delete)
        return menu

    def _on_more_clicked(self) -> None:
        menu = self.make_menu()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.more_button.mapToGlobal(QPoint(0, self.more_button.height())))

    def _on_rename(self) -> None:
        self.rename_requested.emit(self._form.preset)

    def _on_delete(self) -> None:
        self.delete_requested.emit(self._form.preset)

    def _on_activated(self, row: int) -> None:
        name = self._combo.itemData(row)
        if name:
            self._form.choose_preset(name)
