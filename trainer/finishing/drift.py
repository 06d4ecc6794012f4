"""What is left of a scene while a model continues its own clips, again and again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from trainer.finishing.judge import Accuracy
from trainer.finishing.prompting import BATCH, AnyJudge, generate_for
from ul_engine.config import ModelConfig
from ul_engine.data.pixels import to_signed
from ul_engine.data.scenes.captions import caption
from ul_engine.data.scenes.layout import scene_spec
from ul_engine.data.scenes.render import render_scenes
from ul_engine.data.scenes.spec import SceneOptions, SceneSpec
from ul_engine.diffusion.noise import derived_seed
from ul_engine.errors import ConfigError
from ul_engine.pipelines import Kept, Pipeline
from ul_engine.requests import SamplingSettings

OBJECT = ("shape", "color")
"""What an object must keep to be the same."""
KEPT = "kept"
"""Among the accuracies of a drift: the share of clips whose object still has the shape and colour that were seen in it
at first, whatever the prompt says."""


class ClipJudge(AnyJudge, Protocol):
    """One that also says what it sees in clips."""

    def seen(self, clips: Tensor, /) -> dict[str, Tensor]:
        """The answers to each question `{name: [B]}` that clips `[B, 3, T, H, W]` show, as numbers."""
        ...


@dataclass(frozen=True)
class MotionTest:
    """Captions of moving scenes that nobody has seen: `num_prompts` scenes of the series `seed`, each with one of
    `motions`."""

    motions: tuple[str, ...]
    num_prompts: int
    seed: int

    @property
    def title(self) -> str:
        """Which motions."""
        return " or ".join(self.motions)

    def specs(self) -> list[SceneSpec]:
        """The scenes whose full captions are the prompts."""
        options = SceneOptions(motions=self.motions)
        return [scene_spec(self.seed, index, options) for index in range(self.num_prompts)]


def drift(
    pipeline: Pipeline, judge: ClipJudge, settings: SamplingSettings, test: MotionTest, *, num_links: int
) -> list[Accuracy]:
    """How many clips show the words of their prompts: in the clip itself, then after each of `num_links` continuations,
    as judged on the last frames, as many as the model was trained on. Each goes on from the frames before it, with the
    prompt still given; and how many still show the same object (`KEPT`). Raises ConfigError for a model that continues
    nothing.
    """
    if not pipeline.config.context_frames:
        raise ConfigError("this model continues no clips", field="model.video.context_frames")
    stretches = _stretches(pipeline.config, num_links, pipeline.config.context_frames)
    specs = test.specs()
    clips = generate_for([caption(spec) for spec in specs], pipeline, settings, num_frames=stretches[-1].stop)
    return _judged(judge, (clips[:, :, part.start : part.stop] for part in stretches), specs)


def drift_by_keeping(
    pipeline: Pipeline, judge: ClipJudge, settings: SamplingSettings, test: MotionTest, *, num_links: int
) -> list[Accuracy]:
    """As `drift`, the other way to go on from frames: they are no condition of the base model, but their latent frames
    are those that the new clip begins with, kept while the rest is made (`ul_engine.pipelines.Kept`).

    Latent frames are whole, so each link goes on from the last frames that fill some: 4 of 5 at a temporal
    down-sampling of 4. Needs a base model that was trained without frames before it, at least now and then.
    """
    config, specs = pipeline.config, test.specs()
    assert config.video is not None
    factor, size = config.video.temporal_downsampling, (config.image_px, config.image_px)
    num_kept = kept_frames(config) // factor
    cells = config.latent_shape(*size, config.num_frames)[1:]
    new = torch.ones(1, 1, *cells)
    new[:, :, :num_kept] = 0.0
    prompts = [caption(spec) for spec in specs]
    clips = generate_for(prompts, pipeline, settings)
    stretches = [clips]
    for link in range(num_links):
        parts = []
        for start in range(0, len(specs), BATCH):
            before = clips[start : start + BATCH, :, -num_kept * factor :]
            clean = F.pad(pipeline.encode(before), (0, 0, 0, 0, 0, cells[0] - num_kept))
            seeds = [derived_seed(start + row, f"link {link}") for row in range(len(before))]
            condition = pipeline.model.condition_from_prompts(prompts[start : start + BATCH])
            z_0 = pipeline.sample_latents(
                seeds, cells, condition, settings.base, settings.guidance, kept=Kept(clean, new)
            )
            made = pipeline.decode(z_0, seeds, settings.decoder, num_frames=config.num_frames).cpu()
            parts.append(made[:, :, num_kept * factor :])
        clips = torch.cat((clips, torch.cat(parts)), dim=2)
        stretches.append(clips[:, :, -config.num_frames :])
    return _judged(judge, stretches, specs)


def kept_frames(config: ModelConfig) -> int:
    """Frames that `drift_by_keeping` goes on from: the most that are not more than the context and fill latent frames,
    at least one of these."""
    assert config.video is not None
    factor = config.video.temporal_downsampling
    return max(config.context_frames // factor, 1) * factor


def drift_of_renders(
    config: ModelConfig, judge: ClipJudge, test: MotionTest, *, num_before: int, num_links: int
) -> list[Accuracy]:
    """The same of the scenes as they are rendered, which drift by nothing, where each link goes on from `num_before`
    frames: more cannot be measured. A motion that ends by itself (growing) is hard to see once it is over."""
    assert config.video is not None
    stretches = _stretches(config, num_links, num_before)
    specs = test.specs()
    frames = render_scenes(
        specs, size_px=config.image_px, num_frames=stretches[-1].stop, frames_per_second=config.video.fps
    )
    clips = to_signed(frames)
    return _judged(judge, (clips[:, :, part.start : part.stop] for part in stretches), specs)


def _judged(judge: ClipJudge, stretches: Iterable[Tensor], specs: Sequence[SceneSpec]) -> list[Accuracy]:
    """Of the same clips, first and later stretches `[B, 3, T, H, W]`."""
    found: list[Accuracy] = []
    first: Tensor | None = None
    for clips in stretches:
        seen = judge.seen(clips)
        now = torch.stack([seen[name] for name in OBJECT])  # [2, B]
        first = now if first is None else first
        is_kept = (now == first).all(0)
        found.append({**judge.accuracy(clips, specs), KEPT: float(is_kept.float().mean())})
    return found


def _stretches(config: ModelConfig, num_links: int, num_before: int) -> list[range]:
    """The frames of the first clip, and the last ones after each continuation from `num_before` frames."""
    new = config.num_frames - num_before
    return [range(link * new, link * new + config.num_frames) for link in range(num_links + 1)]
