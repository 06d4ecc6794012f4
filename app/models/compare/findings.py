"""What was found out about an input, as frozen objects: reconstructions, spreads, bit maps, latents, codecs. No Qt."""

from dataclasses import dataclass, field

from app.models.compare.figures import Figures
from app.models.compare.levels import Rung
from app.pixels import Clip
from ul_engine.requests import RestorerName, SamplingSettings


@dataclass(frozen=True)
class Recipe:
    """How reconstructions are made. Two of one recipe, input and rung are the same picture."""

    model: str
    """Folder of the model."""
    restorer: RestorerName = "prior"
    seed: int = 0
    sampling: SamplingSettings = field(default_factory=SamplingSettings)


@dataclass(frozen=True)
class FloatMap:
    """Numbers over a picture or clip: float32 `[frames, height, width]`, row by row."""

    num_frames: int
    height: int
    width: int
    data: bytes

    def __post_init__(self) -> None:
        assert len(self.data) == 4 * self.num_frames * self.height * self.width

    def value(self, frame: int, x: int, y: int) -> float:
        """One number."""
        place = (frame * self.height + y) * self.width + x
        return float(memoryview(self.data).cast("f")[place])


@dataclass(frozen=True)
class ByteMap:
    """Shares over a picture or clip, 0 to 255: uint8 `[frames, height, width]`, row by row."""

    num_frames: int
    height: int
    width: int
    data: bytes

    def __post_init__(self) -> None:
        assert len(self.data) == self.num_frames * self.height * self.width


@dataclass(frozen=True)
class Reconstruction:
    """One reconstruction, by a model or a codec, with its figures."""

    clip: Clip
    figures: Figures
    flip_map: ByteMap | None = None
    """FLIP error of every pixel, 255 for an error of 1."""
    frame_psnr_db: tuple[float, ...] = ()
    """PSNR of every frame of a clip."""
    frame_flicker: tuple[float, ...] = ()
    """Change from frame to frame that the original lacks, in 8-bit levels; one less than there are frames."""

    @property
    def num_bytes(self) -> int:
        """Memory it takes."""
        return self.clip.num_bytes + (len(self.flip_map.data) if self.flip_map else 0)


@dataclass(frozen=True)
class Original:
    """An input as the engine read it."""

    clip: Clip
    missing_measures: tuple[tuple[str, str], ...] = ()
    """Measures that cannot be taken of it, each with the reason."""

    @property
    def num_bytes(self) -> int:
        """Memory it takes."""
        return self.clip.num_bytes


@dataclass(frozen=True)
class Spread:
    """Several decodes of one latent."""

    num_decodes: int
    mean: Clip
    deviation: FloatMap
    """Standard deviation in 8-bit levels."""
    mean_psnr_db: float
    mean_deviation: float

    @property
    def num_bytes(self) -> int:
        """Memory it takes."""
        return self.mean.num_bytes + len(self.deviation.data)


@dataclass(frozen=True)
class Band:
    """Bits of one band of the latent's log-SNR."""

    low: float
    high: float
    bits: float
    error: float | None = None
    """Standard error of the estimate; None: there was one draw of noise."""


@dataclass(frozen=True)
class BitMap:
    """Where the bits of an input went."""

    cells: FloatMap
    """Bits per latent cell."""
    cell_errors: FloatMap | None
    """Standard error of each cell's estimate; None: there was one draw of noise."""
    cell_px: int
    bands: tuple[Band, ...]
    terminal_bits: float
    """Paid at the noisiest level; in no band."""
    bits_per_pixel: float
    bits_per_pixel_error: float | None
    num_draws: int

    @property
    def num_bytes(self) -> int:
        """Memory it takes."""
        return len(self.cells.data) + (len(self.cell_errors.data) if self.cell_errors else 0)


@dataclass(frozen=True)
class Latent:
    """What the encoder says, and what the decoder sees. Arrays are float32 `[channels, frames, height, width]`."""

    num_channels: int
    num_frames: int
    height: int
    width: int
    clean: bytes
    noisy: bytes
    components: bytes
    """The first three principal components as colours, uint8 `[frames, height, width, 3]`."""
    cell_px: int
    channel_means: tuple[float, ...]
    channel_stds: tuple[float, ...]
    principal_shares: tuple[float, ...]
    latent_std: float
    alpha_0: float
    sigma_0: float

    @property
    def num_bytes(self) -> int:
        """Memory it takes."""
        return len(self.clean) + len(self.noisy) + len(self.components)


@dataclass(frozen=True)
class CodecPoint:
    """One setting of a codec, measured."""

    figures: Figures
    quality: float


@dataclass(frozen=True)
class CodecCurve:
    """A codec's whole range of qualities on one picture, from few bits to many."""

    label: str
    points: tuple[CodecPoint, ...]

    @property
    def num_bytes(self) -> int:
        """Memory it takes, roughly."""
        return 256 * len(self.points)


@dataclass(frozen=True)
class FilePair:
    """One file against another; no figures where they cannot be measured, and why."""

    figures: Figures | None
    flip_map: ByteMap | None = None
    problem: str = ""
    missing_measures: tuple[tuple[str, str], ...] = ()

    @property
    def num_bytes(self) -> int:
        """Memory it takes."""
        return 256 + (len(self.flip_map.data) if self.flip_map else 0)


Finding = Reconstruction | Original | Spread | BitMap | Latent | CodecCurve | FilePair


# ---- where they are kept ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OriginalKey:
    """Place of an input as the engine read it; a model of pictures takes one frame of a video."""

    source: str


@dataclass(frozen=True)
class RungKey:
    """Place of a reconstruction or a spread among the findings."""

    source: str
    recipe: Recipe
    rung: Rung


@dataclass(frozen=True)
class SpreadKey:
    """Place of a spread: a rung decoded so many times."""

    source: str
    recipe: Recipe
    rung: Rung
    num_decodes: int


@dataclass(frozen=True)
class BitMapKey:
    """Place of a bit map, which does not depend on the rung, nor on how it is sampled."""

    source: str
    model: str
    restorer: str
    seed: int


@dataclass(frozen=True)
class LatentKey:
    """Place of a latent."""

    source: str
    model: str
    seed: int


@dataclass(frozen=True)
class CodecKey:
    """Place of a codec's picture at the bits it was to meet."""

    source: str
    codec: str
    bits_per_pixel: float


@dataclass(frozen=True)
class CurveKey:
    """Place of a codec's curve."""

    source: str
    codec: str


@dataclass(frozen=True)
class FileKey:
    """Place of a file's distance from another one."""

    source: str
    reference: str


Key = OriginalKey | RungKey | SpreadKey | BitMapKey | LatentKey | CodecKey | CurveKey | FileKey
