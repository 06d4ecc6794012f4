"""Photographs seen through crops of any scale, alone or mixed with textures and Scenes."""

from trainer.config.data import PhotographsData, ScenesData
from trainer.data.collections import Progress
from trainer.data.decoding import EncodedPicture
from trainer.data.fitting import ScaledCrops, cut_and_scaled, shrink_factor
from trainer.data.mixing import MixedSamples, Part, TextureSamples
from trainer.data.sample_files import FileSamples, SampleFiles, advised, open_files
from trainer.data.samples import Sample, SampleSource
from trainer.data.scenes import open_scenes
from trainer.data.words import read_words


class PhotographSamples(FileSamples):
    """One crop of each photograph in every pass."""

    buckets = None

    def __init__(self, files: SampleFiles, crops: ScaledCrops, *, size_px: int, seed: int) -> None:
        super().__init__(files, "photographs-1", size_px, crops.sides)
        self.class_names, self.has_captions = (), False
        self.crops, self.size_px, self.seed = crops, size_px, seed

    def sample(self, index: int, epoch: int | None) -> Sample:
        """The crop of photograph `index` in pass `epoch`; None: one that is the same in every run. Raises DataError."""
        files = self.files
        where = files.collection.where(files.entries[index])
        target = self.size_px, self.size_px
        with advised(where), EncodedPicture(files.collection.read(files.entries[index]), where) as picture:
            size = picture.size[1], picture.size[0]
            crop = self.crops.crop(size, seed=self.seed, index=index, epoch=epoch)
            frame = cut_and_scaled(picture.decoded(shrink_factor(size, crop, target)), crop, target)
        return Sample(frame[None])


def open_photographs(
    config: PhotographsData, *, seed: int, progress: Progress | None = None
) -> tuple[SampleSource, SampleSource]:
    """Training samples in their shares, and held-out photographs, none of which is in training. Raises DataError."""
    collection, entries = open_files(config.path, "pictures", progress=progress)
    files = SampleFiles(collection, entries, read_words(collection, entries, use_captions=False))
    chosen = files.split(config.num_valid, what="photographs")
    crops = ScaledCrops(config.crop_sides, config.size_px, config.flip)
    train, valid = (
        PhotographSamples(files.chosen(indices), crops, size_px=config.size_px, seed=seed) for indices in chosen
    )
    total = len(train) / (1.0 - config.texture_share - config.scene_share)
    num_textures, num_scenes = round(total * config.texture_share), round(total * config.scene_share)
    if not num_textures and not num_scenes:
        return train, valid
    parts = [Part(train, len(train))]
    if num_textures:
        textures = TextureSamples(size_px=config.size_px, count=num_textures, seed=seed)
        parts.append(Part(textures, num_textures))
    if num_scenes:
        parts.append(Part(open_scenes(_scenes(config), progress=progress)[0], num_scenes))
    return MixedSamples(parts), valid


def _scenes(config: PhotographsData) -> ScenesData:
    """Scenes of one and of two objects; the few held out that come with them are not used."""
    return ScenesData(
        size_px=config.size_px,
        num_train=config.num_scenes,
        num_valid=1,
        num_objects_max=2,
        two_object_share=0.5,
        cache=config.cache,
    )
