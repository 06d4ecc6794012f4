"""The previews of a run: the table, one cell large, and two cells into Compare."""

from typing import Any

from PySide6.QtCore import QEvent, QObject, QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.models.runs.previews import Strand, strands_of
from app.models.runs.run_view import RunView
from app.services.preview_sheets import SheetImage, SheetWish
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import Chip, IconButton, TextButton
from app.ui.widgets.flow_layout import FlowLayout
from app.ui.widgets.image_view import ImageView
from app.ui.widgets.labels import label
from app.ui.widgets.train.preview_grid import PreviewGrid, Spot

MAX_CHIP_LETTERS = 40


class PreviewPanel(QWidget):
    """In the large view the arrows go to the neighbours of the cell, and zoom and place stay: the same spot, step by
    step. Esc goes back."""

    sheet_wanted = Signal(object)  # SheetWish
    compare_requested = Signal(object)  # tuple[PreviewCell, ...]

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: RunView | None = None
        self._strands: tuple[Strand, ...] = ()
        self._chosen = ""
        self._large_wish: SheetWish | None = None
        self._chips: list[Chip] = []
        self._strand_bar = QWidget(self)
        self._strand_layout = FlowLayout(SPACING.xs, self._strand_bar)
        self._hint = label("", "caption", is_wrapped=True)
        self.compare_button = TextButton("", "", "compare", self)
        self._smaller = IconButton("minus", self.tr("Smaller"), parent=self)
        self._larger = IconButton("plus", self.tr("Larger"), parent=self)
        self._back = TextButton(self.tr("Back to the table"), "", "back", self)
        self.grid = PreviewGrid(self)
        self.large = ImageView(parent=self)
        self.large.installEventFilter(self)
        self._empty = label("", "muted", is_wrapped=True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.stack = QStackedWidget(self)
        for page in (self.grid, self.large, self._empty):
            self.stack.addWidget(page)
        self._build()
        self._show_marks()
        self._show_strands()

    def _build(self) -> None:
        bar = QHBoxLayout()
        bar.setSpacing(SPACING.s)
        bar.addWidget(self._back)
        bar.addWidget(self._hint, 1)
        for button in (self._smaller, self._larger, self.compare_button):
            bar.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.s)
        layout.addLayout(bar)
        layout.addWidget(self._strand_bar)
        layout.addWidget(self.stack, 1)
        self.grid.sheet_wanted.connect(self.sheet_wanted)
        self.grid.opened.connect(self._on_opened)
        self.grid.marked_changed.connect(self._show_marks)
        self.grid.current_changed.connect(self._on_current_changed)
        self.compare_button.clicked.connect(self._on_compare_clicked)
        self._smaller.clicked.connect(self._on_smaller_clicked)
        self._larger.clicked.connect(self._on_larger_clicked)
        self._back.clicked.connect(self.close_large)

    # ---- what it shows --------------------------------------------------------------------------------------------

    def set_run(self, view: RunView | None) -> None:
        """Another run."""
        if self._view is not None and self._view is not view:
            self._view.previews_changed.disconnect(self._on_previews_changed)
        if view is not None and view is not self._view:
            view.previews_changed.connect(self._on_previews_changed)
        self._view = view
        self.close_large()
        self.grid.clear_marks()
        self._on_previews_changed()

    def take_sheet(self, found: SheetImage) -> None:
        """A sheet that was asked for."""
        self.grid.take_sheet(found)
        if found.wish == self._large_wish:
            self._show_large(found)

    def _on_previews_changed(self) -> None:
        self._strands = strands_of(self._view.sheets) if self._view is not None else ()
        titles = [strand.title for strand in self._strands]
        if [chip.value for chip in self._chips] != titles:
            self._make_chips(titles)
        if self._chosen not in titles:
            self._chosen = titles[0] if titles else ""
        self._show_strands()

    def _make_chips(self, titles: list[str]) -> None:
        for chip in self._chips:
            chip.hide()
            chip.deleteLater()
        self._chips = []
        for title in titles:
            chip = Chip(title[:MAX_CHIP_LETTERS] or self.tr("Samples"), title, parent=self._strand_bar)
            chip.setToolTip(title)
            chip.setCheckable(True)
            chip.clicked.connect(self._on_chip_clicked)
            self._strand_layout.addWidget(chip)
            self._chips.append(chip)

    def _on_chip_clicked(self) -> None:
        chip = self.sender()
        if isinstance(chip, Chip):
            self._chosen = chip.value
            self._show_strands()

    def _show_strands(self) -> None:
        self._strand_bar.setVisible(len(self._strands) > 1)
        for chip in self._chips:
            chip.setChecked(chip.value == self._chosen)
        self.grid.set_strand(next((each for each in self._strands if each.title == self._chosen), None))
        self._empty.setText(
            self.tr(
                "Pictures of always the same probes appear here: the first before step 0, then ever more rarely. While "
                "the run is at work, the eye button above draws one at once."
            )
        )
        if not self._strands:
            self.stack.setCurrentWidget(self._empty)
        elif self.stack.currentWidget() is self._empty:
            self.stack.setCurrentWidget(self.grid)
        self._show_bar()

    def _show_bar(self) -> None:
        is_large = self.stack.currentWidget() is self.large
        self._back.setVisible(is_large)
        for button in (self._smaller, self._larger):
            button.setVisible(self.stack.currentWidget() is self.grid)
        self.compare_button.setVisible(bool(self._strands))

    def _show_marks(self) -> None:
        marked = self.grid.marked
        count = len(marked)
        self.compare_button.setText(self.tr("Compare A and B") if count == 2 else self.tr("Compare"))
        self.compare_button.setEnabled(count == 2)
        if count == 2:
            words = self.tr("A: {first}. B: {second}.").format(first=marked[0].title, second=marked[1].title)
        elif count:
            words = self.tr("One more, and they can be compared.")
        else:
            words = self.tr("Click two pictures to compare them; double click to see one large. Arrow keys walk.")
        self._hint.setText(words)

    def _on_compare_clicked(self) -> None:
        self.compare_requested.emit(self.grid.marked)

    def _on_smaller_clicked(self) -> None:
        self.grid.zoom_by(-1)

    def _on_larger_clicked(self) -> None:
        self.grid.zoom_by(1)

    # ---- one cell large -------------------------------------------------------------------------------------------

    def _on_opened(self, _spot: Spot) -> None:
        self.stack.setCurrentWidget(self.large)
        self.large.setFocus()
        self._show_bar()
        self._on_current_changed()

    def close_large(self) -> None:
        """Back to the table."""
        self._large_wish = None
        if self.stack.currentWidget() is self.large:
            had_focus = self.large.hasFocus() or self._back.hasFocus()
            self.stack.setCurrentWidget(self.grid)
            if had_focus:
                self.grid.setFocus()
        self._show_bar()
        self._show_marks()

    def _on_current_changed(self) -> None:
        cell = self.grid.cell_at(self.grid.current)
        if self.stack.currentWidget() is self.large and cell is not None:
            self._hint.setText(cell.title)
            self._large_wish = SheetWish(cell.sheet.path)
            self.sheet_wanted.emit(self._large_wish)

    def _show_large(self, found: SheetImage) -> None:
        cell = self.grid.cell_at(self.grid.current)
        if cell is not None and found.image is not None and cell.sheet.path == found.wish.path:
            self.large.set_image(found.image.copy(QRect(*cell.rect)))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrows and Esc mean another cell, not another part of this one."""
        if watched is not self.large or not isinstance(event, QKeyEvent):
            return super().eventFilter(watched, event)
        if event.type() == QEvent.Type.ShortcutOverride and event.key() == Qt.Key.Key_Escape:
            event.accept()  # ours before it is the window's
            return True
        if event.type() != QEvent.Type.KeyPress:
            return False
        ways: dict[int, Any] = {
            Qt.Key.Key_Left: (0, -1),
            Qt.Key.Key_Right: (0, 1),
            Qt.Key.Key_Up: (-1, 0),
            Qt.Key.Key_Down: (1, 0),
        }
        if event.key() in ways:
            self.grid.walk(*ways[event.key()])
        elif event.key() == Qt.Key.Key_Escape:
            self.close_large()
        elif event.key() == Qt.Key.Key_Space:
            self.grid.toggle_mark(self.grid.current)
        else:
            return False
        return True
