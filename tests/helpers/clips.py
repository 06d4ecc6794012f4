"""Small clips in real files, each frame carrying its own number, and damage done to them."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.video.stream import VideoStream

Frames = npt.NDArray[np.uint8]

HEIGHT, WIDTH = 32, 64
H264 = {"codec": "libx264", "pixel_format": "yuv420p"}
FFV1 = {"codec": "ffv1", "pixel_format": "bgr0"}


def marked(num_frames: int, height: int = HEIGHT, width: int = WIDTH) -> Frames:
    """uint8 `[T, H, W, 3]`: a moving pattern, and across it eight bars that spell the frame's number in bits."""
    y, x = np.mgrid[0:height, 0:width]
    frames = np.empty((num_frames, height, width, 3), np.uint8)
    for t in range(num_frames):
        frames[t] = np.stack([(x + 5 * t) % 256, (2 * y + 3 * t) % 256, (x + y + 7 * t) % 256], -1) // 4 + 60
        for bit, bar in enumerate(_bars(width)):
            frames[t, height // 4 : height // 2, bar] = 230 if t >> bit & 1 else 20
    return frames


def number_in(frame: Frames) -> int:
    """The number that the bars of an upright frame spell."""
    height, width = frame.shape[:2]
    rows = frame[height // 4 + 1 : height // 2 - 1]
    return sum(1 << bit for bit, bar in enumerate(_bars(width)) if rows[:, bar].mean() > 125)


def encode(
    path: Path,
    frames: Frames,
    *,
    fps: Fraction | int = 25,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    options: Mapping[str, str] | None = None,
    container_options: Mapping[str, str] | None = None,
    times: Sequence[int] | None = None,
    rotation: tuple[float, bool, bool] | None = None,
) -> Path:
    """Write RGB or RGBA frames with PyAV alone; `times` in units of 1/fps, `rotation` (degrees, mirror, flip)."""
    with av.open(str(path), "w", options=dict(container_options or {})) as container:
        stream = container.add_stream(codec, rate=Fraction(fps), options=dict(options or {}))
        assert isinstance(stream, VideoStream)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = pixel_format
        stream.codec_context.time_base = 1 / Fraction(fps)
        if rotation is not None:
            stream.set_display_rotation(rotation[0], hflip=rotation[1], vflip=rotation[2])
        for number, array in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(array), format="rgba" if array.shape[-1] == 4 else "rgb24"
            )
            frame.pts = number if times is None else times[number]
            frame.time_base = 1 / Fraction(fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def encode_planes(
    path: Path, planes: Sequence[npt.NDArray[np.uint16]], pixel_format: str, tags: Mapping[str, int] | None = None
) -> Path:
    """One frame of the given planes in FFV1, to the bit, tagged with ``colorspace`` and ``color_range``."""
    height, width = planes[0].shape
    frame = av.VideoFrame(width, height, pixel_format)
    item = np.uint8 if max(component.bits for component in frame.format.components) == 8 else np.uint16
    for plane, values in zip(frame.planes, planes, strict=True):
        padded = np.zeros((plane.height, plane.line_size // np.dtype(item).itemsize), item)
        padded[:, : values.shape[1]] = values
        plane.update(padded.tobytes())
    frame.pts, frame.time_base = 0, Fraction(1, 25)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        assert isinstance(stream, VideoStream)
        stream.height, stream.width, stream.pix_fmt = height, width, pixel_format
        for name, value in (tags or {}).items():
            setattr(frame, name, value)
            setattr(stream.codec_context, name, value)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def cut(path: Path, num_bytes: int, name: str = "cut") -> Path:
    """A copy that ends after so many bytes (counted from the end if negative)."""
    copy = path.with_name(f"{name}{path.suffix}")
    copy.write_bytes(path.read_bytes()[:num_bytes])
    return copy


def psnr_db(frames: Frames, others: Frames) -> float:
    """Peak signal to noise of 8-bit frames."""
    error = float(np.mean((frames.astype(np.float64) - others) ** 2))
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))


def _bars(width: int) -> list[slice]:
    step = width // 8
    return [slice(bit * step + 1, (bit + 1) * step - 1) for bit in range(8)]
