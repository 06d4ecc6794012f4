"""How z_0 enters the decoder: at every level, in space, and by nothing else than z_0."""

import pytest
import torch
from torch import Tensor

from tests.helpers.tiny import randomised, tiny_config
from ul_engine.models.decoder import Decoder

CONFIG = tiny_config(
    encoder={"channels": (16, 16, 24), "blocks_per_stage": 1, "blocks_last_stage": 1},
    decoder={"channels": (16, 24), "blocks_per_stage": 1, "width": 32, "num_blocks": 2, "head_channels": 16},
    image_px=32,
)
LEVELS = torch.tensor([-2.0, -2.0])


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def decoder() -> Decoder:
    network = randomised(Decoder(CONFIG), gain=1.0).eval()
    assert isinstance(network, Decoder)
    return network


def test_z_reaches_every_level(decoder: Decoder) -> None:
    x_t, z = drawn(2, 3, 1, 32, 32), drawn(2, 4, 1, 4, 4)
    decoder(x_t, LEVELS, z).square().sum().backward()
    paths = {"tokens": decoder.project_z, **{f"level {i}": level.project_z for i, level in enumerate(decoder.levels)}}
    assert len(paths) == 3
    for path in paths.values():
        assert path.weight.grad is not None
        assert float(path.weight.grad.abs().max()) > 1e-4


@pytest.mark.parametrize("open_path", [0, 1, 2])
def test_each_path_alone_carries_z(decoder: Decoder, open_path: int) -> None:
    paths = [decoder.project_z, *(level.project_z for level in decoder.levels)]
    with torch.no_grad():
        for index, path in enumerate(paths):
            if index != open_path:
                path.weight.zero_()
        x_t = drawn(1, 3, 1, 32, 32)
        first = decoder(x_t, LEVELS[:1], drawn(1, 4, 1, 4, 4))
        second = decoder(x_t, LEVELS[:1], drawn(1, 4, 1, 4, 4, seed=1))
    assert float((first - second).abs().max()) > 1e-3


def test_z_enters_where_it_stands(decoder: Decoder) -> None:
    """Changing one corner cell changes that corner more than the far one."""
    x_t, z = drawn(1, 3, 1, 32, 32), drawn(1, 4, 1, 4, 4)
    moved = z.clone()
    moved[..., 0, 0] += 2.0
    with torch.no_grad():
        change = (decoder(x_t, LEVELS[:1], moved) - decoder(x_t, LEVELS[:1], z)).abs()[0, :, 0].mean(0)
    assert float(change[:8, :8].mean()) > 2 * float(change[-8:, -8:].mean())


def test_noise_level_matters(decoder: Decoder) -> None:
    x_t, z = drawn(1, 3, 1, 32, 32), drawn(1, 4, 1, 4, 4)
    with torch.no_grad():
        first, second = decoder(x_t, torch.tensor([-8.0]), z), decoder(x_t, torch.tensor([4.0]), z)
    assert float((first - second).abs().max()) > 1e-3


def test_samples_do_not_mix(decoder: Decoder) -> None:
    x_t, z = drawn(2, 3, 1, 32, 32), drawn(2, 4, 1, 4, 4)
    with torch.no_grad():
        both = decoder(x_t, LEVELS, z)
        for index in range(2):
            part = slice(index, index + 1)
            torch.testing.assert_close(decoder(x_t[part], LEVELS[:1], z[part]), both[part], atol=1e-4, rtol=1e-4)
