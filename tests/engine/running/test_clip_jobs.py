"""Clips by a tiny model of clips: lengths, what they continue from, their news, and stopping at any step."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.desk import SAMPLING, Counted, Desk, largest_difference
from tests.helpers.tiny import class_conditioning, randomised, simple_pictures, text_conditioning, tiny_config
from tests.helpers.tiny_clips import clip_config
from ul_engine import protocol as p
from ul_engine.data.image_files import write_picture
from ul_engine.data.pixels import Uint8Array
from ul_engine.errors import Cancelled, CheckpointError, ConfigError, DataError
from ul_engine.outputs import write_clip
from ul_engine.requests import GenerateRequest, GuidanceSettings

CONTEXT, WINDOW, FPS = 3, 8, 8


@pytest.fixture
def desk() -> Desk:
    """8 frames at once, 3 of them before; at 8 frames per second. Its weights are large, so that the frames before
    matter."""
    desk = Desk(clip_config(2, num_frames=WINDOW, context_frames=CONTEXT))
    randomised(desk.pipeline.model, gain=1.2)
    return desk


def frames_of(count: int, *, seed: int = 0, height: int = 16, width: int = 16) -> Uint8Array:
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def saved(path: Path, frames: Uint8Array, fps: float = FPS) -> str:
    """A real file, without loss."""
    write_clip(path, frames, fps)
    return str(path)


# ---- lengths --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("num_frames", [None, 1, 5, 8, 9, 13, 14])
def test_clips_of_any_length(desk: Desk, num_frames: int | None) -> None:
    (clip,) = desk.generate(num_frames=num_frames, width_px=20)
    assert clip.shape == (num_frames or WINDOW, 16, 20, 3)
    (news,) = desk.news(p.ImageResult)
    assert news.fps == FPS


def test_longer_clips_begin_as_shorter_ones(desk: Desk) -> None:
    (long,), (short,) = desk.generate(num_frames=15), desk.generate(num_frames=WINDOW)
    assert np.array_equal(long[:WINDOW], short)
    later = {frame.tobytes() for frame in long[WINDOW:]}
    assert len(later) == 7


def test_each_clip_of_a_batch_can_be_made_again_alone(desk: Desk) -> None:
    request = GenerateRequest(model="m", sampling=SAMPLING, num_images=3, seed=4, num_frames=10, preview=False)
    together = desk.run(request)
    assert [news.seed for news in desk.news(p.ImageResult)] == [4, 5, 6]
    for index in (1, 2):
        (alone,) = desk.run(request.for_single(index))
        assert largest_difference(alone, together[index]) <= 2


def test_a_variation_of_a_clip_varies_every_window(desk: Desk) -> None:
    (plain,) = desk.generate(num_frames=13, seed=1)
    (varied,) = desk.generate(num_frames=13, seed=1, variation_seed=5, variation_strength=0.4)
    assert not np.array_equal(plain[:WINDOW], varied[:WINDOW])
    (all_the_way,) = desk.generate(num_frames=13, seed=1, variation_seed=5, variation_strength=1.0)
    (second,) = desk.generate(num_frames=13, seed=5)
    assert np.array_equal(all_the_way, second)


def test_prompts_and_classes_of_clips() -> None:
    for conditioning, first, second in (
        (text_conditioning(), {"prompt": "a red cube"}, {"prompt": "a green cube"}),
        (class_conditioning(2), {"class_label": 0}, {"class_label": 1}),
    ):
        desk = Desk(clip_config(2, context_frames=CONTEXT, conditioning=conditioning))
        clips = [desk.generate(num_frames=10, **fields)[0] for fields in (first, second, {})]
        assert len({clip.tobytes() for clip in clips}) == 3
        assert all(not np.array_equal(clips[0][part], clips[1][part]) for part in (slice(0, 8), slice(8, 10)))


# ---- going on -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("num_frames", "wanted"), [(None, WINDOW - CONTEXT), (2, 2), (5, 5), (6, 6), (12, 12)])
def test_a_clip_goes_on_by_as_many_frames_as_asked(
    desk: Desk, tmp_path: Path, num_frames: int | None, wanted: int
) -> None:
    clip = saved(tmp_path / "a.mkv", frames_of(6))
    (made,) = desk.generate(continue_from=clip, num_frames=num_frames)
    assert made.shape == (wanted, 16, 16, 3)


def test_only_the_last_frames_count_and_they_do(desk: Desk, tmp_path: Path) -> None:
    frames = frames_of(20)
    whole = saved(tmp_path / "whole.mkv", frames)
    tail = saved(tmp_path / "tail.mkv", frames[-CONTEXT:])
    other = saved(tmp_path / "other.mkv", np.concatenate([frames[:-1], frames_of(1, seed=9)]))
    (first,), (second,), (third,) = (desk.generate(continue_from=clip) for clip in (whole, tail, other))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, third)


def test_a_clip_of_another_rate_is_brought_to_the_models(desk: Desk, tmp_path: Path) -> None:
    """Of 16 frames per second every other counts, of 4 each stands for two."""
    frames = frames_of(12)
    wanted = desk.generate(continue_from=saved(tmp_path / "a.mkv", frames))
    twice = saved(tmp_path / "twice.mkv", np.repeat(frames, 2, axis=0), 16)
    half = saved(tmp_path / "half.mkv", frames_of(3), 4)
    repeated = saved(tmp_path / "repeated.mkv", np.repeat(frames_of(3), 2, axis=0))
    assert np.array_equal(desk.generate(continue_from=twice)[0], wanted[0])
    assert np.array_equal(desk.generate(continue_from=half)[0], desk.generate(continue_from=repeated)[0])


def test_a_short_clip_goes_on_too(desk: Desk, tmp_path: Path) -> None:
    """Its first frame stands for those before it."""
    one = frames_of(1)
    short = saved(tmp_path / "short.mkv", one)
    long = saved(tmp_path / "long.mkv", np.repeat(one, CONTEXT, axis=0))
    assert np.array_equal(desk.generate(continue_from=short)[0], desk.generate(continue_from=long)[0])


def test_a_clip_of_another_size_is_cut_to_the_asked_one(desk: Desk, tmp_path: Path) -> None:
    frames = frames_of(4, width=28)
    wide = saved(tmp_path / "wide.mkv", frames)
    cut = saved(tmp_path / "cut.mkv", frames[:, :, 6:22])
    assert np.array_equal(desk.generate(continue_from=wide)[0], desk.generate(continue_from=cut)[0])
    assert desk.generate(continue_from=wide, width_px=24, height_px=18)[0].shape == (5, 18, 24, 3)


def test_a_generated_clip_goes_on_like_itself(desk: Desk, tmp_path: Path) -> None:
    """8-bit rounding aside, the frames after a saved clip are those a longer one would have had."""
    (long,) = desk.generate(num_frames=13, seed=2)
    (after,) = desk.generate(continue_from=saved(tmp_path / "a.mkv", long[:WINDOW]), seed=2)
    (other,) = desk.generate(continue_from=saved(tmp_path / "b.mkv", frames_of(8)), seed=2)
    away, far = (np.abs(clip.astype(int) - long[WINDOW:]).mean() for clip in (after, other))
    assert away < 0.1 * far


def test_a_lossy_film_and_an_animation(desk: Desk, tmp_path: Path) -> None:
    for name in ("a.mp4", "a.gif", "a.webp"):
        (made,) = desk.generate(continue_from=saved(tmp_path / name, frames_of(9)), num_images=1)
        assert made.shape == (5, 16, 16, 3)


# ---- news -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("num_images", "batch_size"), [(1, 8), (3, 2)])
@pytest.mark.parametrize("continues", [False, True])
def test_progress_rises_to_the_end_over_all_windows(
    desk: Desk, tmp_path: Path, num_images: int, batch_size: int, continues: bool
) -> None:
    clip = saved(tmp_path / "a.mkv", frames_of(4)) if continues else None
    desk.generate(num_frames=13, num_images=num_images, batch_size=batch_size, continue_from=clip)
    progress = desk.news(p.JobProgress)
    fractions = [news.fraction for news in progress]
    windows = 3 if continues else 2
    batches = -(-num_images // batch_size)
    assert len(progress) == batches * windows * 7
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1.0)
    first = [fraction for fraction, news in zip(fractions, progress, strict=True) if news.first_index == 0]
    share = min(batch_size, num_images) / num_images
    assert first == pytest.approx([share * step / (windows * 7) for step in range(1, windows * 7 + 1)])


@pytest.mark.parametrize("continues", [False, True])
def test_previews_are_one_frame_of_each_clip(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, continues: bool
) -> None:
    monkeypatch.setattr("ul_engine.jobs.previews.PREVIEW_INTERVAL_S", 0.0)
    monkeypatch.setattr("ul_engine.jobs.previews.GLIMPSE_INTERVAL_S", 0.0)
    clip = saved(tmp_path / "a.mkv", frames_of(4)) if continues else None
    desk.generate(num_frames=13, num_images=2, width_px=18, continue_from=clip, preview=True)
    previews = [(news, payload) for news, payload in desk.sent if isinstance(news, p.JobPreview)]
    assert len(previews) == len(desk.news(p.JobProgress))
    for news, payload in previews:
        assert news.shape == (2, 16, 18, 3)
        assert len(payload) == 2 * 16 * 18 * 3


def test_previews_change_nothing(desk: Desk) -> None:
    assert np.array_equal(desk.generate(num_frames=9, preview=True)[0], desk.generate(num_frames=9)[0])


@pytest.mark.parametrize("stop_after", [1, 3, 6, 8, 13])
def test_stopping_takes_effect_within_one_step_of_any_window(desk: Desk, stop_after: int) -> None:
    plain = SAMPLING.model_copy(update={"guidance": GuidanceSettings(weight=1.0)})
    request = GenerateRequest(model="m", sampling=plain, num_images=1, num_frames=13, preview=False)
    model = desk.pipeline.model
    with Counted(model.base) as base, Counted(model.decoder) as decoder, pytest.raises(Cancelled):
        desk.run(request, lambda: len(desk.sent) >= stop_after)
    assert len(desk.sent) == stop_after
    assert len(base) + len(decoder) == stop_after + 1


# ---- what cannot be -------------------------------------------------------------------------------------------------


def test_pictures_are_no_clips(tmp_path: Path) -> None:
    desk, clip = Desk(tiny_config()), saved(tmp_path / "a.mkv", frames_of(4))
    with pytest.raises(ConfigError, match="num_frames: this model makes pictures"):
        desk.generate(num_frames=2)
    with pytest.raises(ConfigError, match="continue_from: this model makes pictures"):
        desk.generate(continue_from=clip)
    assert desk.generate(num_frames=1)[0].shape == (1, 16, 16, 3)


def test_a_model_that_continues_nothing(tmp_path: Path) -> None:
    desk = Desk(clip_config(2, num_frames=WINDOW, context_frames=0))
    with pytest.raises(ConfigError, match="without frames to continue from"):
        desk.generate(continue_from=saved(tmp_path / "a.mkv", frames_of(4)))
    with pytest.raises(ConfigError, match="at most 8 frames"):
        desk.generate(num_frames=9)
    assert desk.generate(num_frames=8)[0].shape[0] == 8


def test_an_encoder_is_needed_to_go_on(tmp_path: Path) -> None:
    config = clip_config(2, num_frames=WINDOW, context_frames=CONTEXT)
    desk = Desk(config, without=frozenset(("encoder",)))
    with pytest.raises(CheckpointError, match="no encoder"):
        desk.generate(continue_from=saved(tmp_path / "a.mkv", frames_of(4)))


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: None, "there is no such file"),
    "empty": (lambda path: path.write_bytes(b""), "is empty"),
    "text": (lambda path: path.write_text("no film at all, but a text" * 40), "is no video"),
    "picture": (lambda path: write_picture(path.with_suffix(".png"), simple_pictures(1)[0]), "a single picture"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_files_that_cannot_be_continued_are_named(desk: Desk, tmp_path: Path, kind: str) -> None:
    make, reason = BROKEN[kind]
    path = tmp_path / "a.mp4"
    make(path)
    path = path.with_suffix(".png") if kind == "picture" else path
    with pytest.raises(DataError, match=reason) as caught:
        desk.generate(continue_from=str(path))
    assert str(path) in str(caught.value)


def test_a_film_that_is_cut_short_has_lost_its_end(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    saved(path, frames_of(30, height=64, width=64))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match="cut short"):
        desk.generate(continue_from=str(path))
