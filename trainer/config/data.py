"""Where training samples come from and how they are made ready, with units and legal ranges. No torch."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ul_engine.requests import FrozenModel

Motion = Literal["still", "spin left", "spin right", "bounce", "roll", "orbit", "grow"]
NUM_CLIPS = 20_000
"""Training clips where nobody says how many: one takes as long to draw, and as much room, as its frames."""
SPIN_FPS = 3.0
"""Spins turn by 2 rad per second, a cube looks the same after pi / 2."""
MOVING: tuple[Motion, ...] = ("spin left", "spin right", "bounce", "roll", "orbit", "grow")


class ScenesData(FrozenModel):
    """Procedural Scenes, rendered once into a cache: pictures, or clips in which something moves."""

    kind: Literal["scenes"] = "scenes"
    size_px: int = Field(64, ge=8, le=1024, description="Side of the square pictures, in pixels.")
    num_train: int = Field(60_000, ge=1, description="Training pictures or clips.")
    num_valid: int = Field(1_000, ge=1, description="Held-out pictures or clips, of another seed.")
    train_seed: int = Field(1, ge=0, lt=2**63, description="Seed of the training scenes.")
    valid_seed: int = Field(2, ge=0, lt=2**63, description="Seed of the held-out scenes; must differ from train_seed.")
    num_objects_max: int = Field(1, ge=1, le=2, description="Objects in a scene, at most.")
    two_object_share: float = Field(
        0.4, ge=0.0, le=1.0, description="Share of scenes with two objects and a relation, where there may be two."
    )
    num_frames: int = Field(1, ge=1, le=1024, description="Frames of a clip; 1 for pictures.")
    fps: float = Field(8.0, gt=0.0, le=240.0, description="Frames per second of clips; must be the model's.")
    motions: tuple[Motion, ...] = Field(
        MOVING,
        min_length=1,
        description="Of these each clip shows one that its objects can do: two objects can only be still or seen by an "
        "orbiting camera.",
    )
    cache: str | None = Field(None, description="Folder of the rendered pictures; None: the user's cache folder.")

    @model_validator(mode="after")
    def _held_out(self) -> Self:
        if self.train_seed == self.valid_seed:
            raise ValueError("valid_seed must differ from train_seed, or nothing is held out")
        return self

    @model_validator(mode="after")
    def _tells_spins_apart(self) -> Self:
        if self.num_frames > 1 and self.fps < SPIN_FPS and {"spin left", "spin right"} & {*self.motions}:
            raise ValueError(
                f"fps must be at least {SPIN_FPS:g} where things spin: a cube that turns by more than an eighth from "
                "frame to frame seems to turn the other way"
            )
        return self


class FileData(FrozenModel):
    """What all sources of files share."""

    path: str = Field(min_length=1, description="Folder, zip file, tar file, or folder of tar shards.")
    size_px: int = Field(64, ge=8, le=4096, description="Side of the square that the model is trained on, in pixels.")
    num_valid: int = Field(
        256,
        ge=1,
        description="Files held out, chosen by a hash of their names; at most a tenth of what there is.",
    )
    min_px: int = Field(0, ge=0, description="Files whose shorter side has fewer pixels are left out.")
    flip: bool = Field(False, description="Mirror every other training sample left to right.")
    crop_scale: float = Field(
        1.0,
        gt=0.0,
        le=1.0,
        description="Least share of the largest crop's area that a training crop may have; 1: always the largest.",
    )
    crop_position: Literal["center", "random"] = Field(
        "center", description="Where training crops lie; held-out samples are always cut at the middle."
    )
    captions: Literal["auto", "none"] = Field(
        "auto",
        description="auto: from a .txt file beside each sample, or captions.csv, metadata.csv or metadata.jsonl.",
    )


class PicturesData(FileData):
    """Pictures in a folder tree, a zip file or tar shards; the first folder level names the class."""

    kind: Literal["pictures"] = "pictures"
    fit: Literal["crop", "pad", "buckets"] = Field(
        "crop",
        description="crop: cut to a square. pad: the whole picture on a square, edges repeated. buckets: shapes of "
        "about size_px squared pixels, each batch of one shape.",
    )
    bucket_step_px: int = Field(
        64, ge=8, le=512, description="Sides of the buckets are multiples of this; also of the down-sampling."
    )


class ClipsData(FileData):
    """Video files in a folder tree, a zip file or tar shards; the first folder level names the class."""

    kind: Literal["clips"] = "clips"
    num_frames: int = Field(16, ge=2, le=1024, description="Frames of a training clip.")
    fps: float | None = Field(
        None, gt=0.0, le=240.0, description="Rate that clips are brought to; None: every file's own rate."
    )
    frame_stride: int = Field(1, ge=1, le=64, description="Every how manieth frame is taken.")


class PhotographsData(FrozenModel):
    """Photographs in a folder tree, a zip file or tar shards, seen through crops of any scale; mixed with synthetic
    textures and Scenes. For models that take pictures apart and put them together: nothing is said of the samples."""

    kind: Literal["photographs"] = "photographs"
    path: str = Field(min_length=1, description="Folder, zip file, tar file, or folder of tar shards.")
    size_px: int = Field(64, ge=8, le=4096, description="Side of the square that the model is trained on, in pixels.")
    num_valid: int = Field(
        256,
        ge=1,
        description="Photographs held out, chosen by a hash of their names; at most a tenth of what there is. Textures "
        "and Scenes are never held out.",
    )
    flip: bool = Field(True, description="Mirror every other training photograph left to right.")
    crop_sides: tuple[float, float] = Field(
        (0.15, 1.0),
        description="Least and greatest side of a crop as a share of the photograph's shorter side, 0 to 1; every "
        "scale between is as likely. A crop has at least size_px pixels a side where the photograph has.",
    )
    texture_share: float = Field(
        0.15,
        ge=0.0,
        le=0.9,
        description="Share of the training samples that are synthetic textures, new in every pass.",
    )
    scene_share: float = Field(0.05, ge=0.0, le=0.9, description="Share of the training samples that are Scenes.")
    num_scenes: int = Field(2_000, ge=4, description="Scenes to take them from, where there are any.")
    cache: str | None = Field(None, description="Folder of the rendered Scenes; None: the user's cache folder.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        least, greatest = self.crop_sides
        if not 0.0 < least <= greatest <= 1.0:
            raise ValueError("crop_sides must rise and lie above 0 and not above 1")
        if self.texture_share + self.scene_share > 0.9:
            raise ValueError("texture_share and scene_share must leave a tenth to the photographs")
        return self


class HubData(FileData):
    """A data set of the Hugging Face Hub, or one saved by the library `datasets` (the extra ``hub-datasets``)."""

    kind: Literal["huggingface"] = "huggingface"
    split: str = Field("train", min_length=1, description="Split to train on.")
    image_column: str = Field("image", description="Column of the pictures.")
    caption_column: str | None = Field(None, description="Column of the captions; None: there are none.")
    label_column: str | None = Field(None, description="Column of the class labels; None: there are none.")
    revision: str | None = Field(None, description="Commit, tag or branch; None: the newest.")


DataConfig = Annotated[ScenesData | PicturesData | PhotographsData | ClipsData | HubData, Field(discriminator="kind")]
"""Any source, told apart by `kind`."""


def num_frames_of(data: DataConfig) -> int:
    """Frames of a sample; 1 where the data are pictures."""
    return data.num_frames if isinstance(data, ScenesData | ClipsData) else 1


class LoadingConfig(FrozenModel):
    """How samples are brought to the device. Nothing here changes what a run computes."""

    num_workers: int = Field(
        -1, ge=-1, le=256, description="Loading processes per rank; 0: in the trainer itself; -1: chosen for the data."
    )
    prefetch: int = Field(4, ge=1, le=64, description="Batches that each loading process prepares ahead.")
