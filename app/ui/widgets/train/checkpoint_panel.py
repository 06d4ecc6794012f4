"""The checkpoints of a run and its finished model: what they measure, and the ways from them into the library."""

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QInputDialog, QScrollArea, QVBoxLayout, QWidget

from app.models.progress import grouped
from app.models.runs.run_view import CheckpointRow, RunView
from app.models.runs.wishes import RunVerb, RunWish
from app.models.runs.words import ago, bytes_text
from app.ui.theme.fonts import font
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import IconButton, TextButton
from app.ui.widgets.labels import label

MOST_FIGURES = 4


class CheckpointPanel(QScrollArea):
    """One card for the finished model, one for each checkpoint, newest first."""

    wished = Signal(object)  # RunWish
    publish_requested = Signal(object)  # str: a model folder

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: RunView | None = None
        self._shown: tuple[Any, ...] = ()
        self._rows: list[ModelRow] = []
        self._pending: tuple[RunVerb, int | None] = (RunVerb.PROMOTE, None)
        self._empty = label("", "muted", is_wrapped=True)
        body = QWidget()
        body.setProperty("role", "plain")
        self._layout = QVBoxLayout(body)
        self._layout.setContentsMargins(0, 0, SPACING.xs, 0)
        self._layout.setSpacing(SPACING.s)
        self._layout.addWidget(self._empty)
        self._layout.addStretch(1)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(body)

    @property
    def rows(self) -> list["ModelRow"]:
        """What is on show."""
        return self._rows

    def set_run(self, view: RunView | None) -> None:
        """Another run."""
        if self._view is not None and self._view is not view:
            self._view.checkpoints_changed.disconnect(self.refresh)
        if view is not None and view is not self._view:
            view.checkpoints_changed.connect(self.refresh)
        self._view = view
        self.refresh()

    def refresh(self) -> None:
        """The present moment."""
        if self._view is None:
            return
        rows = self._view.checkpoints()
        shown = (self._view.path, self._view.has_model, tuple(rows))
        if shown == self._shown:
            return
        self._shown = shown
        focused = next((row.row for row in self._rows if row.pin is not None and row.pin.hasFocus()), None)
        for old in self._rows:
            old.hide()
            old.deleteLater()
        self._rows = [ModelRow(None, self)] if self._view.has_model else []
        self._rows += [ModelRow(row, self) for row in rows]
        for place, row in enumerate(self._rows):
            row.chosen.connect(self._on_chosen)
            self._layout.insertWidget(1 + place, row)
            row.show()  # at once, for the focus
            if focused and row.row and row.pin and row.row.facts.step == focused.facts.step:
                row.pin.setFocus()
        self._empty.setVisible(not self._rows)
        self._empty.setText(
            self.tr(
                "Nothing is saved yet. States that the run can go on from appear here while it trains, and its model "
                "when it has reached its end. The button with the disk above saves one at once."
            )
        )

    # ---- what a person does ---------------------------------------------------------------------------------------

    def _on_chosen(self, choice: Any) -> None:
        if self._view is None:
            return
        verb, step = choice
        if verb in (RunVerb.PIN.value, RunVerb.UNPIN.value):
            self.wished.emit(RunWish(RunVerb(verb), self._view.path, step=step))
            return
        if verb == "publish":
            self.publish_requested.emit(f"{self._view.path}/model")
            return
        self._pending = (RunVerb(verb), step)
        if self._pending[0] is RunVerb.PROMOTE:
            self._ask_name(step)
        else:
            self._ask_place(step)

    def _suggested(self, step: int | None) -> str:
        assert self._view is not None
        name = self._view.name.replace("/", "-")
        return name if step is None else f"{name}-step-{step}"

    def _ask_name(self, step: int | None) -> None:
        dialog = QInputDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(self.tr("Into the model library"))
        dialog.setLabelText(self.tr("Name of the model’s folder"))
        dialog.setTextValue(self._suggested(step))
        dialog.textValueSelected.connect(self._on_target_chosen)
        dialog.open()

    def _ask_place(self, step: int | None) -> None:
        dialog = QFileDialog(self, self.tr("Export the model into a new folder"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(self._suggested(step))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._on_target_chosen)
        dialog.open()

    def _on_target_chosen(self, target: str) -> None:
        verb, step = self._pending
        name = target.strip()
        if verb is RunVerb.PROMOTE:
            name = name.replace("/", "-").replace("\\", "-").lstrip(".")
        if self._view is not None and name:
            self.wished.emit(RunWish(verb, self._view.path, step=step, target=name))


class ModelRow(QFrame):
    """A checkpoint, or the run's finished model (None)."""

    chosen = Signal(object)  # tuple[str, int | None]: verb, step

    def __init__(self, row: CheckpointRow | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.row = row
        self.pin: IconButton | None = None
        self.setProperty("role", "card")
        words = QVBoxLayout()
        words.setSpacing(2)
        title = label(self._title(), "emphasis")
        title.setFont(font(has_even_digits=True))
        words.addWidget(title)
        facts = label(self._facts(), "muted", is_wrapped=True)
        facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words.addWidget(facts)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(SPACING.l, SPACING.s, SPACING.m, SPACING.s)
        layout.setSpacing(SPACING.s)
        layout.addLayout(words, 1)
        if row is not None:
            self.pin = self._pin_button(is_pinned=row.facts.is_pinned)
            layout.addWidget(self.pin, 0, Qt.AlignmentFlag.AlignVCenter)
        self._add(layout, self.tr("Into the library"), "promote", "primary" if row is None else "")
        self._add(layout, self.tr("Export…"), "export", "")
        if row is None:
            self._add(layout, self.tr("Publish…"), "publish", "")

    def _pin_button(self, *, is_pinned: bool) -> IconButton:
        keep, free = self.tr("Keep this checkpoint for good"), self.tr("Let this checkpoint go with the others")
        button = IconButton("pin", f"{free if is_pinned else keep}: {self._title()}", "small", self)
        button.setCheckable(True)
        button.setChecked(is_pinned)
        button.setProperty("verb", (RunVerb.UNPIN if is_pinned else RunVerb.PIN).value)
        button.clicked.connect(self._on_pin_clicked)
        return button

    def _on_pin_clicked(self) -> None:
        """It shows what is on the disk: the row comes anew when that has changed."""
        assert self.pin is not None
        assert self.row is not None
        self.pin.setChecked(self.row.facts.is_pinned)
        self.chosen.emit((str(self.pin.property("verb")), self.row.facts.step))

    def _add(self, layout: QHBoxLayout, text: str, verb: str, variant: str) -> None:
        button = TextButton(text, variant, parent=self)
        button.setProperty("verb", verb)
        button.setAccessibleName(f"{text}: {self._title()}")
        button.clicked.connect(self._on_clicked)
        layout.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)

    def _on_clicked(self) -> None:
        button = self.sender()
        if button is not None:
            self.chosen.emit((str(button.property("verb")), self.row.facts.step if self.row is not None else None))

    def _title(self) -> str:
        if self.row is None:
            return self.tr("Finished model")
        signs = [self.tr("best so far")] if self.row.is_best else []
        signs += [self.tr("milestone")] if self.row.is_milestone else []
        signs += [self.tr("kept")] if self.row.facts.is_pinned else []
        step = self.tr("Step {step}").format(step=grouped(self.row.facts.step))
        return " · ".join((step, *signs))

    def _figures(self) -> tuple[tuple[str, str], ...]:
        """What is told of the measured figures, the most telling first."""
        return (
            ("psnr_db", self.tr("PSNR {value:.1f} dB")),
            ("bits_per_pixel", self.tr("{value:.3g} bits/pixel")),
            ("shuffle_gap_db", self.tr("the latent carries {value:.1f} dB")),
            ("loss_bits_per_pixel", self.tr("loss {value:.3g}")),
            ("base_bits_per_pixel_conditional", self.tr("{value:.3g} bits/pixel with condition")),
            ("base_bits_per_pixel", self.tr("{value:.3g} bits/pixel")),
        )

    def _facts(self) -> str:
        if self.row is None:
            return self.tr("Averaged weights of the last step, ready for every page")
        facts, known = self.row.facts, dict(self.row.figures)
        measured = [text.format(value=known[name]) for name, text in self._figures() if name in known]
        parts = [
            *measured[:MOST_FIGURES],
            bytes_text(facts.num_bytes),
            self.tr("saved {ago}").format(ago=ago(facts.saved_s)),
        ]
        if not (self.row.is_newest or self.row.is_best or self.row.is_milestone or facts.is_pinned):
            parts.append(self.tr("goes with the next one"))
        return " · ".join(parts)
