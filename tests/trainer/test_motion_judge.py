"""The classifier of clips learns to tell motions; drift of chained continuations is measured with it."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from tests.helpers.tiny import randomised, text_conditioning, tiny_config, tiny_model
from tests.helpers.tiny_clips import drawn
from trainer.config.data import MOVING
from trainer.finishing.drift import KEPT, MotionTest, drift, drift_by_keeping, drift_of_renders
from trainer.finishing.motion_judge import QUESTIONS, ClipClassifier, trained_motion_judge
from trainer.finishing.prompting import generate_for
from ul_engine.config import VideoConfig
from ul_engine.data.pixels import clips_from_frames
from ul_engine.data.scenes.cache import CachePlan, ClipTiming, SceneCache, build_planned
from ul_engine.data.scenes.captions import caption
from ul_engine.data.scenes.render import render_scenes
from ul_engine.data.scenes.spec import SceneOptions, SceneSpec
from ul_engine.errors import ConfigError, ShapeError
from ul_engine.pipelines import Pipeline
from ul_engine.presets.words import MOVING_WORDS
from ul_engine.requests import SamplerName, SamplerSettings, SamplingSettings

STEPS = SamplerSettings(name=SamplerName.DPMPP_2M, num_steps=1)
SAMPLING = SamplingSettings(base=STEPS, decoder=STEPS)
TIMING = ClipTiming(8, 8.0)


def cache_of(folder: Path, count: int, seed: int = 1, timing: ClipTiming = TIMING, **options: object) -> SceneCache:
    wanted = SceneOptions(motions=("bounce", "orbit"), **options)  # type: ignore[arg-type]
    return build_planned(folder, CachePlan(seed, 0, count, 16, wanted, timing))


def clips_of(cache: SceneCache) -> torch.Tensor:
    return clips_from_frames(torch.from_numpy(cache.pictures.copy()))


def test_it_learns_what_it_is_shown(tmp_path: Path) -> None:
    """Sixty steps on 64 clips: it knows these by heart, and tells two motions of unseen ones apart."""
    torch.set_num_threads(1)
    train, valid = cache_of(tmp_path / "train", 64), cache_of(tmp_path / "valid", 40, seed=2)
    judge = trained_motion_judge(train, tmp_path / "kept", num_steps=60)
    known = judge.accuracy_on(train)
    assert set(known) == {*QUESTIONS, "all"}
    assert known["motion"] > 0.95
    assert known["color"] > 0.9
    assert judge.accuracy_on(valid)["motion"] > 0.75
    specs = [train.plan.spec(index) for index in range(64)]
    assert judge.accuracy(clips_of(train), specs) == known
    assert judge.accuracy(-clips_of(train), specs)["color"] < 0.5
    again = trained_motion_judge(train, tmp_path / "kept", num_steps=60)  # kept, not trained
    assert again.digest == judge.digest
    assert again.accuracy_on(valid) == judge.accuracy_on(valid)
    assert trained_motion_judge(train, tmp_path / "kept", num_steps=1).digest != judge.digest


def test_the_order_of_frames_is_seen() -> None:
    classifier, clips = randomised(ClipClassifier()).eval().requires_grad_(False), drawn(2, 3, 7, 16, 16)
    there, back = classifier(clips)["motion"], classifier(clips.flip(2))["motion"]
    assert float((there - back).norm()) > 0.3 * float((there[0] - there[1]).norm())  # as much as another clip does
    assert classifier(torch.randn(1, 3, 3, 40, 40))["shape"].shape == (1, 8)
    with pytest.raises(ShapeError, match="in 3 frames or more, not in 2"):
        classifier(clips[:, :, :2])


def test_only_clips_of_one_object_are_judged(tmp_path: Path) -> None:
    pairs = cache_of(tmp_path / "pairs", 4, num_objects_max=2)
    still = build_planned(tmp_path / "still", CachePlan(1, 0, 4, 16, SceneOptions()))
    for cache in (pairs, still):
        with pytest.raises(ConfigError, match="clips of one object"):
            trained_motion_judge(cache, tmp_path / "kept", num_steps=1)


def test_it_may_have_begun_long_ago(tmp_path: Path) -> None:
    """Taught by whole clips alone, it takes the later half of a bounce for what it is less often."""
    torch.set_num_threads(1)
    train = cache_of(tmp_path / "train", 64)
    longer = cache_of(tmp_path / "longer", 64, seed=3, timing=ClipTiming(24, 8.0))
    late = cache_of(tmp_path / "late", 60, seed=2, timing=ClipTiming(24, 8.0))
    specs = [late.plan.spec(index) for index in range(60)]
    ends = clips_of(late)[:, :, 16:]
    plain = trained_motion_judge(train, tmp_path / "kept", num_steps=60)
    taught = trained_motion_judge(train, tmp_path / "kept", num_steps=60, longer=longer)
    assert taught.digest != plain.digest
    assert taught.accuracy(ends, specs)["motion"] > max(0.7, plain.accuracy(ends, specs)["motion"] - 0.05)


class MeanLight:
    """In place of a classifier: "light" is the mean of the clips."""

    digest = ""

    def accuracy(self, x: torch.Tensor, specs: Sequence[SceneSpec], /) -> dict[str, float]:
        assert len(x) == len(specs)
        return {"light": float(x.mean()), "frames": float(x.shape[2])}

    def seen(self, x: torch.Tensor, /) -> dict[str, torch.Tensor]:
        """A colour for every end; the shapes stay."""
        return {"shape": torch.arange(len(x)), "color": (x[:, 0, -1].mean((1, 2)) * 1e4).long()}


def without_kept(rows: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{name: value for name, value in row.items() if name != KEPT} for row in rows]


def test_drift_is_judged_on_the_last_frames_of_each_continuation() -> None:
    video = VideoConfig(num_frames=4, temporal_downsampling=2, context_frames=2, fps=8.0)
    conditioning = text_conditioning(vocabulary=MOVING_WORDS, max_tokens=24)
    pipeline = Pipeline(tiny_model(tiny_config(video=video, conditioning=conditioning)), torch.device("cpu"))
    judge, test = MeanLight(), MotionTest(MOVING, 3, 7)
    found = drift(pipeline, judge, SAMPLING, test, num_links=2)
    clips = generate_for([caption(spec) for spec in test.specs()], pipeline, SAMPLING, num_frames=8)
    assert clips.shape == (3, 3, 8, 16, 16)
    assert without_kept(found) == [judge.accuracy(clips[:, :, start : start + 4], test.specs()) for start in (0, 2, 4)]
    assert len({row["light"] for row in found}) == 3
    assert [row[KEPT] for row in found] == [1.0, 0.0, 0.0]
    assert {spec.motion.name for spec in test.specs()} <= {*MOVING}
    rendered = drift_of_renders(pipeline.config, judge, test, num_before=2, num_links=2)
    frames = clips_from_frames(
        render_scenes(test.specs(), size_px=16, num_frames=8, frames_per_second=8.0).permute(0, 2, 3, 4, 1)
    )
    assert without_kept(rendered) == [
        judge.accuracy(frames[:, :, start : start + 4], test.specs()) for start in (0, 2, 4)
    ]
    kept = drift_by_keeping(pipeline, judge, SAMPLING, test, num_links=2)
    assert kept[0] == found[0]
    assert [row["frames"] for row in kept] == [4.0] * 3
    assert len({row["light"] for row in kept}) == 3
    alone = VideoConfig(num_frames=4, temporal_downsampling=2, fps=8.0)
    still = Pipeline(tiny_model(tiny_config(video=alone, conditioning=conditioning)), torch.device("cpu"))
    with pytest.raises(ConfigError, match="continues no clips"):
        drift(still, judge, SAMPLING, test, num_links=1)
