"""A checkpoint of a run, or its finished model: what it measures, and the ways from it into the library."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.models.progress import grouped
from app.models.runs.run_view import CheckpointRow
from app.models.runs.wishes import RunVerb
from app.models.runs.words import ago
from app.ui.theme.fonts import font
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import IconButton, TextButton
from app.ui.widgets.labels import label
from ul_engine.hub.wording import size_text

MOST_FIGURES = 4


class CheckpointCard(QFrame):
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
            size_text(facts.num_bytes),
            self.tr("saved {ago}").format(ago=ago(facts.saved_s)),
        ]
        if not (self.row.is_newest or self.row.is_best or self.row.is_milestone or facts.is_pinned):
            parts.append(self.tr("goes with the next one"))
        return " · ".join(parts)
