"""What a result's file says of itself, read with care: nothing a file holds may stop a scan."""

import re
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtGui import QImageReader

from app.gallery import GalleryKind
from ul_engine.errors import DataError, EngineError
from ul_engine.metadata import EmbeddedRequest, read_request
from ul_engine.requests import GenerateRequest

PICTURES = frozenset((".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"))
CLIPS = frozenset((".mp4", ".webm", ".mkv", ".mov", ".gif"))
_PNG = b"\x89PNG\r\n\x1a\n"
COUNTED = re.compile(r"^\d{5,}-")
"""How the program names its results; folders of this form that hold pictures are clips."""


@dataclass(frozen=True)
class Record:
    """One row of the index, without its number."""

    path: str
    """Below the root, with slashes."""
    modified_ns: int
    size_bytes: int
    kind: str
    width_px: int = 0
    height_px: int = 0
    num_frames: int = 1
    prompt: str = ""
    model: str = ""
    seed: int | None = None
    steps: int | None = None
    guidance: float | None = None
    class_label: int | None = None
    request: str = ""
    problem: str = ""

    @property
    def words(self) -> str:
        """What a search without a field looks through."""
        return f"{self.prompt}\n{self.model}\n{self.path}".casefold()


def read_record(root: Path, path: str, modified_ns: int, size_bytes: int) -> Record:
    """Everything the index wants to know of a file (or of a folder of pictures, which is a clip)."""
    file = root / path
    width, height, frames, kind, problem = _shape(file)
    known = {"width_px": width, "height_px": height, "num_frames": frames, "problem": problem}
    record = Record(path, modified_ns, size_bytes, kind, **known)  # type: ignore[arg-type]
    embedded = _embedded(file)
    if embedded is None:
        return record
    return Record(**{**vars(record), **_of_request(embedded)})


def _embedded(file: Path) -> EmbeddedRequest | None:
    """What a file says about its making; None of a foreign or damaged one, which is shown all the same."""
    try:
        return read_request(pattern_of(file))
    except DataError:
        return None


def _of_request(embedded: EmbeddedRequest) -> dict[str, object]:
    request = embedded.request
    facts: dict[str, object] = {
        "prompt": getattr(request, "prompt", ""),
        "model": embedded.model_name or request.model,
        "seed": getattr(request, "seed", None),
        "request": embedded.model_dump_json(),
    }
    if isinstance(request, GenerateRequest):
        facts |= {
            "steps": request.sampling.base.num_steps,
            "guidance": request.sampling.guidance.weight,
            "class_label": request.class_label,
        }
    return facts


def pattern_of(file: Path) -> str:
    """The path as the clip reader wants it: of a folder of pictures, the pattern of their names."""
    return str(file / "%05d.png") if file.is_dir() else str(file)


def _shape(file: Path) -> tuple[int, int, int, str, str]:
    """Width, height, frames, kind, and what is wrong."""
    suffix = file.suffix.lower()
    if suffix not in PICTURES:
        return _clip_shape(file)
    if suffix == ".png" and (known := _png_shape(file)) is not None:
        return known
    reader = QImageReader(str(file))
    reader.setDecideFormatFromContent(True)
    size = reader.size()
    if not size.isValid():
        return 0, 0, 1, GalleryKind.PICTURE, reader.errorString() or "is no picture"
    frames = reader.imageCount() if suffix == ".webp" and reader.supportsAnimation() else 1
    kind = GalleryKind.CLIP if frames > 1 else GalleryKind.PICTURE
    return size.width(), size.height(), max(frames, 1), kind, ""


def _png_shape(file: Path) -> tuple[int, int, int, str, str] | None:
    """From the first and the last bytes of a PNG, ten times as quick as asking Qt; None where it is none."""
    with file.open("rb") as stream:
        head = stream.read(24)
        if len(head) < 24 or not head.startswith(_PNG) or head[12:16] != b"IHDR":
            return None
        stream.seek(-12, 2)
        problem = "" if stream.read(8)[4:] == b"IEND" else "is cut short"
    width, height = (int.from_bytes(head[at : at + 4], "big") for at in (16, 20))
    return width, height, 1, GalleryKind.PICTURE, problem


def _clip_shape(file: Path) -> tuple[int, int, int, str, str]:
    from ul_engine.media.reading import probe

    try:
        info = probe(pattern_of(file))
    except EngineError as error:
        return 0, 0, 1, GalleryKind.CLIP, str(error).removeprefix(f"{file}: ")
    return info.width_px, info.height_px, info.num_frames, GalleryKind.CLIP, "is cut short" if info.is_cut else ""
