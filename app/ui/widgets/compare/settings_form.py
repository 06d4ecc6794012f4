"""How the models are made to reconstruct: quality first, the rest folded away."""

from typing import Any

from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from app.models.compare.form import CompareForm
from app.models.compare.levels import Ladder, levels_text, parse_levels
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import Field
from app.ui.widgets.quiet_inputs import QuietComboBox
from ul_engine.requests import MAX_SEED

LARGEST_SEED = MAX_SEED - 256


class PresetChoice(Field):
    """Presets of the first chosen model."""

    def __init__(self, form: CompareForm, parent: QWidget | None = None) -> None:
        self._form = form
        self.combo = QuietComboBox()
        super().__init__(self.tr("Quality"), self.combo, parent)
        self.set_help(self.tr("Preview is quick, Balanced is for daily use, Paper is slow and as in the publication."))
        self.combo.activated.connect(self._on_activated)
        form.form_changed.connect(self._refresh)
        form.models_changed.connect(self._refresh)
        self._refresh()

    def _refresh(self, _payload: Any = None) -> None:
        self.combo.clear()
        for name in self._form.presets:
            self.combo.addItem(name, name)
        self.combo.setCurrentIndex(self.combo.findData(self._form.state.preset))

    def _on_activated(self, row: int) -> None:
        self._form.update(preset=self.combo.itemData(row))


class SeedChoice(Field):
    """A whole number; whatever else is typed is told beside it and changes nothing."""

    def __init__(self, form: CompareForm, parent: QWidget | None = None) -> None:
        self._form = form
        self.edit = QLineEdit()
        super().__init__(self.tr("Seed"), self.edit, parent)
        self.edit.setMaxLength(20)
        self.set_help(
            self.tr("All levels and models share the noise of this seed, so that they differ by nothing else.")
        )
        self.edit.textEdited.connect(self._on_text_edited)
        form.form_changed.connect(self._refresh)
        self._refresh()

    def _refresh(self, _payload: Any = None) -> None:
        if not self.edit.hasFocus():
            self.edit.setText(str(self._form.state.seed))
            self.set_error("")

    def _on_text_edited(self, text: str) -> None:
        is_right = text.strip().isdecimal() and int(text) <= LARGEST_SEED
        self.set_error(
            "" if is_right else self.tr("A whole number from 0 to {limit} is needed.").format(limit=LARGEST_SEED)
        )
        if is_right:
            self._form.update(seed=int(text))


class RestorerChoice(Field):
    """What brings a noised latent back."""

    def __init__(self, form: CompareForm, parent: QWidget | None = None) -> None:
        self._form = form
        self.combo = QuietComboBox()
        super().__init__(self.tr("Noise is taken away by"), self.combo, parent)
        self.combo.addItem(self.tr("the prior, as in training"), "prior")
        self.combo.addItem(self.tr("the base model, without a prompt"), "base")
        self.set_help(
            self.tr("The prior was trained with the encoder and counts the bits; the base model makes new pictures.")
        )
        self.combo.activated.connect(self._on_activated)
        form.form_changed.connect(self._refresh)
        self._refresh()

    def _refresh(self, _payload: Any = None) -> None:
        self.combo.setCurrentIndex(self.combo.findData(self._form.state.restorer))

    def _on_activated(self, row: int) -> None:
        self._form.update(restorer=self.combo.itemData(row))


class LevelsEdit(Field):
    """The levels of one ladder as a person writes them."""

    def __init__(self, form: CompareForm, ladder: Ladder, parent: QWidget | None = None) -> None:
        self._form = form
        self._ladder = ladder
        self.edit = QLineEdit()
        is_latent = ladder is Ladder.LATENT
        super().__init__(
            self.tr("Levels of the noise ladder") if is_latent else self.tr("Levels of the decoder's ladder"),
            self.edit,
            parent,
        )
        self.set_help(
            self.tr(
                "Log-SNR says how much picture is left beside the noise: at 5 hardly any noise, at 0 as much noise as "
                "picture, at -6 almost only noise. Separate levels by commas."
            )
        )
        self.edit.textEdited.connect(self._on_text_edited)
        self.edit.editingFinished.connect(self._on_editing_finished)
        form.form_changed.connect(self._refresh)
        self._refresh()

    def _refresh(self, _payload: Any = None) -> None:
        if not self.edit.hasFocus():
            self.edit.setText(levels_text(self._form.levels(self._ladder)))
            self.set_error("")

    def _on_text_edited(self, text: str) -> None:
        levels = parse_levels(text)
        self.set_error("" if levels is not None else self.tr("Numbers with commas between them, such as 4, 2, 0, -2."))

    def _on_editing_finished(self) -> None:
        """Half a list is no wish: it counts when the person is done."""
        levels = parse_levels(self.edit.text())
        if levels is not None:
            name = "latent_levels" if self._ladder is Ladder.LATENT else "decoder_levels"
            self._form.update(**{name: levels})


class SettingsForm(QWidget):
    """Quality and seed; levels and restorer for experts."""

    def __init__(self, form: CompareForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.preset = PresetChoice(form, self)
        self.seed = SeedChoice(form, self)
        self.restorer = RestorerChoice(form, self)
        self.latent_levels = LevelsEdit(form, Ladder.LATENT, self)
        self.decoder_levels = LevelsEdit(form, Ladder.DECODER, self)
        self.fold = TextButton(self.tr("Expert settings"), "fold", "chevron-right", self)
        self.fold.setCheckable(True)
        self._expert = QWidget(self)
        inner = QVBoxLayout(self._expert)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(SPACING.m)
        for field in (self.seed, self.restorer, self.latent_levels, self.decoder_levels):
            inner.addWidget(field)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.m)
        for part in (self.preset, self.fold, self._expert):
            layout.addWidget(part)
        self._expert.hide()
        self.fold.toggled.connect(self._on_fold_toggled)

    def _on_fold_toggled(self, is_open: bool) -> None:
        self.fold.set_icon("chevron-down" if is_open else "chevron-right")
        self._expert.setVisible(is_open)
