"""One Unified Latents model: the four networks, wrapped so that they take noisy data and give clean estimates."""

import torch
from torch import Tensor, nn

from ul_engine.config import ModelConfig
from ul_engine.models.conditioning import Condition, WordTokenizer
from ul_engine.models.decoder import Decoder
from ul_engine.models.encoder import Encoder
from ul_engine.models.vit import BaseModel, Prior


class UnifiedLatents(nn.Module):
    """Encoder, prior, decoder and base model with the latent's standard deviation; any network may be absent (None).

    It only holds parts and their shared numbers; `ul_engine.objectives` turns noisy data into clean estimates with
    them.
    """

    latent_std: Tensor

    def __init__(self, config: ModelConfig, *, networks: frozenset[str] | None = None) -> None:
        super().__init__()
        wanted = networks if networks is not None else frozenset(("encoder", "prior", "decoder", "base"))
        self.config = config
        self.encoder = Encoder(config) if "encoder" in wanted else None
        self.prior = Prior(config) if "prior" in wanted and config.has_prior_network else None
        self.decoder = Decoder(config) if "decoder" in wanted else None
        self.base = BaseModel(config) if "base" in wanted else None
        self.register_buffer("latent_std", torch.ones((), dtype=torch.float32))
        text = config.conditioning.text
        self.tokenizer = WordTokenizer(text) if text is not None else None

    def condition_from_prompts(self, prompts: list[str]) -> Condition:
        """Condition of a text model for a batch of prompts, on the model's device."""
        assert self.tokenizer is not None
        return Condition(self.tokenizer.encode_batch(prompts)).to(self.latent_std.device)

    def condition_from_class(self, label: int, batch: int) -> Condition:
        """Condition of a class model, the same class for the whole batch, on the model's device."""
        return Condition(torch.full((batch, 1), label, dtype=torch.int64)).to(self.latent_std.device)


def prefer_channels_last(model: nn.Module) -> None:
    """Lay the convolutions' weights out in channels-last memory, which bf16 convolutions on CPUs and GPUs want."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.data = module.weight.data.contiguous(memory_format=torch.channels_last)
