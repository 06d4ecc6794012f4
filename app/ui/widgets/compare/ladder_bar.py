"""Both noise ladders with their scrubber, what the level on show means, and what is still to be made."""

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.models.compare.candidates import Candidate, CandidateKind, ShownState
from app.models.compare.comparison import Comparison
from app.models.compare.ladder_curve import RungMark, marks_of
from app.models.compare.levels import Ladder, track_of
from app.ui.theme.fonts import font
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import Chip, TextButton
from app.ui.widgets.compare.ladder_track import LadderTrack
from app.ui.widgets.elided_label import ElidedLabel


class LadderBar(QFrame):
    """Choosing a rung goes to the model at once; the rest follows from it."""

    run_requested = Signal()

    def __init__(self, compare: Comparison, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._compare = compare
        self.setProperty("role", "footer")
        self.latent_chip = Chip(self.tr("Noise ladder"), Ladder.LATENT, "tab", self)
        self.decoder_chip = Chip(self.tr("Decoder's ladder"), Ladder.DECODER, "tab", self)
        self.track = LadderTrack(self)
        self._words = ElidedLabel("", "caption", self)
        self._words.setFont(font(12, has_even_digits=True))
        self._make = TextButton("", "link", parent=self)
        self._build()
        self._make.clicked.connect(self.run_requested)
        self.track.rung_chosen.connect(compare.view.set_rung)
        compare.view.view_changed.connect(self.refresh)
        compare.shown_changed.connect(self.refresh)
        self.refresh()

    def _build(self) -> None:
        self.latent_chip.setToolTip(
            self.tr("The latent gets noise and is brought back: what survives at each level of noise.")
        )
        self.decoder_chip.setToolTip(
            self.tr("The decoder begins with the picture itself, with noise: what it keeps and what it makes anew.")
        )
        head = QHBoxLayout()
        head.setSpacing(SPACING.xs)
        for chip in (self.latent_chip, self.decoder_chip):
            chip.setCheckable(True)
            chip.clicked.connect(self._on_chip_clicked)
            head.addWidget(chip)
        head.addSpacing(SPACING.s)
        head.addWidget(self._words, 1)
        head.addWidget(self._make)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.m, SPACING.s, SPACING.m, SPACING.xs)
        layout.setSpacing(SPACING.s)
        layout.addLayout(head)
        layout.addWidget(self.track)

    def _on_chip_clicked(self) -> None:
        chip = self.sender()
        if isinstance(chip, Chip):
            self._compare.view.update(ladder=Ladder(chip.value))
            self.refresh()

    # ---- what it shows --------------------------------------------------------------------------------------------

    def refresh(self, _payload: Any = None) -> None:
        """Follow the comparison."""
        ladder = self._compare.view.view.ladder
        self.latent_chip.setChecked(ladder is Ladder.LATENT)
        self.decoder_chip.setChecked(ladder is Ladder.DECODER)
        candidate = self._candidate()
        config = self._compare.form.config
        track = track_of(config, ladder) if config else None
        marks = marks_of(self._compare, candidate, ladder) if candidate else ()
        self.track.set_ladder(ladder, track, marks, self._compare.rung)
        current = next((mark for mark in marks if mark.rung == self._compare.rung), None)
        self._words.set_text(self._level_words(current) if current else "")
        num_missing = sum(mark.state == ShownState.MISSING for mark in marks)
        self._make.setVisible(bool(num_missing and self._compare.source))
        more = self.tr("Make {count} levels").format(count=num_missing)
        self._make.setText(self.tr("Make 1 level") if num_missing == 1 else more)

    @property
    def words(self) -> str:
        """What is said of the level on show."""
        return self._words.text()

    def _candidate(self) -> Candidate | None:
        """The model whose rungs are shown: the one chosen, else the first."""
        models = [each for each in self._compare.candidates if each.kind is CandidateKind.MODEL]
        return next((each for each in models if each == self._compare.candidate), models[0] if models else None)

    def _level_words(self, mark: RungMark) -> str:
        """The level on show with its numbers, and what it means in a few plain words."""
        level, meaning = self._plain(mark)
        parts = [level]
        if mark.bits_per_pixel is not None:
            parts.append(self.tr("≤ {value} bits/px").format(value=f"{mark.bits_per_pixel:.4f}"))
        if mark.psnr_db is not None:
            parts.append(self.tr("{value} dB").format(value=f"{mark.psnr_db:.2f}"))
        return " · ".join(part for part in (*parts, meaning) if part)

    def _plain(self, mark: RungMark) -> tuple[str, str]:
        """Its name, and what it means."""
        level = mark.rung.level
        name = self.tr("log-SNR {level}").format(level=f"{level:g}") if level is not None else ""
        if self._compare.view.view.ladder is Ladder.DECODER:
            if level is None:
                return self.tr("from pure noise"), self.tr("as usual")
            return self.tr("begins at log-SNR {level}").format(level=f"{level:g}"), ""
        if level is None:
            return self.tr("as trained"), ""
        if not mark.is_trained:
            return name, self.tr("less noise than trained")
        if level > 1:
            return name, self.tr("some noise")
        return name, self.tr("about as much noise as picture") if level > -2 else self.tr("almost only noise")
