"""How a picture was made, beside it."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFormLayout, QFrame, QLabel, QVBoxLayout, QWidget

from app.models.requested import sampling_of
from app.models.results import Tile
from app.models.samplers import SAMPLER_TITLES
from app.ui.theme.tokens import SPACING
from app.ui.widgets.labels import label
from ul_engine.metadata import folder_name
from ul_engine.requests import SamplerSettings, SamplingSettings

WIDTH_PX = 264


class PictureFacts(QFrame):
    """A narrow column; every text can be selected and copied."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "footer")
        self.setFixedWidth(WIDTH_PX)
        self._prompt = _selectable(label("", "emphasis", is_wrapped=True))
        self._form = QFormLayout()
        self._form.setHorizontalSpacing(SPACING.m)
        self._form.setVerticalSpacing(6)
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        self._file = _selectable(label("", "caption", is_wrapped=True))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.l, SPACING.l, SPACING.l, SPACING.l)
        layout.setSpacing(SPACING.m)
        layout.addWidget(self._prompt)
        layout.addLayout(self._form)
        layout.addStretch(1)
        layout.addWidget(self._file)

    def set_tile(self, tile: Tile) -> None:
        """Tell about a picture."""
        self._prompt.setText(tile.title)
        while self._form.rowCount():
            self._form.removeRow(0)
        self._row(self.tr("Seed"), str(tile.seed))
        self._row(self.tr("Size"), f"{tile.size_px[0]} × {tile.size_px[1]} px")
        self._row(self.tr("Model"), tile.model_name)
        self._add_beginning(tile)
        sampling = sampling_of(tile.single or tile.request)
        if sampling is not None:
            self._add_sampling(sampling)
        self._file.setText(_short(tile.path) if tile.path else tile.problem or self.tr("being saved…"))
        self._file.setToolTip(tile.path)

    def _add_beginning(self, tile: Tile) -> None:
        """Whatever the result began with beside its seed."""
        single = tile.single
        if tile.clip is not None and tile.clip.fps is not None:
            words = self.tr("{count} at {fps} fps").format(count=len(tile.clip.frames), fps=f"{tile.clip.fps:g}")
            self._row(self.tr("Frames"), words)
        if single is None:
            return
        if single.variation_seed is not None:
            words = self.tr("{strength} towards {seed}").format(
                strength=f"{single.variation_strength:g}", seed=single.variation_seed
            )
            self._row(self.tr("Variation"), words)
        if single.init_image is not None:
            self._row(self.tr("Started from"), folder_name(single.init_image))
            self._row(self.tr("Changed"), f"{single.strength:g}" + (self.tr(" in part") if single.mask_image else ""))
        if single.continue_from is not None:
            self._row(self.tr("Continues"), folder_name(single.continue_from))

    def _add_sampling(self, sampling: SamplingSettings) -> None:
        guidance = sampling.guidance
        span = f"{guidance.logsnr_low:g} … {guidance.logsnr_high:g}".replace("-", "−")
        self._row(self.tr("Base"), self._steps(sampling.base))
        self._row(self.tr("Decoder"), self._steps(sampling.decoder))
        self._row(self.tr("Guidance"), f"{guidance.weight:g}  ({span})")

    def _steps(self, settings: SamplerSettings) -> str:
        name = SAMPLER_TITLES[settings.name]
        return self.tr("{count} × {sampler}").format(count=settings.num_steps, sampler=name)

    def _row(self, name: str, value: str) -> None:
        self._form.addRow(label(name, "caption"), _selectable(label(value)))


def _selectable(text: QLabel) -> QLabel:
    text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return text


def _short(path: str) -> str:
    """The file and the folder of its day."""
    return "/".join(Path(path).parts[-2:])
