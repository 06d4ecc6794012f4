"""Sources: what is trained on and what is held out, sizes, fingerprints, and settings that each change something."""

import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.helpers import clips as clip_files
from tests.helpers.picture_sets import encoded, picture, two_classes, write_folder, write_shards, write_tar, write_zip
from trainer.config import ClipsData, HubData, PicturesData, ScenesData
from trainer.data import facts
from trainer.data.opening import open_data
from trainer.data.pictures import PictureSamples, open_pictures
from trainer.data.samples import SampleSource
from trainer.data.scenes import open_scenes
from trainer.data.splitting import split
from ul_engine.data.fitting import cover
from ul_engine.errors import ConfigError, DataError

FILES = two_classes()


def opened(path: Path, *, seed: int = 0, **changes: object) -> tuple[PictureSamples, PictureSamples]:
    return open_pictures(PicturesData.model_validate({"path": str(path), "size_px": 16, **changes}), seed=seed)


def names(source: PictureSamples) -> list[str]:
    return [entry.name for entry in source.files.entries]


def same(source: SampleSource, other: SampleSource, epoch: int | None = None) -> bool:
    pairs = [(source.sample(index, epoch), other.sample(index, epoch)) for index in range(len(source))]
    return all(
        np.array_equal(one.frames, two.frames) and (one.caption, one.label) == (two.caption, two.label)
        for one, two in pairs
    )


def test_samples_are_what_the_engine_would_make_of_the_files(tmp_path: Path) -> None:
    for source in opened(write_folder(tmp_path / "all", FILES)):
        for index, name in enumerate(names(source)):
            sample, number = source.sample(index, None), int(name[-6:-4])
            plain = np.asarray(picture(number, *((30, 42) if number % 4 < 2 else (44, 30))))
            assert np.abs(sample.frames.astype(int) - cover(plain[None], (16, 16))).max() <= 1
            assert (sample.caption, sample.label) == (f"picture number {number}", number % 2)
            assert (source.caption(index), source.label(index)) == (sample.caption, sample.label)
        assert source.class_names == ("cat", "dog")
        assert source.has_captions
        assert not source.is_light
        assert source.buckets is None


def test_folder_zip_and_shards_give_the_same_samples(tmp_path: Path) -> None:
    paths = (
        write_zip(tmp_path / "all.zip", FILES),
        write_tar(tmp_path / "all.tar", FILES),
        write_shards(tmp_path / "shards", FILES),
    )
    expected = opened(write_folder(tmp_path / "all", FILES))
    for path in paths:
        for part, other in zip(opened(path), expected, strict=True):
            assert len(part) == len(other)
            in_order = [
                sorted(range(len(each)), key=lambda index, each=each: each.files.entries[index].name[-10:])
                for each in (part, other)
            ]
            for index, place in zip(*in_order, strict=True):
                assert np.array_equal(part.sample(index, None).frames, other.sample(place, None).frames)


def test_held_out_samples_stay_held_out_when_files_are_added(tmp_path: Path) -> None:
    train, valid = opened(write_folder(tmp_path / "all", FILES))
    assert len(valid) == 2
    assert sorted(names(train) + names(valid)) == sorted(name for name in FILES if name.endswith(".png"))
    everything = [f"{number}.png" for number in range(5000)]
    parts = [split(everything[:count], 100, what="pictures", path="x") for count in (4000, 5000)]
    assert [len(valid) for _, valid in parts] == [100, 100]
    assert len(set(parts[0][1].tolist()) & set(parts[1][1].tolist())) >= 60
    assert len(split(everything[:50], 100, what="pictures", path="x")[1]) == 5
    with pytest.raises(DataError, match="has 3 pictures that can be used; at least 4"):
        split(everything[:3], 100, what="pictures", path="x")


def test_the_first_held_out_samples_are_of_all_classes() -> None:
    """Files lie sorted by class; once, whoever took the first few held-out ones took one class alone."""
    files = [f"class-{label}/{number}.png" for label in range(5) for number in range(1000)]
    train, valid = split(files, 500, what="pictures", path="x")
    assert sorted([*train.tolist(), *valid.tolist()]) == list(range(5000))
    counts = np.bincount(valid[:100] // 1000, minlength=5)
    assert counts.min() >= 8  # 20 each, 4 standard deviations
    fewer = split(files, 50, what="pictures", path="x")[1]
    assert fewer.tolist() == valid[:50].tolist()


@pytest.mark.parametrize(
    "changes",
    [{"flip": True}, {"crop_scale": 0.3}, {"crop_position": "random"}, {"fit": "pad", "crop_scale": 0.3}],
)
def test_augmentations_change_training_and_nothing_else(changes: dict[str, object], tmp_path: Path) -> None:
    path = write_zip(tmp_path / "all.zip", FILES)
    fit = {"fit": changes.get("fit", "crop")}
    (plain, plain_valid), (train, valid) = opened(path, **fit), opened(path, **changes)
    assert same(train, plain)
    assert same(valid, plain_valid)
    assert not same(train, plain, epoch=0)
    assert same(train, opened(path, **changes)[0], epoch=3)
    assert not np.array_equal(train.sample(0, 0).frames, train.sample(0, 1).frames)
    if "flip" not in changes:
        assert not same(train, opened(path, seed=1, **changes)[0], epoch=3)
    assert (train.fingerprint, valid.fingerprint) == (plain.fingerprint, plain_valid.fingerprint)


def test_fingerprint_follows_what_samples_are(tmp_path: Path) -> None:
    path = write_folder(tmp_path / "all", FILES)
    fingerprints = [source.fingerprint for source in opened(path)]
    for changes in ({"size_px": 24}, {"fit": "pad"}, {"fit": "buckets", "bucket_step_px": 8}, {"captions": "none"}):
        fingerprints += [opened(path, **changes)[0].fingerprint]
    (path / "captions.csv").write_text("file,text\ncat/00.png,another\n")
    fingerprints += [opened(path)[0].fingerprint]
    assert len(set(fingerprints)) == len(fingerprints)


def test_shapes_of_buckets_and_padding(tmp_path: Path) -> None:
    train, _ = opened(write_zip(tmp_path / "all.zip", FILES), size_px=32, fit="buckets", bucket_step_px=8)
    assert train.buckets is not None
    assert len(set(train.buckets.tolist())) == 2
    for index, bucket in enumerate(train.buckets):
        height, width = train.shaping.shapes[bucket]
        assert train.sample(index, 1).frames.shape == (1, height, width, 3)
        assert (height > width) == (int(names(train)[index][-6:-4]) % 4 < 2)
    padded, _ = opened(write_zip(tmp_path / "all.zip", FILES), fit="pad")
    assert padded.sample(0, None).frames.shape == (1, 16, 16, 3)


def test_small_pictures_are_left_out_and_sizes_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = FILES | {f"cat/small{number}.png": encoded(picture(number, 20, 90)) for number in range(5)}
    path = write_zip(tmp_path / "all.zip", files)
    assert sum(len(part) for part in opened(path)) == 29
    kept = opened(path, min_px=30)
    assert sum(len(part) for part in kept) == 24
    monkeypatch.setattr(facts, "_all", None)  # would be called to read them again
    assert [names(part) for part in opened(path, min_px=30)] == [names(part) for part in kept]
    with pytest.raises(DataError, match="has 0 pictures that can be used"):
        opened(path, min_px=31)


def test_pickled_sources_give_the_same(tmp_path: Path) -> None:
    train, _ = opened(write_zip(tmp_path / "all.zip", FILES), flip=True, crop_scale=0.5)
    assert same(pickle.loads(pickle.dumps(train)), train, epoch=4)
    scenes, valid = open_data(ScenesData(size_px=16, num_train=6, num_valid=2, cache=str(tmp_path / "scenes")), seed=0)
    assert (len(scenes), len(valid), scenes.is_light, scenes.has_captions) == (6, 2, True, True)
    pickled = pickle.dumps(scenes)
    assert len(pickled) < 2000
    assert same(pickle.loads(pickled), scenes)
    assert scenes.sample(1, 0).frames.shape == (1, 16, 16, 3)
    assert (scenes.caption(1), scenes.label(1)) == (scenes.sample(1, 9).caption, scenes.sample(1, 9).label)


@pytest.mark.parametrize(("num_objects_max", "share", "pairs"), [(1, 1.0, 0), (2, 0.0, 0), (2, 1.0, 6)])
def test_scenes_of_two_objects(num_objects_max: int, share: float, pairs: int, tmp_path: Path) -> None:
    """One cache folder may hold all three: none is taken for another."""
    for other, other_share in ((1, 0.3), (1, 0.7), (num_objects_max, share)):
        data = ScenesData(
            size_px=16,
            num_train=6,
            num_valid=2,
            num_objects_max=other,
            two_object_share=other_share,
            cache=str(tmp_path / "scenes"),
        )
        train, _ = open_scenes(data)
    plan = train.cache.plan
    assert sum(len(plan.spec(index).objects) == 2 for index in range(6)) == pairs


def test_folders_without_samples_and_unreadable_headers_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no pictures \(\.jpg"):
        opened(write_folder(tmp_path / "texts", {"a.txt": b"x"}))
    path = write_folder(tmp_path / "all", {**FILES, "cat/broken.png": b"no picture"})
    with pytest.raises(DataError, match=r"cat/broken.png: is no picture .* run `ul-train data check`"):
        opened(path, min_px=1)


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """Five clips of 40 frames, 64 x 32 at 20 fps, and one of 6 frames."""
    for number in range(5):
        folder = tmp_path / "clips" / ("a", "b")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        clip_files.encode(folder / f"{number}.mp4", clip_files.marked(40), fps=20, options={"crf": "5"})
    clip_files.encode(tmp_path / "clips" / "a" / "short.mp4", clip_files.marked(6), fps=20)
    (tmp_path / "clips" / "a" / "0.txt").write_text("moving bars")
    return tmp_path / "clips"


def clips_opened(path: Path, **changes: object) -> tuple[SampleSource, SampleSource]:
    data = {"path": str(path), "size_px": 32, "num_frames": 4, "frame_stride": 3, **changes}
    return open_data(ClipsData.model_validate(data), seed=0)


def test_short_clips_are_left_out_and_rates_changed(videos: Path) -> None:
    train, valid = clips_opened(videos, num_frames=5, frame_stride=3, fps=10)
    assert (len(train), len(valid), train.class_names) == (3, 2, ("a", "b"))
    assert {train.caption(index) for index in range(3)} | {valid.caption(index) for index in range(2)} == {
        "",
        "moving bars",
    }
    frames, every = train.sample(0, 0).frames, clips_opened(videos, num_frames=5, frame_stride=6)[0].sample(0, 0).frames
    assert frames.shape == every.shape
    assert train.fingerprint != clips_opened(videos, num_frames=5, frame_stride=6)[0].fingerprint
    with pytest.raises(DataError, match="but none has 61 frames"):
        clips_opened(videos, num_frames=61, frame_stride=1)


def test_frames_of_a_clip_and_all_cut_alike(videos: Path) -> None:
    train, valid = clips_opened(videos)
    assert len(train) + len(valid) == 5
    files = train.files.collection  # type: ignore[attr-defined]
    assert files.path == videos
    starts = set()
    for epoch in range(12):
        frames = train.sample(0, epoch).frames
        assert frames.shape == (4, 32, 32, 3)
        wide = _uncut(train, 0, epoch)
        numbers = [clip_files.number_in(frame) for frame in wide]
        assert np.diff(numbers).tolist() == [3, 3, 3]
        starts.add(numbers[0])
    assert len(starts) > 4
    middle = [clip_files.number_in(frame) for frame in _uncut(train, 0, None)]
    assert middle == [15, 18, 21, 24]


def _uncut(source: SampleSource, index: int, epoch: int | None) -> np.ndarray:
    """The whole frames of a sample: 64 x 32 pixels are cut to squares, which would hide half of the bars."""
    from trainer.data.clips import span
    from trainer.data.fitting import first_frame
    from ul_engine.media.reading import read_clip

    config, entry = source.config, source.files.entries[index]  # type: ignore[attr-defined]
    room = 40 - span(config)
    start = first_frame(room, seed=0, index=index, epoch=epoch)
    clip = read_clip(source.files.collection.as_file(entry), start=start, num_frames=4, stride=3)  # type: ignore[attr-defined]
    square = source.sample(index, epoch).frames
    assert np.abs(square.astype(int) - clip.frames[:, :, 16:48]).max() <= 1
    return clip.frames


def test_clips_in_archives_are_the_same(videos: Path, tmp_path: Path) -> None:
    files = {str(path.relative_to(videos)): path.read_bytes() for path in videos.rglob("*.*")}
    expected = clips_opened(videos, flip=True, crop_scale=0.5)
    for path in (write_zip(tmp_path / "clips.zip", files), write_tar(tmp_path / "clips.tar", files)):
        for part, other in zip(clips_opened(path, flip=True, crop_scale=0.5), expected, strict=True):
            assert same(part, other)
            assert same(part, other, epoch=1)
    assert not same(expected[0], clips_opened(videos)[0], epoch=1)


def test_hub_sets_need_their_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ConfigError, match=r"pip install 'ul-studio\[hub-datasets\]'") as caught:
        open_data(HubData(path=str(tmp_path)), seed=0)
    assert caught.value.field == "data.kind"
