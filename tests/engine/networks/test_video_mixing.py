"""What looks at what in a model of clips: neighbouring frames, never another clip, and each latent frame its own
frames."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.helpers.tiny import randomised
from tests.helpers.tiny_clips import clip_config, drawn
from ul_engine.models.conditioning import Condition
from ul_engine.models.decoder import Decoder
from ul_engine.models.encoder import Encoder
from ul_engine.models.unified import UnifiedLatents
from ul_engine.nn.temporal import DoubleFrames, HalveFrames, TemporalConv, repeat_frames

LEVELS = torch.tensor([-1.0, 2.0])
every_factor = pytest.mark.parametrize("factor", [1, 2, 4])


def frames_that_differ(first: Tensor, second: Tensor) -> list[int]:
    """Indices of the frames of `[B, C, T, H, W]` that are not the same."""
    difference = (first - second).abs().amax(dim=(0, 1, 3, 4))
    return [index for index, value in enumerate(difference.tolist()) if value > 1e-6]


def poked(x: Tensor, index: tuple[slice | int, ...]) -> Tensor:
    changed = x.clone()
    changed[index] += 1.0
    return changed


# ---- layers -------------------------------------------------------------------------------------------------------


def test_temporal_convolution_is_the_sum_over_three_frames_with_zeros_beyond() -> None:
    layer = randomised(TemporalConv(6), gain=1.0).requires_grad_(False)
    x = drawn(2 * 5, 6, 3, 4)  # two clips of five frames
    h = F.gelu(layer.norm(x)).unflatten(0, (2, 5))
    weight, bias = layer.conv.weight[:, :, :, 0, 0], layer.conv.bias
    wanted = torch.zeros_like(h)
    for frame in range(5):
        for tap in range(3):
            source = frame + tap - 1
            if 0 <= source < 5:
                wanted[:, frame] += torch.einsum("oc,bchw->bohw", weight[:, :, tap], h[:, source])
    wanted += bias.view(1, 1, -1, 1, 1)
    torch.testing.assert_close(layer(x, 5), x + wanted.flatten(0, 1), rtol=1e-4, atol=1e-5)


def test_pairs_are_frames_of_one_clip_in_their_order() -> None:
    halve, double = HalveFrames(3), DoubleFrames(3)
    with torch.no_grad():
        first, second = torch.eye(3) * 10, torch.eye(3)
        halve.project.weight.copy_(torch.cat((first, second), dim=1)[:, :, None, None])
        double.project.weight.copy_(torch.cat((first, second), dim=0)[:, :, None, None])
        x = torch.arange(6.0).view(6, 1, 1, 1).expand(6, 3, 2, 2)  # two clips of frames 0 1 2 ... with T = 2 or 3
        assert halve(x[:4])[:, 0, 0, 0].tolist() == [1.0, 23.0]  # 10 * 0 + 1, 10 * 2 + 3
        assert double(x[1:3])[:, 0, 0, 0].tolist() == [10.0, 1.0, 20.0, 2.0]


def test_repetition_stays_within_its_clip() -> None:
    x = torch.arange(6.0).view(6, 1, 1, 1)
    assert repeat_frames(x, 3, 2).flatten().tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert repeat_frames(x, 3, 1) is x


# ---- clips of a batch ---------------------------------------------------------------------------------------------


def networks_of(factor: int) -> dict[str, tuple[Callable[[Tensor, Tensor], Tensor], tuple[Tensor, Tensor]]]:
    """Each network as a function of two tensors, with what it is given."""
    config = clip_config(factor, context_frames=3)
    model = randomised(UnifiedLatents(config), gain=1.0).eval().requires_grad_(False)
    x, z, before = drawn(2, 3, 8, 16, 24), drawn(2, 4, 8 // factor, 2, 3, seed=1), drawn(2, 4, 1, 2, 3, seed=2)
    no_words = torch.zeros(2, 0, dtype=torch.int64)
    return {
        "encoder": (lambda first, second: model.encoder(first) + 0 * second.sum(), (x, x.new_zeros(2, 1, 1, 1, 1))),
        "decoder": (lambda first, second: model.decoder(first, LEVELS, second), (x, z)),
        "prior": (lambda first, second: model.prior(first, LEVELS) + 0 * second.sum(), (z, z)),
        "base": (lambda first, second: model.base(first, LEVELS, Condition(no_words, second)), (z, before)),
    }


@every_factor
@pytest.mark.parametrize("name", ["encoder", "decoder", "prior", "base"])
def test_clips_of_a_batch_do_not_touch(factor: int, name: str) -> None:
    network, (first, second) = networks_of(factor)[name]
    plain = network(first, second)
    for clip in range(2):
        other = 1 - clip
        for changed in (network(poked(first, (clip,)), second), network(first, poked(second, (clip,)))):
            torch.testing.assert_close(changed[other], plain[other], rtol=1e-5, atol=1e-6)
        assert frames_that_differ(network(poked(first, (clip,)), second)[[clip]], plain[[clip]])


@every_factor
@pytest.mark.parametrize("name", ["encoder", "decoder", "prior", "base"])
def test_a_clip_alone_is_what_it_is_in_a_batch(factor: int, name: str) -> None:
    config = clip_config(factor)
    model = randomised(UnifiedLatents(config), gain=1.0).eval().requires_grad_(False)
    x, z = drawn(3, 3, 8, 16, 16), drawn(3, 4, 8 // factor, 2, 2, seed=1)

    def run(rows: slice) -> Tensor:
        level = torch.full((len(x[rows]),), 0.5)
        if name == "encoder":
            return model.encoder(x[rows])
        if name == "decoder":
            return model.decoder(x[rows], level, z[rows])
        return getattr(model, name)(z[rows], level)

    torch.testing.assert_close(run(slice(1, 2)), run(slice(0, 3))[1:2], rtol=1e-3, atol=1e-4)


# ---- frames of a clip ---------------------------------------------------------------------------------------------


@every_factor
def test_encoder_and_decoder_look_at_neighbouring_frames(factor: int) -> None:
    """The encoder as far as its convolutions along time reach, the decoder everywhere."""
    encoder = randomised(Encoder(clip_config(factor)), gain=1.0).eval().requires_grad_(False)
    x = drawn(1, 3, 32, 8, 8)
    seen = frames_that_differ(encoder(poked(x, (0, slice(None), 16))), encoder(x))
    own = 16 // factor
    reach = {1: 3, 2: 2, 4: 2}[factor]  # three convolutions; of those after a halving one reaches one latent frame
    assert seen[0] < own < seen[-1]
    assert min(seen) >= own - reach
    assert max(seen) <= own + reach
    decoder = randomised(Decoder(clip_config(factor)), gain=1.0).eval().requires_grad_(False)
    x, z = drawn(1, 3, 8, 8, 8), drawn(1, 4, 8 // factor, 1, 1, seed=1)
    changed = decoder(x, LEVELS[:1], poked(z, (0, slice(None), 0)))
    assert frames_that_differ(changed, decoder(x, LEVELS[:1], z)) == list(range(8))


@every_factor
def test_fresh_networks_keep_each_latent_frame_to_its_own_frames(factor: int) -> None:
    """Blocks begin as the identity: what is left is how frames are halved, doubled and repeated."""
    torch.manual_seed(0)
    encoder, decoder = Encoder(clip_config(factor)).eval(), Decoder(clip_config(factor)).eval()
    decoder.unpatchify.project.weight.data.normal_()
    x, z = drawn(2, 3, 8, 16, 16), drawn(2, 4, 8 // factor, 2, 2, seed=1)
    with torch.no_grad():
        latent, picture = encoder(x), decoder(x, LEVELS, z)
        for index in range(8 // factor):
            own = list(range(index * factor, (index + 1) * factor))
            changed_z = poked(z, (slice(None), slice(None), index))
            assert frames_that_differ(decoder(x, LEVELS, changed_z), picture) == own
        for frame in range(8):
            changed_x = poked(x, (slice(None), slice(None), frame))
            assert frames_that_differ(encoder(changed_x), latent) == [frame // factor]
            start = frame - frame % factor
            assert frames_that_differ(decoder(changed_x, LEVELS, z), picture) == list(range(start, start + factor))


@pytest.mark.parametrize("network", ["prior", "base"])
def test_the_order_of_frames_matters(network: str) -> None:
    """Attention alone would not see it: the positions in time do."""
    model = randomised(UnifiedLatents(clip_config(2)), gain=1.5).eval().requires_grad_(False)
    z = drawn(2, 4, 4, 2, 2)
    plain = getattr(model, network)(z, LEVELS)
    reverse = getattr(model, network)(z.flip(2), LEVELS).flip(2)
    assert float((plain - reverse).abs().max()) > 1e-3
