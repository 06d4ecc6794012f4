"""How candidates are laid beside each other, and the tools of the view."""

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.models.compare.comparison import Comparison
from app.models.compare.view import MAX_GAIN, DifferenceKind, ViewMode
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import Chip, IconButton
from app.ui.widgets.flow_layout import FlowLayout
from app.ui.widgets.form_number import decimal
from app.ui.widgets.labels import label
from app.ui.widgets.quiet_inputs import QuietComboBox


class CompareViewBar(QWidget):
    """What does not matter in the present mode is hidden."""

    crisp_toggled = Signal(object)  # bool
    fit_requested = Signal()
    save_requested = Signal()

    def __init__(self, compare: Comparison, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._compare = compare
        self.modes = [Chip(title, mode, "tab", self) for mode, title in self._titles().items()]
        self.difference = QuietComboBox(self)
        self.gain = decimal(1.0, MAX_GAIN, 1.0)
        self._against = label(self.tr("against"), "caption")
        self.reference = QuietComboBox(self)
        self.reference.setMinimumWidth(110)
        self.crisp_button = IconButton("pixels", "", parent=self)
        self.panels_button = IconButton("panels", self.tr("Hide everything but the pictures (F)"), parent=self)
        self.pair_tools = QWidget(self)
        self._row = QHBoxLayout(self)
        self._build()
        compare.shown_changed.connect(self._refresh)
        self._refresh()
        self.set_crisp(is_crisp=True)

    def _titles(self) -> dict[ViewMode, str]:
        return {
            ViewMode.GRID: self.tr("Grid"),
            ViewMode.WIPE: self.tr("Wipe"),
            ViewMode.BLINK: self.tr("Blink"),
            ViewMode.SIDE: self.tr("Side by side"),
            ViewMode.DIFFERENCE: self.tr("Difference"),
        }

    def _build(self) -> None:
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(SPACING.xs)
        tips = {
            ViewMode.GRID: self.tr("All candidates (M for the next)"),
            ViewMode.WIPE: self.tr("One up to a line, the other behind it; drag the line"),
            ViewMode.BLINK: self.tr("One in place of the other while C is held"),
            ViewMode.SIDE: self.tr("Two beside each other, in step"),
            ViewMode.DIFFERENCE: self.tr("What differs, amplified"),
        }
        modes = QWidget(self)
        flow = FlowLayout(SPACING.xs, modes)
        self._row.addWidget(modes, 1, Qt.AlignmentFlag.AlignVCenter)
        for chip in self.modes:
            chip.setCheckable(True)
            chip.setToolTip(tips[ViewMode(chip.value)])
            chip.clicked.connect(self._on_mode_clicked)
            flow.addWidget(chip)
        self._add_pair_tools()
        self.crisp_button.setCheckable(True)
        fit = IconButton("fit", self.tr("Fit (0)"), parent=self)
        save = IconButton("save", self.tr("Save what is seen… (Ctrl+S)"), parent=self)
        self.panels_button.setCheckable(True)
        for button in (self.crisp_button, fit, save, self.panels_button):
            self._row.addWidget(button)
        self.crisp_button.toggled.connect(self._on_crisp_toggled)
        fit.clicked.connect(self.fit_requested)
        save.clicked.connect(self.save_requested)
        self.panels_button.toggled.connect(self._on_panels_toggled)

    def _add_pair_tools(self) -> None:
        kinds = {
            DifferenceKind.ABSOLUTE: self.tr("Absolute"),
            DifferenceKind.SIGNED: self.tr("Signed"),
            DifferenceKind.FLIP: self.tr("FLIP: as seen"),
        }
        for kind, title in kinds.items():
            self.difference.addItem(title, kind)
        self.difference.setAccessibleName(self.tr("Kind of difference"))
        self.gain.setAccessibleName(self.tr("Gain"))
        self.gain.setToolTip(self.tr("How many times the difference is amplified"))
        self.gain.setDecimals(0)
        self.gain.setPrefix("× ")
        self.gain.setFixedWidth(76)
        self.reference.setAccessibleName(self.tr("Held against"))
        self.reference.setToolTip(self.tr("What the chosen candidate is held against"))
        self.reference.setMaximumWidth(140)
        self.difference.setMinimumWidth(120)
        row = QHBoxLayout(self.pair_tools)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING.xs)
        for part in (self.difference, self.gain, self._against, self.reference):
            row.addWidget(part)
        self.difference.activated.connect(self._on_difference_activated)
        self.gain.valueChanged.connect(self._compare.view.set_gain)
        self.reference.activated.connect(self._on_reference_activated)

    # ---- follow the model -----------------------------------------------------------------------------------------

    def _refresh(self, _payload: Any = None) -> None:
        view = self._compare.view.view
        for chip in self.modes:
            chip.setChecked(chip.value == view.mode)
        is_difference, is_pair = view.mode is ViewMode.DIFFERENCE, view.mode is not ViewMode.GRID
        self.difference.setVisible(is_difference)
        self.gain.setVisible(is_difference)
        self.difference.setCurrentIndex(list(DifferenceKind).index(view.difference))
        if self.gain.value() != view.gain:
            self.gain.setValue(view.gain)
        candidates = self._compare.candidates
        titles = [candidate.title for candidate in candidates]
        if [self.reference.itemText(row) for row in range(self.reference.count())] != titles:
            self.reference.clear()
            self.reference.addItems(titles)
        self.reference.setCurrentIndex(candidates.index(self._compare.reference))
        is_choice = is_pair and len(titles) > 2
        self.reference.setVisible(is_choice)
        self._against.setVisible(is_choice)
        self.pair_tools.setVisible(is_difference or is_choice)
        self.panels_button.setChecked(view.are_panels_hidden)

    def set_crisp(self, *, is_crisp: bool) -> None:
        """Show how pixels are drawn."""
        self.crisp_button.setChecked(is_crisp)
        crisp, smooth = self.tr("Sharp pixels; click for smooth"), self.tr("Smooth; click for sharp pixels")
        self.crisp_button.set_name(crisp if is_crisp else smooth)

    # ---- what a person does ---------------------------------------------------------------------------------------

    def _on_mode_clicked(self) -> None:
        chip = self.sender()
        if isinstance(chip, Chip):
            self._compare.view.update(mode=ViewMode(chip.value))
            self._refresh()

    def _on_difference_activated(self, row: int) -> None:
        self._compare.view.update(difference=list(DifferenceKind)[row])

    def _on_reference_activated(self, row: int) -> None:
        self._compare.view.update(reference=row)

    def _on_crisp_toggled(self, is_crisp: bool) -> None:
        self.set_crisp(is_crisp=is_crisp)
        self.crisp_toggled.emit(is_crisp)

    def _on_panels_toggled(self, is_on: bool) -> None:
        self._compare.view.update(are_panels_hidden=is_on)
