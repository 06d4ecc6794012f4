"""Large pictures are encoded in parts: exactly, and with no wider a margin than that takes."""

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.helpers.tiny import randomised, tiny_config, tiny_model
from tests.helpers.tiny_clips import clip_config, drawn
from ul_engine.config import ModelConfig
from ul_engine.models.unified import UnifiedLatents
from ul_engine.pipelines import Pipeline
from ul_engine.pipelines.tiles import distribution_in_parts, encoder_margin_px
from ul_engine.requests import TilingSettings


def encoder_options(**changes: Any) -> dict[str, Any]:
    return {"encoder": {"channels": (8, 12), "blocks_per_stage": 1, "blocks_last_stage": 1} | changes}


ENCODERS: dict[str, ModelConfig] = {
    "shallow": tiny_config(**encoder_options()),
    "more blocks": tiny_config(**encoder_options(blocks_per_stage=2, blocks_last_stage=3)),
    "patches of 4": tiny_config(patch_px=4, **encoder_options()),
    "patches of 3": tiny_config(patch_px=3, image_px=18, **encoder_options()),
    "deep": clip_config(2, **encoder_options(channels=(8, 8, 12))),
    "learned variance": tiny_config(**encoder_options(variance="learned")),
}


@pytest.fixture(scope="module", params=ENCODERS)
def config(request: pytest.FixtureRequest) -> ModelConfig:
    return ENCODERS[request.param]


def in_parts(config: ModelConfig, x: Tensor, *, margin: int | None = None) -> tuple[float, int]:
    """Largest difference of encoding in parts, and the number of parts."""
    encoder = randomised(UnifiedLatents(config).encoder, gain=2.0).eval().requires_grad_(False)
    count = 0

    def counted(part: Tensor) -> tuple[Tensor, Tensor | None]:
        nonlocal count
        count += 1
        return encoder.distribution(part)

    found = distribution_in_parts(counted, x, config, part_px=4 * config.downsampling + 1, margin_px=margin)
    pairs = zip(found, encoder.distribution(x), strict=True)
    return max(float((a - b).abs().max()) for a, b in pairs if a is not None and b is not None), count


def test_encoding_in_parts_is_encoding_the_whole(config: ModelConfig) -> None:
    cell, margin = config.downsampling, encoder_margin_px(config) // config.downsampling
    height, width = 2 * margin + 6, 2 * margin + 11
    difference, count = in_parts(config, drawn(1, 3, config.temporal_downsampling, height * cell, width * cell))
    assert difference < 1e-5
    assert count == -(-height // 4) * -(-width // 4)


def test_the_margin_is_the_smallest_that_is_exact(config: ModelConfig) -> None:
    cell, margin = config.downsampling, encoder_margin_px(config) // config.downsampling
    x = drawn(1, 3, config.temporal_downsampling, 2 * cell, (2 * margin + 10) * cell)
    differences = [in_parts(config, x, margin=cells * cell)[0] for cells in range(margin + 1)]
    assert min(index for index, difference in enumerate(differences) if difference < 1e-5) == margin


@pytest.mark.parametrize("size", [(130, 90), (41, 200), (16, 16)])
def test_pipelines_encode_large_pictures_in_parts(size: tuple[int, int]) -> None:
    model = tiny_model()
    sizes: list[tuple[int, ...]] = []
    x = drawn(2, 3, 1, *size).clamp(-1, 1)
    whole = Pipeline(model, torch.device("cpu"), tiling=TilingSettings(mode="off"), encoder_part_px=32).encode(x)
    hook = model.encoder.patchify.register_forward_pre_hook(lambda _, given: sizes.append(given[0].shape[-2:]))
    parts = Pipeline(model, torch.device("cpu"), encoder_part_px=32).encode(x)
    hook.remove()
    torch.testing.assert_close(parts, whole, rtol=1e-5, atol=1e-5)
    largest = 32 + 2 * encoder_margin_px(model.config)
    assert (len(sizes) == 1) == (max(size) <= largest)
    assert all(side <= largest for each in sizes for side in each)
