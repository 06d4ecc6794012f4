"""Rotary positions: only differences matter, one frame is not turned in time, and places are told apart."""

import pytest
import torch
from torch import Tensor

from tests.helpers.tiny import randomised, tiny_config
from ul_engine.models.vit import BaseModel, Prior
from ul_engine.nn.rotary import axis_pairs, grid_rotary, rotate

LEVELS = torch.tensor([0.5])


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("head_channels", [8, 16, 32, 64])
def test_channels_are_shared_out_among_the_axes(head_channels: int) -> None:
    time, height, width = axis_pairs(head_channels)
    assert time + height + width == head_channels // 2
    assert min(time, height, width) >= 1
    assert abs(height - width) <= 1


def test_scores_depend_on_differences_of_place_only() -> None:
    """The same query and key at (t, y, x) and (t', y', x'): equal differences, equal scores."""
    grid = (3, 5, 6)
    query, key = drawn(32), drawn(32, seed=1)
    rotary = grid_rotary(grid, 32)
    count = grid[0] * grid[1] * grid[2]
    turned_query = rotate(query.expand(1, 1, count, 32), rotary)[0, 0]
    turned_key = rotate(key.expand(1, 1, count, 32), rotary)[0, 0]
    scores = turned_query @ turned_key.T
    place = torch.stack(torch.meshgrid(*(torch.arange(n) for n in grid), indexing="ij"), -1).view(-1, 3)
    difference = place[:, None] - place[None, :]
    for wanted in ([0, 0, 0], [0, 1, -2], [1, 0, 3], [2, -4, 1]):
        same = (difference == torch.tensor(wanted)).all(-1)
        values = scores[same]
        assert len(values) >= 3
        torch.testing.assert_close(values, values[:1].expand_as(values), atol=2e-4, rtol=1e-4)
    assert float(scores.std()) > 0.1


def test_turning_keeps_lengths() -> None:
    x = drawn(2, 3, 12, 16)
    turned = rotate(x, grid_rotary((1, 3, 4), 16))
    torch.testing.assert_close(turned.norm(dim=-1), x.norm(dim=-1))


def test_one_frame_is_not_turned_in_time() -> None:
    """So a picture model is unchanged by video: the first frame of a clip has the table of a picture."""
    num_time = axis_pairs(32)[0]
    picture, clip = grid_rotary((1, 4, 4), 32), grid_rotary((3, 4, 4), 32)
    assert torch.equal(picture.cos[:, :num_time], torch.ones(16, num_time))
    assert torch.equal(picture.sin[:, :num_time], torch.zeros(16, num_time))
    assert torch.equal(clip.cos[:16], picture.cos)
    assert not torch.equal(clip.cos[16:32], picture.cos)


def test_coarse_tokens_lie_in_the_middle_of_their_cells() -> None:
    fine, coarse = grid_rotary((1, 8, 8), 32), grid_rotary((1, 4, 4), 32, stride=2.0)
    num_time, num_height, _ = axis_pairs(32)
    slowest = num_time + num_height - 1  # turns by well under pi over the grid: angles can be read off

    def angle(rotary, row: int, width: int) -> float:
        return -float(torch.atan2(rotary.sin[row * width, slowest], rotary.cos[row * width, slowest]))

    for row in range(4):
        middle = (angle(fine, 2 * row, 8) + angle(fine, 2 * row + 1, 8)) / 2
        assert angle(coarse, row, 4) == pytest.approx(middle, abs=1e-5)


@pytest.mark.parametrize("network", [Prior, BaseModel])
def test_places_matter(network: type[Prior] | type[BaseModel]) -> None:
    """Mirroring or turning the latent does not mirror or turn the answer: order counts."""
    model = randomised(network(tiny_config()), gain=1.5).eval()
    z = drawn(1, 4, 1, 4, 4)
    with torch.no_grad():
        mirrored = model(z.flip(-1), LEVELS).flip(-1)
        turned = model(z.transpose(-1, -2), LEVELS).transpose(-1, -2)
        straight = model(z, LEVELS)
    assert float((mirrored - straight).abs().max()) > 1e-3
    assert float((turned - straight).abs().max()) > 1e-3


def test_both_levels_of_the_base_model_count_in_cells_of_the_latent() -> None:
    """Outer blocks see one token per cell, inner ones one per 2x2 cells, at its middle; odd sides are rounded up."""
    base = BaseModel(tiny_config())
    seen = {}
    for name in ("before", "inner", "after"):
        block = getattr(base, name)[0]
        block.register_forward_pre_hook(lambda module, inputs, name=name: seen.update({name: inputs[2]}))
    base(drawn(1, 4, 1, 4, 5), LEVELS)
    fine, coarse = grid_rotary((1, 4, 6), 16), grid_rotary((1, 2, 3), 16, stride=2.0)
    for name, wanted in (("before", fine), ("inner", coarse), ("after", fine)):
        assert torch.equal(seen[name].cos, wanted.cos)
        assert torch.equal(seen[name].sin, wanted.sin)


def test_half_precision_keeps_its_dtype() -> None:
    rotary = grid_rotary((1, 3, 4), 16)
    assert rotary.cos.dtype == torch.float32
    assert rotate(drawn(1, 1, 12, 16).bfloat16(), rotary).dtype == torch.bfloat16


def test_a_table_is_kept_for_the_next_evaluation_and_for_training() -> None:
    """A sampling loop asks for the same one at every step; made there, it must serve a backward pass as well."""
    with torch.inference_mode():
        kept = grid_rotary((1, 5, 7), 16)
        assert grid_rotary((1, 5, 7), 16, device=torch.device("cpu")) is kept
    assert grid_rotary((1, 7, 5), 16) is not kept
    assert grid_rotary((1, 5, 7), 16, stride=2.0) is not kept
    x = drawn(1, 1, 35, 16).requires_grad_(True)
    rotate(x, grid_rotary((1, 5, 7), 16)).sum().backward()
    assert x.grad is not None


def test_turning_is_multiplication_by_a_complex_number() -> None:
    """Channel i and channel i + half are real and imaginary part."""
    x, rotary = drawn(2, 3, 12, 16).double(), grid_rotary((1, 3, 4), 16)
    pairs = torch.complex(x[..., :8], x[..., 8:])
    angle = torch.atan2(rotary.sin[:, 8:], rotary.cos[:, 8:]).double()
    turned = pairs * torch.polar(torch.ones_like(angle), angle)
    torch.testing.assert_close(rotate(x, rotary), torch.cat((turned.real, turned.imag), -1), atol=1e-6, rtol=1e-6)
