"""The work of an evaluation, batch by batch; every finished batch is in the journal before the next one begins."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from ul_engine.data.fitting import cover
from ul_engine.data.pixels import Uint8Array, array_from_clips
from ul_engine.errors import DataError
from ul_engine.evaluation.codec_points import codec_rows
from ul_engine.evaluation.distances import FeatureSets
from ul_engine.evaluation.files import FileReader
from ul_engine.evaluation.generation import Generator
from ul_engine.evaluation.inventory import Inventory, Observe, Sample, frames_of
from ul_engine.evaluation.journal import Journal, Kind, Row
from ul_engine.evaluation.plan import Plan, batch_size_of, in_batches
from ul_engine.evaluation.reconstruction import (
    Reconstructed,
    Reconstructor,
    bit_rows,
    clips_from_arrays,
    distortion_rows,
)
from ul_engine.evaluation.settings import EvaluationSettings
from ul_engine.evaluation.thumbnails import Thumbnails
from ul_engine.evaluation.tools import Tools
from ul_engine.model_folder import Manifest
from ul_engine.pipelines import Pipeline


@dataclass(frozen=True)
class Steps:
    """What all batches share. `features` None: no distance is asked for. `thumbnails` None: no pictures are kept."""

    pipeline: Pipeline
    manifest: Manifest
    settings: EvaluationSettings
    plan: Plan
    tools: Tools
    inventory: Inventory
    journal: Journal
    features: FeatureSets | None = None
    thumbnails: Thumbnails | None = None

    # ---- samples of the data ------------------------------------------------------------------------------------

    def measure_samples(self, reader: FileReader, observe: Observe) -> None:
        """Reconstruct and measure every sample that the journal does not have."""
        reconstructor = Reconstructor(self.pipeline, self.settings, self.plan)
        done, total = self.journal.rows["sample"], len(self.inventory.samples)
        for batch in in_batches(self.inventory.samples, self.settings, self.pipeline.config):
            if all(sample.index in done for sample in batch):
                continue
            observe("measuring samples", len(done), total)
            rows, samples, frames = self._read(batch, reader)
            if samples:
                seeds = [self.settings.seed + sample.index for sample in samples]
                made = reconstructor.run(frames, seeds)
                found = self._rows(samples, made)
                rows |= {sample.index: row for sample, row in zip(samples, found, strict=True)}
                self._keep_features([sample.index for sample in samples], made)
                if self.thumbnails is not None and made.decodes:
                    self.thumbnails.offer(done.values(), found, made.originals, list(made.decodes[0]))
            self._append("sample", rows)
        observe("measuring samples", len(done), total)

    def _read(
        self, batch: Sequence[Sample], reader: FileReader
    ) -> tuple[dict[int, Row], list[Sample], list[Uint8Array]]:
        """Frames of a batch; with `skip_broken`, rows of those that cannot be read after all."""
        broken: dict[int, Row] = {}
        samples, frames = [], []
        for sample in batch:
            try:
                frames.append(frames_of(sample, self.settings, reader))
                samples.append(sample)
            except DataError as error:
                if not self.settings.skip_broken:
                    raise
                broken[sample.index] = self._place(sample) | {"broken": str(error)}
        return broken, samples, frames

    def _place(self, sample: Sample) -> Row:
        return {
            "index": sample.index,
            "file": sample.file.name,
            "start": sample.start,
            "width": sample.width,
            "height": sample.height,
            "frames": sample.num_frames,
            "seed": self.settings.seed + sample.index,
        }

    def _rows(self, samples: Sequence[Sample], made: Reconstructed) -> list[Row]:
        rows = [self._place(sample) for sample in samples]
        columns = [bit_rows(made), distortion_rows(made, self.plan, self.tools.lpips, self.tools.device)]
        if self.plan.has("codecs"):
            restorer = self.pipeline.native_restorer
            restorer = restorer if restorer in self.plan.restorers else self.plan.restorers[0]
            columns.append(codec_rows(made, restorer, self.tools.codecs, self.tools.lpips, self.tools.device))
        for found in columns:
            rows = [row | more for row, more in zip(rows, found, strict=True)]
        return rows

    def _keep_features(self, indices: Sequence[int], made: Reconstructed) -> None:
        if self.features is not None:
            self.features.put("original", indices, made.originals)
            if made.decodes:
                self.features.put("reconstructed", indices, list(made.decodes[0]))

    def _append(self, kind: Kind, rows: dict[int, Row]) -> None:
        """What is new of a batch: a part of it may stand in the journal already."""
        known = self.journal.rows[kind]
        self.journal.append(kind, {index: row for index, row in sorted(rows.items()) if index not in known})

    # ---- samples of the model -----------------------------------------------------------------------------------

    @property
    def num_generated(self) -> int:
        """Samples to generate; 0 if no distance needs them."""
        needed = any(distance.side == "generated" for distance in self.plan.distances.values())
        return (self.settings.num_generated or len(self.inventory.samples)) if needed else 0

    def measure_generated(self, reader: FileReader, observe: Observe) -> None:
        """Generate every sample that the journal does not have, and keep its features."""
        generator = Generator(self.pipeline, self.manifest, self.settings)
        done, total, config = self.journal.rows["generated"], self.num_generated, self.pipeline.config
        count = batch_size_of(generator.size[0] * generator.size[1] * config.num_frames, self.settings, config)
        for first in range(0, total, count):
            indices = range(first, min(first + count, total))
            if all(index in done for index in indices):
                continue
            observe("generating", len(done), total)
            made = array_from_clips(generator.run(indices, self._before(indices, reader, generator.size)))
            assert self.features is not None
            self.features.put("generated", indices, list(made))
            self._append("generated", {index: {"seed": self.settings.seed + index} for index in indices})
        if total:
            observe("generating", len(done), total)

    def _before(self, indices: Sequence[int], reader: FileReader, size: tuple[int, int]) -> Tensor | None:
        """The first frames of the data's clips in turn, for clips that go on from them."""
        if not self.settings.continues:
            return None
        rows = self.journal.rows["sample"]
        samples = [sample for sample in self.inventory.samples if "broken" not in rows[sample.index]]
        chosen = [frames_of(samples[index % len(samples)], self.settings, reader) for index in indices]
        count = self.pipeline.config.context_frames
        return clips_from_arrays([cover(frames[:count], size) for frames in chosen])
