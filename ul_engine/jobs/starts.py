"""What a generation begins with: frames of a clip, a picture, a picture of which parts stay."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ul_engine.config import ModelConfig
from ul_engine.data.fitting import cover
from ul_engine.data.image_files import read_picture
from ul_engine.data.pixels import Uint8Array, clip_from_array
from ul_engine.errors import DataError
from ul_engine.media.rates import as_rate
from ul_engine.media.reading import open_clip
from ul_engine.objectives import latent_schedule_of
from ul_engine.pipelines import Kept, Pipeline, Start, cells_of
from ul_engine.requests import GenerateRequest


def frames_before(request: GenerateRequest, config: ModelConfig, size: tuple[int, int]) -> Tensor | None:
    """The last frames of the clip to continue, `[1, 3, T, H, W]` at the model's rate and the asked size."""
    if request.continue_from is None:
        return None
    assert config.video is not None
    with open_clip(request.continue_from) as clip:
        if clip.info.is_cut:
            raise DataError("is cut short: its last frames, to continue from, are missing", path=request.continue_from)
        numbers = clip.timeline.numbers_at(as_rate(config.video.fps))[-config.context_frames :]
        frames = np.stack([clip.frame(number) for number in numbers.tolist()])
    return clip_from_array(cover(frames, size))


@dataclass(frozen=True)
class PictureStart:
    """A picture to start from: its z_clean, the level to noise it to, and what of it stays; None: nothing."""

    z_clean: Tensor
    logsnr: float
    kept_latent: Kept | None = None
    kept_pixels: Kept | None = None

    def latent(self, count: int) -> Start:
        """Where the base model's loop begins for so many pictures."""
        return Start(self.z_clean.expand(count, -1, -1, -1, -1), self.logsnr)


def picture_start(pipeline: Pipeline, request: GenerateRequest, size: tuple[int, int]) -> PictureStart | None:
    """The picture to start from, scaled and cut to `size`, noised to time `strength` of the schedule.

    Under a mask what is black stays: its latent cells through the base model, its pixels through the decoder, which
    therefore both see it while they make the rest. A cell with any pixel to be made anew is made anew. Raises DataError
    for a mask of another size than the picture, or without anything to be made anew.
    """
    if request.init_image is None:
        return None
    source = read_picture(request.init_image)
    x = pipeline.padded(clip_from_array(cover(source[None], size)))
    z_clean = pipeline.encode(x)
    level = float(latent_schedule_of(pipeline.config).logsnr(torch.tensor(request.strength)))
    if request.mask_image is None:
        return PictureStart(z_clean, level)
    new = pipeline.padded(_mask(request.mask_image, source, size))
    cells = cells_of(new, cell_px=pipeline.config.downsampling)
    return PictureStart(z_clean, level, Kept(z_clean, cells), Kept(x, new))


def _mask(path: str, source: Uint8Array, size: tuple[int, int]) -> Tensor:
    """`[1, 1, 1, H, W]` at `size`: 1 where white (made anew), 0 where black (kept)."""
    mask = read_picture(path)
    if mask.shape != source.shape:
        wanted, found = (f"{array.shape[1]} x {array.shape[0]}" for array in (source, mask))
        raise DataError(f"the mask has {found} pixels and the start picture {wanted}; both must be alike", path=path)
    grey = cover(mask[None], size).max(axis=-1)
    if not grey.any():
        raise DataError("the mask is all black, so that nothing would be made anew; paint white what should", path=path)
    return torch.from_numpy(grey.astype(np.float32) / 255.0)[None, None]
