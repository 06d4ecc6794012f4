"""Looks at held-out samples while a run trains: figures and previews, with the averaged weights."""

import io

from PIL import Image

from trainer.checkpoints import Checkpoints
from trainer.config import RunConfig
from trainer.reporting import Reporter
from trainer.run_dir import RunDir, write_bytes
from trainer.trainable import Averages, Trainable
from trainer.validation import sheet
from ul_engine.data.pixels import Uint8Array


class Looker:
    """Measures and draws on rank 0. `figures` are those of the last validation, empty before the first."""

    def __init__(
        self, trainable: Trainable, config: RunConfig, run: RunDir, reporter: Reporter, checkpoints: Checkpoints
    ) -> None:
        self._trainable, self._config, self._run = trainable, config, run
        self._reporter, self._checkpoints = reporter, checkpoints
        self.figures: dict[str, float] = {}

    def validate(self, step: int, averages: Averages) -> bool:
        """Measure and write; whether this is the best state so far."""
        self.figures = self._trainable.validate(averages)
        seen = step * self._config.batch_size
        self._reporter.event("validation", step, images_seen=seen, **self.figures)
        self._reporter.numbers("validation", step, self.figures)
        self._reporter.line(f"validation {step}: {figures_text(self.figures)}")
        return self._checkpoints.note_score(step, self._trainable.score(self.figures))

    def preview(self, step: int, averages: Averages) -> None:
        """Draw and write a sheet of pictures."""
        preview = self._trainable.preview(averages)
        picture = sheet(preview.rows)
        path = self._run.previews / f"{preview.kind}-{step:07d}.png"
        write_bytes(path, encoded_png(picture))
        height, width = preview.rows[0].shape[1:3]
        self._reporter.event(
            "preview",
            step,
            kind=preview.kind,
            file=path.name,
            row_names=list(preview.row_names),
            columns=max(len(row) for row in preview.rows),
            cell_width_px=width,
            cell_height_px=height,
        )
        self._reporter.picture(preview.kind, step, picture)


def encoded_png(picture: Uint8Array) -> bytes:
    """PNG of uint8 `[H, W, 3]`."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="png")
    return buffer.getvalue()


def figures_text(figures: dict[str, float]) -> str:
    """Names and values on one line."""
    return "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
