"""What the encoder says: channels, principal components as colour, histograms, scale against the fixed noise."""

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QWidget

from app.models.compare.candidates import Candidate
from app.models.compare.comparison import Comparison
from app.models.compare.findings import Latent, LatentKey
from app.models.compare.view import Overlay
from app.ui.widgets.chart import Axis, Chart, Mark, Series, Style
from app.ui.widgets.compare.bits_tab import latent_frame, model_candidate
from app.ui.widgets.compare.channel_sheet import ChannelSheet
from app.ui.widgets.compare.tab_frame import TabFrame
from app.ui.widgets.labels import label

NUM_BINS = 48
CHART_PX = 200


class LatentTab(TabFrame):
    """Of the chosen model and the present input."""

    run_requested = Signal()
    overlay_changed = Signal()

    def __init__(self, compare: Comparison, parent: QWidget | None = None) -> None:
        super().__init__("", "", parent)
        self._compare = compare
        self.latent: Latent | None = None
        self.explanation.setText(
            self.tr(
                "The latent is all that the decoder is told about the picture. A fixed noise is added to it; what is "
                "smaller than that noise is lost."
            )
        )
        self.button.setText(self.tr("Compare now"))
        self.facts = label("", "caption", is_wrapped=True)
        self.components_box = QCheckBox(self.tr("Components over the picture"), self)
        self.components_box.setToolTip(
            self.tr("The three directions in which the latent varies most, as red, green and blue")
        )
        self.sheet = ChannelSheet(self)
        self.histogram = Chart("", self)
        self.scale = Chart(self.tr("Scale against the fixed noise"), self)
        for part in (self.facts, self.components_box, self.sheet, self.histogram, self.scale):
            self.column.addWidget(part)
        for chart in (self.histogram, self.scale):
            chart.setMinimumHeight(CHART_PX)
            chart.set_wheel_shared(True)
        self.button.clicked.connect(self.run_requested)
        self.sheet.chosen.connect(self._on_channel_chosen)
        self.components_box.clicked.connect(self._on_components_clicked)
        self.follow(compare)

    # ---- what it shows --------------------------------------------------------------------------------------------

    def is_needed(self) -> bool:
        """What lies over the picture stays right while the panels are hidden."""
        return self._compare.view.view.overlay is Overlay.COMPONENTS

    def refresh(self) -> None:
        """Follow the comparison."""
        candidate = model_candidate(self._compare)
        latent = self._find(candidate) if candidate else None
        view = self._compare.view.view
        self.components_box.setChecked(view.overlay is Overlay.COMPONENTS)
        key = (id(latent), view.frame, self._compare.source)
        if key == self.property("on_show"):
            return
        self.setProperty("on_show", key)
        self.latent = latent
        note = "" if latent else self.tr("Nothing yet: press Compare, and the latent appears with the first picture.")
        self.show_state(note, has_body=latent is not None, has_button=latent is None and bool(self._compare.source))
        if latent is not None:
            self._draw(latent)
        self.overlay_changed.emit()

    def _find(self, candidate: Candidate) -> Latent | None:
        return self._compare.results.get(
            LatentKey(self._compare.source, candidate.name, self._compare.form.state.seed), Latent
        )

    @property
    def frame(self) -> int:
        """The latent's frame on show."""
        original = self._compare.original()
        num_frames = len(original.clip.frames) if original else 1
        count = self.latent.num_frames if self.latent else 1
        return latent_frame(self._compare.view.view.frame, num_frames, count)

    def _draw(self, latent: Latent) -> None:
        cells = latent.num_frames * latent.height * latent.width
        shares = ", ".join(f"{share:.0%}" for share in latent.principal_shares)
        self.facts.setText(
            self.tr("{channels} channels of {width} × {height} cells ({values} numbers). Components: {shares}.").format(
                channels=latent.num_channels,
                width=latent.width,
                height=latent.height,
                values=latent.num_channels * cells,
                shares=shares.replace("%", "\u202f%"),
            )
        )
        self.sheet.set_latent(latent, self.frame)
        self._draw_histogram(latent, self.sheet.channel)
        self._draw_scale(latent)

    def _draw_histogram(self, latent: Latent, channel: int) -> None:
        shape = (latent.num_channels, -1)
        clean, noisy = (np.frombuffer(data, "<f4").reshape(shape)[channel] for data in (latent.clean, latent.noisy))
        seen = noisy / np.float32(latent.alpha_0)
        limit = max(float(np.abs(np.concatenate((clean, seen))).max()), 1e-6)
        edges = np.linspace(-limit, limit, NUM_BINS + 1)
        middles = (edges[:-1] + edges[1:]) / 2
        width = edges[1] - edges[0]
        before, after = (np.histogram(values, edges)[0] / (len(values) * width) for values in (clean, seen))
        noise = latent.sigma_0 / latent.alpha_0
        self.histogram.set_title(self.tr("Channel {number}").format(number=channel + 1))
        self.histogram.set_axes(Axis(self.tr("value")), Axis(self.tr("density"), low=0.0))
        self.histogram.set_series(
            [
                Series(self.tr("what the encoder says"), middles.tolist(), before.tolist()),
                Series(self.tr("what the decoder sees"), middles.tolist(), after.tolist(), is_dashed=True),
            ]
        )
        self.histogram.set_marks([Mark(self.tr("± fixed noise"), x=-noise, x_end=noise)])

    def _draw_scale(self, latent: Latent) -> None:
        noise = latent.sigma_0 / latent.alpha_0
        numbers = [float(channel + 1) for channel in range(latent.num_channels)]
        self.scale.set_axes(Axis(self.tr("channel")), Axis(self.tr("standard deviation / noise"), low=0.0))
        self.scale.set_series(
            [Series(self.tr("this picture"), numbers, [std / noise for std in latent.channel_stds], style=Style.BARS)]
        )
        self.scale.set_marks(
            [
                Mark(self.tr("the noise itself"), y=1.0),
                Mark(self.tr("all training pictures"), y=latent.latent_std / noise),
            ]
        )

    # ---- what a person does ---------------------------------------------------------------------------------------

    def _on_channel_chosen(self, channel: int) -> None:
        if self.latent is not None:
            self._draw_histogram(self.latent, channel)

    def _on_components_clicked(self, is_on: bool) -> None:
        self._compare.view.update(overlay=Overlay.COMPONENTS if is_on else Overlay.NONE)
