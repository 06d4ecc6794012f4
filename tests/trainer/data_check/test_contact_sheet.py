"""The contact sheet shows the source's own pixels, in every pass, and says what they are as tensors."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.helpers.clips import encode, marked
from tests.helpers.picture_sets import encoded, picture, two_classes, write_folder
from trainer.config import ClipsData, DataConfig, PicturesData
from trainer.data.check.drawing import GAP_PX, GROUND, MARGIN_PX, Cell, Row, Section, draw_sheet
from trainer.data.check.sheet import NUM_PASSES, contact_sheet, write_sheet
from trainer.data.opening import open_data
from ul_engine.errors import DataError, OutputError

Uint8Array = npt.NDArray[np.uint8]
PIXELS = 40


def silent(_doing: str, _done: int, _total: int) -> None:
    """Nobody watches."""


def drawn(data: DataConfig, seed: int = 0) -> Uint8Array:
    return np.asarray(contact_sheet(data, seed=seed, observe=silent))


def stands_in(small: Uint8Array, sheet: Uint8Array, enlarge: int) -> bool:
    """Whether the picture, enlarged with hard edges, is somewhere on the sheet to the last pixel."""
    large = small.repeat(enlarge, axis=0).repeat(enlarge, axis=1)
    height, width = large.shape[:2]
    corners = np.argwhere((sheet[: 1 - height, : 1 - width] == large[0, 0]).all(axis=-1))
    return any((sheet[top : top + height, left : left + width] == large).all() for top, left in corners.tolist())


@pytest.mark.parametrize("fit", ["crop", "pad", "buckets"])
def test_held_out_and_training_samples_are_shown_as_they_are(fit: str, tmp_path: Path) -> None:
    write_folder(tmp_path, two_classes(16))
    data = PicturesData(path=str(tmp_path), size_px=PIXELS, fit=fit, bucket_step_px=8)
    sheet = drawn(data)
    train, valid = open_data(data, seed=0)
    enlarge = 128 // max(side for i in range(len(valid)) for side in valid.sample(i, None).frames.shape[1:3])
    for source, epoch in ((valid, None), (train, 0)):
        for index in range(len(source)):
            assert stands_in(source.sample(index, epoch).frames[0], sheet, enlarge)


def test_augmented_samples_are_those_of_the_first_passes(tmp_path: Path) -> None:
    write_folder(tmp_path, two_classes(8))
    settings = {"flip": True, "crop_scale": 0.3, "crop_position": "random"}
    data = PicturesData(path=str(tmp_path), size_px=PIXELS, **settings)
    sheet, other = drawn(data, seed=5), drawn(data, seed=6)
    train, _ = open_data(data, seed=5)
    for index in range(len(train)):
        for epoch in (None, *range(NUM_PASSES)):
            assert stands_in(train.sample(index, epoch).frames[0], sheet, 3)
    assert not stands_in(train.sample(0, 0).frames[0], other, 3)


def test_files_that_cannot_be_read_are_passed_over(tmp_path: Path) -> None:
    write_folder(tmp_path, two_classes(12) | {"cat/none.png": b"", "dog/none.png": b""})
    data = PicturesData(path=str(tmp_path), size_px=PIXELS)
    assert stands_in(_readable(data), drawn(data), 3)
    only_broken = {f"{number}.png": b"no picture" for number in range(6)}
    with pytest.raises(DataError, match="no picture"):
        drawn(PicturesData(path=str(write_folder(tmp_path / "broken", only_broken)), size_px=PIXELS))


def _readable(data: PicturesData) -> Uint8Array:
    train, _ = open_data(data, seed=0)
    for index in range(len(train)):
        try:
            return train.sample(index, 0).frames[0]
        except DataError:
            continue
    raise AssertionError("none can be read")


def test_frames_of_clips_stand_side_by_side(tmp_path: Path) -> None:
    for number in range(5):
        encode(tmp_path / f"{number}.mp4", marked(12 + number, height=32, width=40 + 2 * number))
    data = ClipsData(path=str(tmp_path), size_px=32, num_frames=4)
    sheet = drawn(data)
    train, valid = open_data(data, seed=0)
    shown = [index for index in range(len(train)) if stands_in(train.sample(index, 0).frames[0], sheet, 4)]
    assert len(shown) == 3
    for frame in (*train.sample(shown[0], 0).frames, *train.sample(shown[2], 0).frames):
        assert stands_in(frame, sheet, 4)
    assert any(stands_in(valid.sample(index, None).frames[-1], sheet, 4) for index in range(len(valid)))


def test_words_are_kept_within_their_cell() -> None:
    cells = [Cell(np.full((20, 30, 3), level, np.uint8), "a very long class", "word " * 60) for level in (0, 90)]
    sheet = np.asarray(draw_sheet("title", ["facts"], [Section("heading", "", (Row("", tuple(cells)),))], enlarge=4))
    tops = [int(np.argwhere((sheet == level).all(axis=-1).sum(axis=1) >= 120)[0, 0]) for level in (0, 90)]
    assert tops[0] == tops[1]
    left = MARGIN_PX + 4 * 30
    assert (sheet[tops[0] + 80 :, left : left + GAP_PX] == GROUND).all()
    assert (sheet[-MARGIN_PX:] == GROUND).all()
    assert (sheet[tops[0] + 84 : tops[0] + 140, MARGIN_PX:left] != GROUND).any()


def test_the_file_is_written_or_the_reason_told(tmp_path: Path) -> None:
    files = {f"{number}.png": encoded(picture(number)) for number in range(6)}
    data = PicturesData(path=str(write_folder(tmp_path / "data", files)), size_px=PIXELS)
    write_sheet(data, tmp_path / "sheet.png", seed=0, observe=silent)
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(OutputError):
        write_sheet(data, tmp_path / "nowhere" / "sheet.png", seed=0, observe=silent)
