"""Clips between uint8 and the engine's tensors."""

import numpy as np
import pytest
import torch

from tests.helpers.clips import marked
from ul_engine.data.pixels import array_from_clips, array_from_pictures, clip_from_array, pictures_from_array
from ul_engine.errors import ShapeError


def test_there_and_back() -> None:
    frames = marked(7)
    clip = clip_from_array(frames)
    assert clip.shape == (1, 3, 7, 32, 64)
    assert clip.dtype == torch.float32
    assert float(clip[0, 2, 5, 9, 11]) == pytest.approx(frames[5, 9, 11, 2] / 127.5 - 1, abs=1e-6)
    back = array_from_clips(torch.cat([clip, -clip]))
    assert back.shape == (2, 7, 32, 64, 3)
    assert np.array_equal(back[0], frames)
    assert np.array_equal(back[1], 255 - frames)
    assert back.flags.c_contiguous


def test_a_picture_is_a_clip_of_one_frame() -> None:
    frame = marked(1)
    assert torch.equal(clip_from_array(frame), pictures_from_array(frame))
    assert np.array_equal(array_from_clips(clip_from_array(frame))[:, 0], array_from_pictures(clip_from_array(frame)))


def test_read_only_frames_are_copied() -> None:
    frames = marked(2)
    frames.flags.writeable = False
    clip_from_array(frames).zero_()
    assert frames.max() > 0


def test_other_shapes_are_refused() -> None:
    for array in (np.zeros((2, 4, 4, 3), np.float32), np.zeros((4, 4, 3), np.uint8), np.zeros((1, 4, 4, 4), np.uint8)):
        with pytest.raises(ShapeError):
            clip_from_array(array)
    for shape in ((1, 1, 2, 4, 4), (3, 2, 4, 4)):
        with pytest.raises(ShapeError):
            array_from_clips(torch.zeros(shape))
