"""Opens whatever source of samples the settings name."""

from trainer.config.data import ClipsData, DataConfig, PhotographsData, PicturesData, ScenesData
from trainer.data.clips import open_clips
from trainer.data.collections import Progress
from trainer.data.hub import open_hub
from trainer.data.photographs import open_photographs
from trainer.data.pictures import open_pictures
from trainer.data.samples import SampleSource
from trainer.data.scenes import open_scenes


def open_data(config: DataConfig, *, seed: int, progress: Progress | None = None) -> tuple[SampleSource, SampleSource]:
    """Training and held-out samples, disjoint, at least 2 of each. `seed` decides augmentations only.

    The held-out ones may be fewer than `num_valid` (a tenth of what there is at most). `progress` gets (done, of how
    many) while something is made that is kept for the next time: rendered scenes, indexes, sizes. Raises DataError,
    ConfigError, OutputError.
    """
    if isinstance(config, ScenesData):
        return open_scenes(config, progress=progress)
    if isinstance(config, PicturesData):
        return open_pictures(config, seed=seed, progress=progress)
    if isinstance(config, PhotographsData):
        return open_photographs(config, seed=seed, progress=progress)
    if isinstance(config, ClipsData):
        return open_clips(config, seed=seed, progress=progress)
    return open_hub(config, seed=seed)
