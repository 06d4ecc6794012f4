"""The render cache: content, resuming, and refusing what is not the wanted one."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

import numpy as np
import pytest

from ul_engine.data.scenes import cache as cache_module
from ul_engine.data.scenes.cache import CachePlan, ClipTiming, SceneCache, build_cache, build_planned, open_cache
from ul_engine.data.scenes.captions import caption, training_caption
from ul_engine.data.scenes.grammar import MOTIONS
from ul_engine.data.scenes.labels import CLASS_NAMES, class_label
from ul_engine.data.scenes.layout import scene_spec
from ul_engine.data.scenes.render import RENDERER_VERSION, render_scenes
from ul_engine.data.scenes.spec import SceneOptions
from ul_engine.errors import ConfigError, DataError, OutputError

CLIPS = CachePlan(5, 7, 6, 16, SceneOptions(motions=("bounce", "orbit")), ClipTiming(3, 4.0))


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def small_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "_PICTURES_PER_TASK", 4)


def _build(path: Path, *, seed: int = 5, start_index: int = 100, size_px: int = 16, count: int = 10) -> SceneCache:
    return build_cache(path, seed=seed, start_index=start_index, count=count, size_px=size_px)


def test_cache_holds_the_scenes(tmp_path: Path, small_tasks: None) -> None:
    calls: list[tuple[int, int]] = []
    built = build_cache(
        tmp_path / "c",
        seed=5,
        start_index=100,
        count=10,
        size_px=16,
        progress=lambda done, all_: calls.append((done, all_)),
    )
    assert calls == [(4, 10), (8, 10), (10, 10)]
    specs = [scene_spec(5, index) for index in range(100, 110)]
    wanted = render_scenes(specs, size_px=16)[:, :, 0].permute(0, 2, 3, 1).numpy().astype(int)
    assert np.abs(built.pictures.astype(int) - wanted).max() <= 1
    assert built.pictures.dtype == np.uint8
    assert not built.pictures.flags.writeable
    assert built.captions == tuple(caption(spec) for spec in specs)
    assert built.training_captions == tuple(training_caption(spec) for spec in specs)
    assert built.label("class").tolist() == [class_label(spec) for spec in specs]
    first = built.captions[0].split(" on ")[0]
    assert CLASS_NAMES[built.label("class")[0]].split()[1] in first
    assert not list((tmp_path / "c").glob("*.partial"))


def test_processes_render_the_same(tmp_path: Path) -> None:
    alone = _build(tmp_path / "alone")
    shared = build_cache(tmp_path / "two", seed=5, start_index=100, count=10, size_px=16, num_processes=2)
    assert np.array_equal(alone.pictures, shared.pictures)


def test_interrupted_build_goes_on(tmp_path: Path, small_tasks: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(done: int, wanted: int) -> None:
        if done == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_cache(tmp_path, seed=5, start_index=100, count=10, size_px=16, progress=stop)
    with pytest.raises(DataError, match="no finished"):
        open_cache(tmp_path)
    rendered: list[int] = []
    render_part = cache_module._render_part

    def counted(folder: Path, plan: CachePlan, start: int) -> int:
        rendered.append(start)
        return render_part(folder, plan, start)

    monkeypatch.setattr(cache_module, "_render_part", counted)
    resumed = _build(tmp_path)
    assert rendered == [8]
    assert np.array_equal(resumed.pictures, _build(tmp_path.parent / "fresh").pictures)


def test_two_that_want_the_same_cache(tmp_path: Path, small_tasks: None) -> None:
    """The second waits while the first renders, may be stopped meanwhile, and then takes what the first made."""
    rendering, may_end = Event(), Event()

    def hold(done: int, wanted: int) -> None:
        rendering.set()
        assert may_end.wait(60)

    def give_up(done: int, wanted: int) -> None:
        raise KeyboardInterrupt

    with ThreadPoolExecutor() as pool:
        wanted: dict[str, Any] = {"seed": 5, "start_index": 100, "count": 10, "size_px": 16}
        first = pool.submit(build_cache, tmp_path, progress=hold, **wanted)
        assert rendering.wait(60)
        with pytest.raises(KeyboardInterrupt):
            build_cache(tmp_path, progress=give_up, **wanted)
        second = pool.submit(build_cache, tmp_path, progress=lambda done, count: may_end.set(), **wanted)
        assert np.array_equal(first.result().pictures, second.result().pictures)
    assert np.array_equal(first.result().pictures, _build(tmp_path.parent / "alone").pictures)


def test_finished_cache_is_not_rendered_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _build(tmp_path)
    monkeypatch.setattr(cache_module, "_render_part", None)
    _build(tmp_path)


def test_other_captions_need_no_rendering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _build(tmp_path)
    monkeypatch.setattr(cache_module, "CAPTIONS_VERSION", -1)
    monkeypatch.setattr(cache_module, "training_caption", lambda spec: "something else")
    monkeypatch.setattr(cache_module, "_render_part", None)
    after = _build(tmp_path)
    assert set(after.training_captions) == {"something else"} != set(before.training_captions)
    assert after.captions == before.captions
    monkeypatch.setattr(cache_module, "_write_words", None)
    assert _build(tmp_path).training_captions == after.training_captions


def test_cache_of_an_older_renderer_is_refused_and_built_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _build(tmp_path)
    monkeypatch.setattr(cache_module, "RENDERER_VERSION", -1)
    with pytest.raises(DataError, match="another version"):
        open_cache(tmp_path)
    _build(tmp_path)
    open_cache(tmp_path)


@pytest.mark.parametrize("changed", [{"seed": 6}, {"start_index": 0}, {"size_px": 8}, {"count": 9}])
def test_another_plan_is_refused(tmp_path: Path, changed: dict[str, int]) -> None:
    _build(tmp_path)
    with pytest.raises(DataError, match="other scenes"):
        _build(tmp_path, **changed)


def test_fingerprint_covers_the_options() -> None:
    plans = [CachePlan(1, 0, 8, 16, options) for options in (SceneOptions(), SceneOptions(2), SceneOptions(2, 0.1))]
    assert len({plan.fingerprint() for plan in plans}) == 3
    with pytest.raises(ConfigError, match="at least one"):
        CachePlan(1, 0, 0, 16, SceneOptions())


def test_clips_show_their_motion_and_name_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "_CLIPS_PER_TASK", 4)
    built = build_planned(tmp_path, CLIPS)
    specs = [CLIPS.spec(position) for position in range(6)]
    assert {spec.motion.name for spec in specs} == {"bounce", "orbit"}
    wanted = render_scenes(specs, size_px=16, num_frames=3, frames_per_second=4.0).permute(0, 2, 3, 4, 1).numpy()
    assert built.pictures.shape == (6, 3, 16, 16, 3)
    assert np.abs(built.pictures.astype(int) - wanted).max() <= 1
    assert (built.pictures[:, 0] != built.pictures[:, 1]).any(axis=(1, 2, 3)).all()
    assert [MOTIONS[number] for number in built.label("motion")] == [spec.motion.name for spec in specs]
    assert built.label("class").tolist() == [class_label(spec) for spec in specs]
    assert built.captions == tuple(caption(spec) for spec in specs)
    assert all(text.endswith((", bouncing", ", seen by an orbiting camera")) for text in built.captions)
    assert open_cache(tmp_path, expected=CLIPS).plan == CLIPS


def test_a_cache_of_pictures_is_what_it_was_before_there_were_clips(tmp_path: Path) -> None:
    plan = _build(tmp_path).plan
    options = {"num_objects_max": 1, "two_object_fraction": 0.4, "motions": ["still"]}
    fields = {"seed": 5, "start_index": 100, "count": 10, "size_px": 16, "options": options}
    assert json.loads((tmp_path / "cache.json").read_text())["plan"] == fields
    text = json.dumps({"format": "ul-scenes-cache-2", "renderer": RENDERER_VERSION, **fields}, sort_keys=True)
    assert plan.fingerprint() == blake2b(text.encode(), digest_size=16).hexdigest()


def test_fingerprint_covers_the_times_of_the_frames() -> None:
    timings = (None, ClipTiming(3, 4.0), ClipTiming(4, 4.0), ClipTiming(3, 5.0))
    plans = [CachePlan(5, 7, 6, 16, CLIPS.options, timing) for timing in timings]
    assert len({plan.fingerprint() for plan in plans}) == 4
    for num_frames, fps in ((0, 8.0), (4, 0.0)):
        with pytest.raises(ConfigError, match="at least one frame"):
            ClipTiming(num_frames, fps)


def test_a_disk_without_room_is_told_before_anything_is_laid_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = CachePlan(5, 0, 20_000, 64, CLIPS.options, ClipTiming(16, 8.0))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 10**12 - 2 * 10**9, 2 * 10**9))
    with pytest.raises(OutputError, match=r"need 3,932 MB and the disk has 2,000 MB free; free some space"):
        build_planned(tmp_path, large)
    assert {path.name for path in tmp_path.iterdir()} <= {".lock"}
    build_planned(tmp_path, CLIPS)


def test_what_is_rendered_already_needs_no_room(
    tmp_path: Path, small_tasks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(done: int, wanted: int) -> None:
        if done == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_cache(tmp_path, seed=5, start_index=100, count=10, size_px=16, progress=stop)
    free = 2 * 16 * 16 * 3 + cache_module.SPARE_BYTES
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 10**12 - free, free))
    _build(tmp_path)


@pytest.mark.parametrize("name", ["pictures.npy", "labels.npy", "captions.jsonl", "cache.json"])
def test_damage_is_reported(tmp_path: Path, name: str) -> None:
    _build(tmp_path)
    file = tmp_path / name
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(DataError) as caught:
        open_cache(tmp_path)
    assert str(tmp_path) in str(caught.value)
    file.unlink()
    with pytest.raises(DataError):
        open_cache(tmp_path)


def test_pictures_of_another_shape_are_refused(tmp_path: Path) -> None:
    _build(tmp_path)
    np.save(tmp_path / "pictures.npy", np.zeros((10, 8, 8, 3), np.uint8))
    with pytest.raises(DataError, match="instead of"):
        open_cache(tmp_path)
    header = json.loads((tmp_path / "cache.json").read_text())
    header["plan"]["seed"] = 99
    (tmp_path / "cache.json").write_text(json.dumps(header))
    with pytest.raises(DataError, match="another version"):
        open_cache(tmp_path)
