"""Rendered scenes on disk: one memory-mapped array of pictures with labels and captions beside it.

A cache is a folder: `pictures.npy` (uint8 `[N, H, W, 3]`), `labels.npy` (int16 `[N, 8]`, columns `LABEL_COLUMNS`),
`captions.jsonl` (a line per picture: caption, training_caption) and `cache.json`, which is written last: a folder
without it is unfinished. `cache.json` carries a fingerprint of everything that decides a pixel, so that a cache made by
another renderer or for other options is never taken for the right one.
"""

import json
import multiprocessing
import os
from collections.abc import Callable, Generator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ul_engine.data.scenes.captions import caption, training_caption
from ul_engine.data.scenes.grammar import ATTRIBUTE_WORDS
from ul_engine.data.scenes.labels import attribute_labels, class_label
from ul_engine.data.scenes.layout import scene_spec
from ul_engine.data.scenes.render import RENDERER_VERSION, render_scenes
from ul_engine.data.scenes.spec import SceneOptions, SceneSpec
from ul_engine.errors import ConfigError, DataError, OutputError

LABEL_COLUMNS = ("class", *ATTRIBUTE_WORDS)
_FORMAT = "ul-scenes-cache-2"
_PICTURES_PER_TASK = 128
_PICTURES, _LABELS, _CAPTIONS, _HEADER = "pictures.npy", "labels.npy", "captions.jsonl", "cache.json"
_PARTIAL, _PROGRESS = "pictures.npy.partial", "progress.json"

ProgressCallback = Callable[[int, int], None]
"""Called with (pictures rendered, pictures wanted)."""


@dataclass(frozen=True, slots=True)
class CachePlan:
    """What a cache holds: scenes start_index .. start_index + count - 1 of the series `seed`."""

    seed: int
    start_index: int
    count: int
    size_px: int
    options: SceneOptions

    def __post_init__(self) -> None:
        if self.count < 1 or self.start_index < 0:
            raise ConfigError("needs at least one picture and no negative index", field="scenes.count")

    def fingerprint(self) -> str:
        """Hexadecimal hash over the plan and the renderer's version."""
        text = json.dumps({"format": _FORMAT, "renderer": RENDERER_VERSION, **asdict(self)}, sort_keys=True)
        return blake2b(text.encode(), digest_size=16).hexdigest()

    def spec(self, position: int) -> SceneSpec:
        """The scene of the picture at a position of the array."""
        return scene_spec(self.seed, self.start_index + position, self.options)


@dataclass(frozen=True)
class SceneCache:
    """An opened cache. pictures: read-only memory map, uint8 `[N, H, W, 3]`; labels: int16 `[N, 8]`."""

    path: Path
    plan: CachePlan
    pictures: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int16]
    captions: tuple[str, ...]
    training_captions: tuple[str, ...]

    def label(self, name: str) -> npt.NDArray[np.int16]:
        """One column of the labels `[N]`, by a name of `LABEL_COLUMNS`."""
        return self.labels[:, LABEL_COLUMNS.index(name)]


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
    """Render a cache into the folder `path` and open it; a finished one with the same plan is opened at once, and
    rendered anew if another version of the renderer made it.

    An interrupted build goes on where it stopped. `num_processes` 1 renders in this process; more start that many
    others with one torch thread each (spawned: the calling script needs its `__main__` guard). An exception raised by
    `progress` stops the build, which can be resumed later.

    Raises DataError if the folder holds a finished cache of another plan, OutputError if it cannot be written.
    """
    folder = Path(path)
    plan = CachePlan(seed, start_index, count, size_px, options or SceneOptions())
    if (folder / _HEADER).exists():
        found, fingerprint = _read_header(folder)
        if found != plan or fingerprint == plan.fingerprint():
            return open_cache(folder, expected=plan)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _HEADER).unlink(missing_ok=True)
        _render_missing(folder, plan, num_processes, progress)
        _write_words(folder, plan)
        os.replace(folder / _PARTIAL, folder / _PICTURES)
        _write_json(folder / _HEADER, {"format": _FORMAT, "fingerprint": plan.fingerprint(), "plan": asdict(plan)})
        (folder / _PROGRESS).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write the scene cache ({error})", path=folder) from error
    except BrokenProcessPool as error:
        raise OutputError("a rendering process died (out of memory?); build again to go on", path=folder) from error
    return open_cache(folder, expected=plan)


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
    pictures = _load(folder / _PICTURES, (plan.count, plan.size_px, plan.size_px, 3), np.uint8)
    labels = np.array(_load(folder / _LABELS, (plan.count, len(LABEL_COLUMNS)), np.int16))
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
        header = json.loads((folder / _HEADER).read_text(encoding="utf-8"))
        fields = dict(header["plan"])
        options = dict(fields.pop("options"))
        options["motions"] = tuple(options["motions"])
        plan = CachePlan(options=SceneOptions(**options), **fields)
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
    labels = np.empty((plan.count, len(LABEL_COLUMNS)), dtype=np.int16)
    lines = []
    for position in range(plan.count):
        spec = plan.spec(position)
        labels[position] = (class_label(spec), *attribute_labels(spec).values())
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
    missing = [start for start in range(0, plan.count, _PICTURES_PER_TASK) if start not in done]
    with closing(_rendered(folder, plan, missing, num_processes)) as rendered:
        for start in rendered:
            done.add(start)
            _write_json(folder / _PROGRESS, {"fingerprint": plan.fingerprint(), "done": sorted(done)})
            if progress:
                progress(sum(min(_PICTURES_PER_TASK, plan.count - first) for first in done), plan.count)


def _resume(folder: Path, plan: CachePlan) -> set[int]:
    """The parts done by an earlier build of the same plan; else an empty array is laid out and none is done."""
    shape = (plan.count, plan.size_px, plan.size_px, 3)
    try:
        state = json.loads((folder / _PROGRESS).read_text(encoding="utf-8"))
        _load(folder / _PARTIAL, shape, np.uint8)
        if state["fingerprint"] == plan.fingerprint():
            return set(state["done"])
    except (OSError, ValueError, KeyError, DataError):
        pass  # nothing usable is there: begin anew
    np.lib.format.open_memmap(folder / _PARTIAL, mode="w+", dtype=np.uint8, shape=shape).flush()
    return set()


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
    stop = min(start + _PICTURES_PER_TASK, plan.count)
    pictures = render_scenes([plan.spec(position) for position in range(start, stop)], size_px=plan.size_px)
    target = np.lib.format.open_memmap(folder / _PARTIAL, mode="r+")
    target[start:stop] = pictures[:, :, 0].permute(0, 2, 3, 1).numpy()
    target.flush()
    return start
