"""The two axes of a grid: which setting each one changes, and the values."""

from typing import Any

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.models.form_state import Mode
from app.models.generate_form import GenerateForm
from app.models.grid_axes import GRID_FIELDS, GridField
from app.models.requested import num_results
from app.ui.theme.tokens import SPACING
from app.ui.widgets.generate.form_text import FormText
from app.ui.widgets.labels import Field, label
from app.ui.widgets.quiet_inputs import QuietComboBox
from ul_engine.requests import GridRequest, Request


class AxisField(QWidget):
    """One axis. Choosing another setting puts values to begin with beside it."""

    def __init__(self, form: GenerateForm, axis: str, title: str, *, is_optional: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self._form = form
        self._axis = axis
        self._is_optional = is_optional
        self._combo = QuietComboBox(self)
        self.values = FormText(form, f"{axis}_values", self.tr("Values"), self)
        self.values.set_help(
            self.tr("Between commas; whole numbers also as 1..8. Prompts between |, for example: a cube | a cone")
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING.s)
        row.addWidget(Field(title, self._combo, self), 2)
        row.addWidget(self.values, 3)
        self._combo.activated.connect(self._on_activated)
        form.form_changed.connect(self._refresh)
        form.model_changed.connect(self._fill)
        self._fill()

    def _fill(self, _model: Any = None) -> None:
        self._combo.clear()
        if self._is_optional:
            self._combo.addItem(self.tr("None"), "")
        for name, field in GRID_FIELDS.items():
            if self._is_offered(field):
                self._combo.addItem(field.title(), name)
        self._refresh()

    def _is_offered(self, field: GridField) -> bool:
        offers = self._form.offers
        return field.needs in ("", offers.condition) or (field.needs == "start" and offers.has_start_picture)

    def _refresh(self, _state: Any = None) -> None:
        name = getattr(self._form.state, f"{self._axis}_field")
        self._combo.setCurrentIndex(max(0, self._combo.findData(name)))
        self.values.setVisible(bool(name))

    def _on_activated(self, row: int) -> None:
        name = self._combo.itemData(row)
        usual = GRID_FIELDS[name].usual(self._form.state) if name else ""
        self._form.update(**{f"{self._axis}_field": name, f"{self._axis}_values": usual})


class GridAxesField(QWidget):
    """Shown in the mode of that name, with the number of pictures that come out."""

    def __init__(self, form: GenerateForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self.columns_axis = AxisField(form, "x", self.tr("Columns"), is_optional=False, parent=self)
        self.rows_axis = AxisField(form, "y", self.tr("Rows"), is_optional=True, parent=self)
        self._sum = label("", "caption", is_wrapped=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.s)
        for part in (self.columns_axis, self.rows_axis, self._sum):
            layout.addWidget(part)
        form.form_changed.connect(self._refresh)
        form.errors_changed.connect(self._refresh)
        form.model_changed.connect(self._refresh)
        self._refresh()

    def _unknown_words(self, request: Request) -> str:
        """Words of the prompts on an axis that the model does not know."""
        axes = (request.x, request.y) if isinstance(request, GridRequest) else ()
        prompts = [str(value) for axis in axes if axis and axis.field == "prompt" for value in axis.values]
        words = dict.fromkeys(word.word for prompt in prompts for word in self._form.unknown_in(prompt))
        if not words:
            return ""
        return self.tr("Words this model does not know: {words}").format(words=", ".join(words))

    def _refresh(self, _payload: Any = None) -> None:
        is_grid = self._form.state.mode is Mode.GRID
        self.setVisible(is_grid)
        request = self._form.request
        if is_grid and request is not None:
            words = self.tr("{count} pictures in all, one for each pair of values")
            lines = [words.format(count=num_results(request)), self._unknown_words(request)]
            self._sum.setText("\n".join(line for line in lines if line))
        self._sum.setVisible(is_grid and request is not None)
