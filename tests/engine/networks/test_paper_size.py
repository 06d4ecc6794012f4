"""The configuration of the paper: 512 px, 32 channels of 32x32, at the published widths, depths and cost."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ul_engine.config import ModelConfig
from ul_engine.models.unified import UnifiedLatents

CONFIG = ModelConfig(name="Paper")


@pytest.fixture(scope="module")
def model() -> UnifiedLatents:
    with torch.device("meta"):
        return UnifiedLatents(CONFIG).eval()


def count(module: nn.Module | None, kind: str) -> int:
    assert module is not None
    return sum(type(part).__name__ == kind for part in module.modules())


def test_latents_of_512_px() -> None:
    assert CONFIG.downsampling == 16
    assert CONFIG.latent_shape(512, 512) == (32, 1, 32, 32)
    assert CONFIG.latent.logsnr_max == 5.0
    assert CONFIG.patch_px == 2
    assert CONFIG.decoder_loss.loss_factor == 1.5


def test_published_widths_and_depths(model: UnifiedLatents) -> None:
    encoder, prior, decoder, base = model.encoder, model.prior, model.decoder, model.base
    assert [stage[0].norm_in.channels for stage in encoder.stages] == [128, 256, 512, 512]
    assert [len(stage) for stage in encoder.stages] == [2, 2, 2, 3]
    assert count(prior, "TransformerBlock") == 8
    assert prior.embed.out_features == 1024
    assert [level.before[0].norm_in.channels for level in decoder.levels] == [128, 256, 512]
    assert [len(level.before) for level in decoder.levels] == [2, 2, 2]
    assert [len(level.after) for level in decoder.levels] == [2, 2, 2]
    assert len(decoder.blocks) == 8
    assert decoder.project_z.out_features == 1024
    assert (len(base.before), len(base.inner), len(base.after)) == (3, 16, 3)
    assert (base.embed.out_features, base.noise_level.out.out_features) == (512, 1024)
    rates = {
        name: {part.p for part in network.modules() if isinstance(part, nn.Dropout)}
        for name, network in (("prior", prior), ("decoder", decoder), ("base", base))
    }
    assert rates == {"prior": {0.0}, "decoder": {0.1}, "base": {0.1}}
    heads = {part.head_channels for part in model.modules() if type(part).__name__ == "Attention"}
    assert heads == {64}


# Once: `LogSNREmbedding` cannot run on the meta device (torch.autocast knows no such type), the only one where
# attention's cost can be counted.
def test_shapes_at_512_px_and_published_cost(model: UnifiedLatents) -> None:
    """Multiply-adds per pass: encoder 130 G, prior 120 G, decoder 350 to 470 G, base 80 to 105 G."""
    seen: list[tuple[int, ...]] = []
    first_blocks = [level.before[0] for level in model.decoder.levels]
    handles = [
        block.register_forward_pre_hook(lambda module, inputs: seen.append(tuple(inputs[0].shape[1:])))
        for block in first_blocks
    ]
    giga: dict[str, float] = {}
    with torch.device("meta"), torch.no_grad():
        x, logsnr = torch.empty(1, 3, 1, 512, 512), torch.empty(1)
        z = model.encoder(x)
        assert z.shape == (1, 32, 1, 32, 32)
        for name, call in {
            "encoder": lambda: model.encoder(x),
            "prior": lambda: model.prior(z, logsnr),
            "decoder": lambda: model.decoder(x, logsnr, z),
            "base": lambda: model.base(z, logsnr),
        }.items():
            with FlopCounterMode(display=False) as counter:
                call()
            giga[name] = counter.get_total_flops() / 2e9
    for handle in handles:
        handle.remove()
    assert seen == [(128, 256, 256), (256, 128, 128), (512, 64, 64)]
    assert 110 < giga["encoder"] < 150
    assert 105 < giga["prior"] < 135
    assert 300 < giga["decoder"] < 500
    assert 75 < giga["base"] < 110


@pytest.mark.parametrize("channels", [4, 8, 16, 64])
def test_latent_channels_of_table_3(channels: int) -> None:
    config = ModelConfig(name="x", latent={"channels": channels})
    with torch.device("meta"):
        model = UnifiedLatents(config, networks=frozenset(("encoder",)))
        assert model.encoder(torch.empty(2, 3, 1, 512, 512)).shape == (2, channels, 1, 32, 32)
