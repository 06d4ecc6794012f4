"""A contact sheet of the very tensors that a model is trained on: held-out samples, training samples pass by pass."""

import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from trainer.config.data import DataConfig, FileData, PhotographsData, PicturesData, ScenesData, num_frames_of
from trainer.data.check.drawing import Cell, Row, Section, draw_sheet
from trainer.data.check.file_facts import quiet
from trainer.data.check.scan import Observe
from trainer.data.check.wording import counted, number
from trainer.data.opening import open_data
from trainer.data.samples import Sample, SampleSource
from ul_engine.data.pixels import array_from_clips, clip_from_array
from ul_engine.errors import DataError
from ul_engine.whole_files import write_file

SHEET_PX = 2000
"""Width that the pictures of a row take at most, unless three are wider."""
SHOWN_PX = 128
"""Smaller pictures are enlarged by a whole factor to about this size."""
MAX_COLUMNS, LEAST_COLUMNS = 10, 3
NUM_PASSES = 3
NUM_CLIPS = 3
NUM_PLAIN_ROWS = 3
DRAWING = "drawing the contact sheet"

_UNCHANGED = "not augmented"
_TOLD = ("", _UNCHANGED)
"""Names of the rows below whose pictures words stand."""


@dataclass(frozen=True)
class _Seen:
    """A sample as the model sees it: float32 `[1, 3, T, H, W]`, and what stands below it."""

    tensor: torch.Tensor
    title: str
    words: str


def contact_sheet(data: DataConfig, *, seed: int = 0, observe: Observe) -> Image.Image:
    """Samples of the source that a run with the seed `seed` would open, through the tensors it would make of them.

    Each is turned into float32 in [-1, 1] as for training and back. Small pictures are enlarged by a whole factor with
    hard edges. Raises DataError where the source cannot be opened, or none of the samples tried can be read.
    """
    train, valid = open_data(data, seed=seed, progress=lambda done, total: observe("opening", done, total))
    observe(DRAWING, 0, 1)
    draw = _clip_sections if num_frames_of(data) > 1 else _picture_sections
    sections, side_px = draw(data, train, valid)
    return draw_sheet(_title(data), _facts(data, train, valid), sections, enlarge=_enlarged(side_px))


def write_sheet(data: DataConfig, path: str | os.PathLike[str], *, seed: int, observe: Observe) -> None:
    """Write `contact_sheet` as PNG to the file `path`. Raises DataError, OutputError."""
    stream = io.BytesIO()
    contact_sheet(data, seed=seed, observe=observe).save(stream, "PNG")
    write_file(path, stream.getvalue())


def _picture_sections(data: DataConfig, train: SampleSource, valid: SampleSource) -> tuple[list[Section], int]:
    held_out = list(_seen(valid, _spread(len(valid)), None, MAX_COLUMNS))
    side_px = max(seen.tensor.shape[-1] for seen in held_out)
    columns = max(LEAST_COLUMNS, min(MAX_COLUMNS, SHEET_PX // (side_px * _enlarged(side_px) + 10)))
    held_out = held_out[:columns]
    rows = _augmented_rows(train, columns) if _is_augmented(data) else _plain_rows(train, columns)
    names = ": the same ones in three passes" if _is_augmented(data) else ", the same in every pass"
    seen = [one for _, row in rows for one in row]
    return [
        Section("Held-out samples, never augmented", _tensor_facts(held_out), (_picture_row("", held_out),)),
        Section(
            f"Training samples{names}",
            _tensor_facts(seen),
            tuple(_picture_row(name, row, is_told=name in _TOLD) for name, row in rows),
        ),
    ], side_px


def _augmented_rows(train: SampleSource, columns: int) -> list[tuple[str, list[_Seen]]]:
    """The same samples without augmentation and in the first passes."""
    indices = [index for index, _ in _readable(train, _spread(len(train)), None, columns)]
    passes: list[int | None] = [None, *range(NUM_PASSES)]
    return [
        (_UNCHANGED if epoch is None else f"pass {epoch + 1}", list(_seen(train, indices, epoch, columns)))
        for epoch in passes
    ]


def _plain_rows(train: SampleSource, columns: int) -> list[tuple[str, list[_Seen]]]:
    seen = list(_seen(train, _spread(len(train)), 0, columns * NUM_PLAIN_ROWS))
    return [("", seen[start : start + columns]) for start in range(0, len(seen), columns)]


def _clip_sections(data: DataConfig, train: SampleSource, valid: SampleSource) -> tuple[list[Section], int]:
    held_out = list(_seen(valid, _spread(len(valid)), None, 1))
    clips = list(_seen(train, _spread(len(train)), 0, NUM_CLIPS))
    side_px = held_out[0].tensor.shape[-1]
    columns = max(LEAST_COLUMNS, min(16, SHEET_PX // (side_px * _enlarged(side_px) + 10)))
    return [
        Section("A held-out clip, from its middle", _tensor_facts(held_out), _clip_rows(held_out, columns)),
        Section("Training clips, pass 1", _tensor_facts(clips), _clip_rows(clips, columns)),
    ], side_px


def _spread(count: int) -> list[int]:
    """All indices in an order of which every beginning is spread evenly: steps of the golden ratio, then the rest."""
    steps = np.floor((np.arange(4 * count) * 0.6180339887498949 % 1.0) * count).astype(int).tolist()
    return list(dict.fromkeys([*steps, *range(count)]))


def _readable(
    source: SampleSource, indices: Sequence[int], epoch: int | None, count: int
) -> Iterator[tuple[int, Sample]]:
    """The first `count` samples that can be read; raises the last DataError if there are none."""
    found = 0
    failure: DataError | None = None
    for index in indices:
        try:
            with quiet():
                sample = source.sample(index, epoch)
        except DataError as error:  # the report names such files
            failure = error
            continue
        yield index, sample
        found += 1
        if found == count:
            return
    if failure is not None and not found:
        raise failure


def _seen(source: SampleSource, indices: Sequence[int], epoch: int | None, count: int) -> Iterator[_Seen]:
    for _, sample in _readable(source, indices, epoch, count):
        title = source.class_names[sample.label] if source.class_names else ""
        yield _Seen(clip_from_array(sample.frames), title, sample.caption)


def _picture_row(name: str, row: Sequence[_Seen], *, is_told: bool = True) -> Row:
    """`is_told` False: the row above says the same."""
    pictures = [array_from_clips(seen.tensor)[0, 0] for seen in row]
    words = [(seen.title, seen.words) if is_told else ("", "") for seen in row]
    return Row(name, tuple(Cell(picture, *said) for picture, said in zip(pictures, words, strict=True)))


def _clip_rows(clips: Sequence[_Seen], columns: int) -> tuple[Row, ...]:
    return tuple(_clip_row(clip, columns) for clip in clips)


def _clip_row(clip: _Seen, columns: int) -> Row:
    """Frames of one clip, evenly chosen where there are too many."""
    frames = array_from_clips(clip.tensor)[0]
    shown = np.unique(np.linspace(0, len(frames) - 1, min(columns, len(frames))).round().astype(int)).tolist()
    said = " · ".join(part for part in (clip.title, clip.words) if part)
    return Row(said, tuple(Cell(frames[number], words=f"frame {number + 1}") for number in shown))


def _enlarged(side_px: int) -> int:
    return max(1, SHOWN_PX // side_px)


def _tensor_facts(seen: Sequence[_Seen]) -> str:
    """``float32 [8, 3, 1, 64, 64] · -1.00 to 1.00 · mean -0.03 · standard deviation 0.52``."""
    shapes = sorted({tuple(one.tensor.shape[1:]) for one in seen})
    values = torch.cat([one.tensor.flatten() for one in seen])
    listed = " ".join(str([len(seen) if len(shapes) == 1 else 1, *shape]) for shape in shapes[:4])
    more = f" and {len(shapes) - 4} more shapes" if len(shapes) > 4 else ""
    kind = str(values.dtype).removeprefix("torch.")
    return (
        f"{kind} [B, C, T, H, W] = {listed}{more}  ·  {values.min():.2f} to {values.max():.2f}  ·  "
        f"mean {values.mean():.2f}  ·  standard deviation {values.std():.2f}"
    )


def _title(data: DataConfig) -> str:
    name = "Scenes" if isinstance(data, ScenesData) else Path(data.path).name or data.path
    return f"{name}: what the model sees"


def _facts(data: DataConfig, train: SampleSource, valid: SampleSource) -> tuple[str, ...]:
    settings = data.model_dump(mode="json", exclude={"path", "kind", "cache", "num_valid"}, exclude_none=True)
    changed = data.model_dump(exclude_defaults=True)
    told = {name: value for name, value in settings.items() if name in ("size_px", "fit") or name in changed}
    samples = f"{counted(len(train), 'sample')} to learn from, {number(len(valid))} held out"
    return (samples, "  ·  ".join(f"{name} {str(value).lower()}" for name, value in told.items()))


def _is_augmented(data: DataConfig) -> bool:
    if isinstance(data, PhotographsData):
        return True
    if not isinstance(data, FileData):
        return False
    return data.flip or data.crop_scale < 1.0 or (data.crop_position == "random" and not _is_padded(data))


def _is_padded(data: FileData) -> bool:
    return isinstance(data, PicturesData) and data.fit == "pad"
