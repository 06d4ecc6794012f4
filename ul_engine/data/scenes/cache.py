"""Rendered scenes on disk: one memory-mapped array of pictures or clips with labels and captions beside it.

A cache is a folder: `pictures.npy` (uint8 `[N, H, W, 3]`, of clips `[N, T, H, W, 3]`), `labels.npy` (int16 `[N, 8]`,
columns `LABEL_COLUMNS`; of clips `[N, 9]`, the last is the motion), `captions.jsonl` (a line per picture or clip:
caption, training_caption) and `cache.json`, which is written last: a folder without it is unfinished. `cache.json`
carries a fingerprint of everything that decides a pixel, so that a cache made by another renderer or for other options
is never taken for the right one.
"""

import json
import multiprocessing
import os
import shutil
from collections.abc import Callable, Generator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from hashlib import blake2b
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from filelock import FileLock, Timeout

from ul_engine.data.scenes.captions import CAPTIONS_VERSION, caption, training_caption
from ul_engine.data.scenes.grammar import ATTRIBUTE_WORDS, MOTIONS
from ul_engine.data.scenes.labels import attribute_labels, class_label
from ul_engine.data.scenes.layout import scene_spec
from ul_engine.data.scenes.motion import MOTION_VERSION
from ul_engine.data.scenes.render import RENDERER_VERSION, render_scenes
from ul_engine.data.scenes.spec import SceneOptions, SceneSpec
from ul_engine.errors import ConfigError, DataError, OutputError
from ul_engine.whole_files import SPARE_BYTES

LABEL_COLUMNS = ("class", *ATTRIBUTE_WORDS)
_FORMAT = "ul-scenes-cache-2"
_PICTURES_PER_TASK = 128
_CLIPS_PER_TASK = 16
HEADER_NAME = "cache.json"
"""Written last: a folder without it holds no finished cache."""
_PICTURES, _LABELS, _CAPTIONS = "pictures.npy", "labels.npy", "captions.jsonl"
_LOCK_POLL_S = 0.5
_PARTIAL, _PROGRESS, _LOCK = "pictures.npy.partial", "progress.json", ".lock"

ProgressCallback = Callable[[int, int], None]
"""Called with (pictures or clips rendered, how many are wanted)."""


@dataclass(frozen=True, slots=True)
class ClipTiming:
    """The frames of a clip: frame k shows the time k / fps seconds."""

    num_frames: int
    fps: float

    def __post_init__(self) -> None:
        if self.num_frames < 1 or not self.fps > 0.0:
            raise ConfigError("a clip has at least one frame and a positive rate", field="scenes.num_frames")


@dataclass(frozen=True, slots=True)
class CachePlan:
    """What a cache holds: scenes start_index .. start_index + count - 1 of the series `seed`, as clips with the times
    of `clip`; None: as pictures."""

    seed: int
    start_index: int
    count: int
    size_px: int
    options: SceneOptions
    clip: ClipTiming | None = None

    def __post_init__(self) -> None:
        if self.count < 1 or self.start_index < 0:
            raise ConfigError("needs at least one picture and no negative index", field="scenes.count")

    def plain(self) -> dict[str, Any]:
        """The plan as plain data; of pictures nothing about clips is said."""
        fields = asdict(self)
        return fields if self.clip is not None else {name: value for name, value in fields.items() if name != "clip"}

    def fingerprint(self) -> str:
        """Hexadecimal hash over the plan and the versions of what draws it."""
        motion = {"motion": MOTION_VERSION} if self.clip is not None else {}
        text = json.dumps({"format": _FORMAT, "renderer": RENDERER_VERSION, **motion, **self.plain()}, sort_keys=True)
        return blake2b(text.encode(), digest_size=16).hexdigest()

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the array: `[N, H, W, 3]`, of clips `[N, T, H, W, 3]`."""
        frames = (self.clip.num_frames,) if self.clip is not None else ()
        return (self.count, *frames, self.size_px, self.size_px, 3)

    @property
    def label_columns(self) -> tuple[str, ...]:
        """What the columns of the labels are of."""
        return LABEL_COLUMNS if self.clip is None else (*LABEL_COLUMNS, "motion")

    @property
    def per_task(self) -> int:
        """Pictures or clips that are rendered and noted as done together."""
        return _PICTURES_PER_TASK if self.clip is None else _CLIPS_PER_TASK

    def spec(self, position: int) -> SceneSpec:
        """The scene at a position of the array."""
        return scene_spec(self.seed, self.start_index + position, self.options)

    def rendered(self, start: int, stop: int) -> npt.NDArray[np.uint8]:
        """The pictures or clips at these positions, as they lie in the array."""
        specs = [self.spec(position) for position in range(start, stop)]
        timing = self.clip or ClipTiming(1, 1.0)
        frames = render_scenes(specs, size_px=self.size_px, num_frames=timing.num_frames, frames_per_second=timing.fps)
        pixels: npt.NDArray[np.uint8] = frames.permute(0, 2, 3, 4, 1).reshape(stop - start, *self.shape[1:]).numpy()
        return pixels

    def labels(self, spec: SceneSpec) -> tuple[int, ...]:
        """A row of the labels, by `label_columns`."""
        motion = () if self.clip is None else (MOTIONS.index(spec.motion.name),)
        return (class_label(spec), *attribute_labels(spec).values(), *motion)


@dataclass(frozen=True)
class SceneCache:
    """An opened cache. pictures: read-only memory map, uint8 `[N, H, W, 3]`, of clips `[N, T, H, W, 3]`; labels: int16
    `[N, 8]`, of clips `[N, 9]`."""

    path: Path
    plan: CachePlan
    pictures: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int16]
    captions: tuple[str, ...]
    training_captions: tuple[str, ...]

    def label(self, name: str) -> npt.NDArray[np.int16]:
        """One column of the labels `[N]`, by a name of the plan's `label_columns`."""
        return self.labels[:, self.plan.label_columns.index(name)]


def build_cache(
    path: str | os.PathLike[str],
    *,
    seed: int,
    count: int,
    size_px: int,
    start_index: int = 0,
    options: SceneOptions | None = None,
    num_processes: int = 1,
    progress: ProgressCallback | None = None,
) -> SceneCache:
    """`build_planned` for pictures; `options` None: the default ones."""
    plan = CachePlan(seed, start_index, count, size_px, options or SceneOptions())
    return build_planned(path, plan, num_processes=num_processes, progress=progress)


def build_planned(
    path: str | os.PathLike[str],
    plan: CachePlan,
    *,
    num_processes: int = 1,
    progress: ProgressCallback | None = None,
) -> SceneCache:
    """Render a cache into the folder `path` and open it; a finished one with the same plan is opened at once. It
    is rendered anew if another version of the renderer made it, and gets new captions if these have changed.

    An interrupted build goes on where it stopped; a second process that wants the same cache waits for the first and
    takes what that made. `num_processes` 1 renders in this process; more start that many
    others with one torch thread each (spawned: the calling script needs its `__main__` guard). An exception raised by
    `progress` stops the build, which can be resumed later.

    Raises DataError if the folder holds a finished cache of another plan, OutputError if it cannot be written or the
    disk has no room for all of it.
    """
    folder = Path(path)
    if is_rendered(folder, plan) and _has_new_words(folder):
        return open_cache(folder, expected=plan)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _taken(folder / _LOCK, lambda: progress(0, plan.count) if progress else None):
            if not is_rendered(folder, plan):
                _build(folder, plan, num_processes, progress)
            elif not _has_new_words(folder) and _read_header(folder)[0] == plan:
                _write_words(folder, plan)
                _write_header(folder, plan)
    except OSError as error:
        raise OutputError(f"cannot write the scene cache ({error})", path=folder) from error
    except BrokenProcessPool as error:
        raise OutputError("a rendering process died (out of memory?); build again to go on", path=folder) from error
    return open_cache(folder, expected=plan)


def is_rendered(folder: Path, plan: CachePlan) -> bool:
    """Whether the folder holds a finished cache that is not to be rendered anew: of `plan`, by this renderer, or of
    another plan, which opening it refuses. Raises DataError for one that cannot be read."""
    if not (folder / HEADER_NAME).exists():
        return False
    found, fingerprint = _read_header(folder)
    return found != plan or fingerprint == plan.fingerprint()


@contextmanager
def _taken(path: Path, meanwhile: Callable[[], object]) -> Generator[None]:
    """The lock at `path`; while another process holds it, `meanwhile` is called again and again."""
    lock = FileLock(path)
    while not lock.is_locked:
        try:
            lock.acquire(timeout=_LOCK_POLL_S)
        except Timeout:
            meanwhile()
    try:
        yield
    finally:
        lock.release()


def _has_new_words(folder: Path) -> bool:
    """Whether a finished cache has the captions of today; they can be written anew without rendering."""
    header = json.loads((folder / HEADER_NAME).read_text(encoding="utf-8"))
    return bool(header.get("captions", 1) == CAPTIONS_VERSION)


def _write_header(folder: Path, plan: CachePlan) -> None:
    _write_json(
        folder / HEADER_NAME,
        {
            "format": _FORMAT,
            "fingerprint": plan.fingerprint(),
            "captions": CAPTIONS_VERSION,
            "plan": plan.plain(),
        },
    )


def _build(folder: Path, plan: CachePlan, num_processes: int, progress: ProgressCallback | None) -> None:
    (folder / HEADER_NAME).unlink(missing_ok=True)
    _render_missing(folder, plan, num_processes, progress)
    _write_words(folder, plan)
    os.replace(folder / _PARTIAL, folder / _PICTURES)
    _write_header(folder, plan)
    (folder / _PROGRESS).unlink(missing_ok=True)


def open_cache(path: str | os.PathLike[str], *, expected: CachePlan | None = None) -> SceneCache:
    """Open a finished cache; with `expected` also check that it is that one.

    Raises DataError if it is missing, unfinished, truncated, from another renderer, or not the expected one.
    """
    folder = Path(path)
    plan, fingerprint = _read_header(folder)
    if fingerprint != plan.fingerprint():
        raise DataError("was made by another version of the renderer; build it again", path=folder)
    if expected is not None and plan != expected:
        raise DataError("holds other scenes than wanted; delete it or choose another folder", path=folder)
    pictures = _load(folder / _PICTURES, plan.shape, np.uint8)
    labels = np.array(_load(folder / _LABELS, (plan.count, len(plan.label_columns)), np.int16))
    rows = _read_captions(folder / _CAPTIONS, plan.count)
    return SceneCache(
        path=folder,
        plan=plan,
        pictures=pictures,
        labels=labels,
        captions=tuple(row["caption"] for row in rows),
        training_captions=tuple(row["training_caption"] for row in rows),
    )


def _read_header(folder: Path) -> tuple[CachePlan, str]:
    """The plan and the fingerprint that `cache.json` states."""
    try:
        header = json.loads((folder / HEADER_NAME).read_text(encoding="utf-8"))
        fields = dict(header["plan"])
        options = dict(fields.pop("options"))
        options["motions"] = tuple(options["motions"])
        timing = fields.pop("clip", None)
        clip = ClipTiming(**timing) if timing is not None else None
        plan = CachePlan(options=SceneOptions(**options), clip=clip, **fields)
        return plan, str(header["fingerprint"])
    except FileNotFoundError as error:
        raise DataError("is no finished scene cache; build it", path=folder) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ConfigError) as error:
        raise DataError(f"cannot be read ({error}); delete the folder and build it again", path=folder) from error


def _load(path: Path, shape: tuple[int, ...], kind: type[Any]) -> npt.NDArray[Any]:
    try:
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"is missing or truncated ({error}); delete the folder and rebuild it", path=path) from error
    if array.shape != shape or array.dtype != kind:
        raise DataError(f"holds {array.dtype} {array.shape} instead of {np.dtype(kind)} {shape}", path=path)
    return array


def _read_captions(path: Path, count: int) -> list[dict[str, str]]:
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read ({error})", path=path) from error
    if len(rows) != count:
        raise DataError(f"has {len(rows)} lines instead of {count}; delete the folder and build it again", path=path)
    return rows


def _write_words(folder: Path, plan: CachePlan) -> None:
    """Labels and captions, each under a temporary name first."""
    labels = np.empty((plan.count, len(plan.label_columns)), dtype=np.int16)
    lines = []
    for position in range(plan.count):
        spec = plan.spec(position)
        labels[position] = plan.labels(spec)
        lines.append(json.dumps({"caption": caption(spec), "training_caption": training_caption(spec)}))
    partial = folder / (_LABELS + ".partial")
    with partial.open("wb") as file:
        np.save(file, labels)
    os.replace(partial, folder / _LABELS)
    _write_text(folder / _CAPTIONS, "".join(line + "\n" for line in lines))


def _write_json(path: Path, content: dict[str, Any]) -> None:
    _write_text(path, json.dumps(content, indent=2))


def _write_text(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)


def _render_missing(folder: Path, plan: CachePlan, num_processes: int, progress: ProgressCallback | None) -> None:
    """Fill `pictures.npy.partial`; `progress.json` names the starts of the parts that are done."""
    done = _resume(folder, plan)
    missing = [start for start in range(0, plan.count, plan.per_task) if start not in done]
    with closing(_rendered(folder, plan, missing, num_processes)) as rendered:
        for start in rendered:
            done.add(start)
            _write_json(folder / _PROGRESS, {"fingerprint": plan.fingerprint(), "done": sorted(done)})
            if progress:
                progress(_num_done(plan, done), plan.count)


def _num_done(plan: CachePlan, done: set[int]) -> int:
    return sum(min(plan.per_task, plan.count - start) for start in done)


def _resume(folder: Path, plan: CachePlan) -> set[int]:
    """The parts done by an earlier build of the same plan; else an empty array is laid out and none is done."""
    done = _done_before(folder, plan)
    if done is None:
        (folder / _PARTIAL).unlink(missing_ok=True)
    _require_room(folder, plan.count - _num_done(plan, done or set()), plan)
    if done is None:
        np.lib.format.open_memmap(folder / _PARTIAL, mode="w+", dtype=np.uint8, shape=plan.shape).flush()
    return done or set()


def _done_before(folder: Path, plan: CachePlan) -> set[int] | None:
    """None: nothing usable is there."""
    try:
        state = json.loads((folder / _PROGRESS).read_text(encoding="utf-8"))
        _load(folder / _PARTIAL, plan.shape, np.uint8)
        return set(state["done"]) if state["fingerprint"] == plan.fingerprint() else None
    except (OSError, ValueError, KeyError, DataError):
        return None


def _require_room(folder: Path, num_missing: int, plan: CachePlan) -> None:
    """Raises OutputError unless the disk has room: a map that outgrows the disk ends the process without a word."""
    needed, free = num_missing * prod(plan.shape[1:]), shutil.disk_usage(folder).free
    if free < needed + SPARE_BYTES:
        raise OutputError(
            f"the rendered scenes need {needed / 1e6:,.0f} MB and the disk has {free / 1e6:,.0f} MB free; free some "
            "space, render fewer or smaller ones, or choose another folder",
            path=folder,
        )


def _rendered(folder: Path, plan: CachePlan, starts: list[int], num_processes: int) -> Generator[int, None, None]:
    """Render parts and yield the start of each as it is finished."""
    if num_processes <= 1:
        for start in starts:
            yield _render_part(folder, plan, start)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(num_processes, mp_context=context, initializer=torch.set_num_threads, initargs=(1,))
    with pool:
        waiting: set[Future[int]] = {pool.submit(_render_part, folder, plan, start) for start in starts}
        try:
            while waiting:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _render_part(folder: Path, plan: CachePlan, start: int) -> int:
    """Render one part into the array; runs in a worker process too."""
    stop = min(start + plan.per_task, plan.count)
    target = np.lib.format.open_memmap(folder / _PARTIAL, mode="r+")
    target[start:stop] = plan.rendered(start, stop)
    target.flush()
    return start
