"""Every option of a model changes something, and every guard of its configuration is tripped once."""

from typing import Any

import pytest
import torch
from pydantic import BaseModel as PydanticModel
from pydantic import ValidationError

from tests.helpers.tiny import WORDS, class_conditioning, randomised, tiny_config
from ul_engine.config import ConditioningConfig, ModelConfig, TextConfig, VideoConfig
from ul_engine.models.conditioning import Condition
from ul_engine.models.unified import UnifiedLatents
from ul_engine.objectives import draw_stage1_noise, stage1_terms, stage2_nats

TEXT = TextConfig(vocabulary=WORDS, max_tokens=6, width=32, num_blocks=1, head_channels=16)
BASE = tiny_config(conditioning=ConditioningConfig(kind="text", text=TEXT))
CLIPS = BASE.model_copy(update={"video": VideoConfig(num_frames=4, temporal_downsampling=2)})
DETACHED = BASE.model_copy(update={"prior": BASE.prior.model_copy(update={"kind": "detached"})})
SQUARED = BASE.model_copy(update={"decoder_loss": BASE.decoder_loss.model_copy(update={"kind": "mse"})})

# One legal change for every option; `with` names what must change beside it to stay consistent.
CHANGES: dict[str, Any] = {
    "image_px": 32,
    "image_channels": 1,
    "patch_px": 4,
    "pixel_std": 0.7,
    "latent.channels": 6,
    "latent.logsnr_max": 4.0,
    "latent.logsnr_min": -9.0,
    "encoder.channels": (16, 32),
    "encoder.blocks_per_stage": 2,
    "encoder.blocks_last_stage": 2,
    "encoder.variance": "learned",
    "training": "single-elbo",
    "prior.kind": "normal",
    "prior.width": 48,
    "prior.num_blocks": 3,
    "prior.head_channels": 8,
    "prior.dropout": 0.5,
    "base.widths": (48, 48),
    "base.num_blocks": (4, 1),
    "base.head_channels": 8,
    "base.dropout": 0.5,
    "decoder.channels": (24,),
    "decoder.blocks_per_stage": 2,
    "decoder.width": 48,
    "decoder.num_blocks": 2,
    "decoder.head_channels": 8,
    "decoder.dropout": 0.5,
    "decoder_loss.kind": "mse",
    "decoder_loss.loss_factor": 2.0,
    "decoder_loss.sigmoid_bias": 0.5,
    "decoder_loss.logsnr_max": 9.0,
    "decoder_loss.logsnr_min": -9.0,
    "decoder_loss.noise_px": 16,
    "base_sigmoid_bias": 1.0,
    "conditioning.kind": "none",
    "conditioning.text.vocabulary": (*WORDS, "yellow"),
    "conditioning.text.max_tokens": 5,
    "conditioning.text.width": 48,
    "conditioning.text.num_blocks": 2,
    "conditioning.text.head_channels": 8,
}
SPECIAL: list[tuple[ModelConfig, str, Any]] = [
    (BASE, "training", "single-weighted"),
    (BASE, "prior.kind", "detached"),
    (DETACHED, "prior.normal_kl_weight", 1e-2),
    (SQUARED, "decoder_loss.mse_nats", 10.0),
    (CLIPS, "video.num_frames", 6),
    (CLIPS, "video.temporal_downsampling", 1),
    (CLIPS, "video.context_frames", 2),
]
"""Options that only count beside another."""

ELSEWHERE = {
    "video.fps",  # written into files
    *(path for _, path, _ in SPECIAL if path not in CHANGES),
    "name",  # shown to people
    "conditioning.num_classes",  # below, with kind class
    "conditioning.drop_rate",  # the trainer's, which tests it
}


def leaves(kind: type[PydanticModel], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, field in kind.model_fields.items():
        inner = [
            part for part in (field.annotation, *getattr(field.annotation, "__args__", ())) if isinstance(part, type)
        ]
        sections = [part for part in inner if issubclass(part, PydanticModel)]
        found |= leaves(sections[0], f"{prefix}{name}.") if sections else {prefix + name}
    return found


def changed(path: str, value: Any, config: ModelConfig = BASE) -> ModelConfig:
    data = config.model_dump()
    *parents, leaf = path.split(".")
    section = data
    for parent in parents:
        section = section[parent]
    section[leaf] = value
    return ModelConfig.model_validate(data)


def signature(config: ModelConfig) -> list[Any]:
    """Everything a model does in training, as numbers: weights' shapes and all losses with fixed noise and weights."""
    model = UnifiedLatents(config)
    randomised(model)
    size, frames = 16, config.num_frames
    x = torch.rand(2, config.image_channels, frames, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    latent_shape = (2, *config.latent_shape(size, size, frames))
    noise = draw_stage1_noise(x, latent_shape, torch.Generator().manual_seed(1), config=config)
    torch.manual_seed(2)
    std = torch.tensor(0.8)
    of_latent = model.prior if config.training == "two-stage" else model.base
    model.train()
    with torch.no_grad():
        condition: Condition | None = None
        if config.conditioning.kind == "text":
            condition = model.condition_from_prompts(["a red cube on a blue floor", ""])
        elif config.conditioning.kind == "class":
            condition = Condition(torch.tensor([[0], [1]]))
        networks = (model.encoder, of_latent, model.decoder)
        terms = stage1_terms(networks, x, noise, config=config, latent_std=std, condition=condition)
        if config.context_frames and condition is not None:
            condition = Condition(condition.indices, frames=terms.z_clean[:, :, :1])
        nats = stage2_nats(
            model.base, terms.z_clean, noise.t_z, noise.eps_z, config=config, latent_std=std, condition=condition
        )
    numbers = [*terms.loss_nats.tolist(), *terms.prior_nats.tolist(), *terms.decoder_nats.tolist(), *nats.tolist()]
    assert all(map(torch.isfinite, torch.tensor(numbers)))
    return [{name: tuple(p.shape) for name, p in model.named_parameters()}, numbers]


def test_the_list_is_complete() -> None:
    assert leaves(ModelConfig) - ELSEWHERE == CHANGES.keys()


@pytest.fixture(scope="module")
def plain() -> list[Any]:
    return signature(BASE)


def test_the_signature_is_repeatable(plain: list[Any]) -> None:
    assert signature(BASE) == plain


@pytest.mark.parametrize("path", CHANGES)
def test_every_option_changes_something(path: str, plain: list[Any]) -> None:
    assert signature(changed(path, CHANGES[path])) != plain


@pytest.mark.parametrize(("config", "path", "value"), SPECIAL, ids=[path for _, path, _ in SPECIAL])
def test_options_that_count_beside_another(config: ModelConfig, path: str, value: Any) -> None:
    assert signature(changed(path, value, config)) != signature(config)


def test_number_of_classes() -> None:
    three, four = (signature(tiny_config(conditioning=class_conditioning(count))) for count in (3, 4))
    assert three[0] != four[0]


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("image_px", 18, "multiple of the down-sampling"),
        ("image_px", 4, "greater than or equal to 8"),
        ("decoder.channels", (16, 16), "one stage fewer"),
        ("encoder.channels", (), "at least 1 item"),
        ("prior.width", 40, "multiple"),
        ("prior.head_channels", 12, "multiple"),
        ("base.widths", (32, 40), "multiple"),
        ("base.num_blocks", (3, 1), "even number"),
        ("base.num_blocks", (2, 0), "even number"),
        ("decoder.width", 40, "multiple"),
        ("decoder_loss.loss_factor", 0.0, "greater than 0"),
        ("latent.logsnr_max", -5.0, "greater than -5"),
        ("latent.channels", 0, "greater than or equal to 1"),
        ("conditioning.kind", "class", "num_classes"),
        ("conditioning.text", None, "section text"),
        ("conditioning.text.vocabulary", (), "at least 1 item"),
        ("pixel_std", 0.0, "greater than 0"),
        ("name", "", "at least 1 character"),
    ],
)
def test_guards(path: str, value: Any, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        changed(path, value)


def test_levels_must_be_ordered() -> None:
    data = BASE.model_dump()
    data["latent"] |= {"logsnr_max": -4.0, "logsnr_min": -3.0}
    with pytest.raises(ValidationError, match="below logsnr_max"):
        ModelConfig.model_validate(data)


def test_typing_mistakes_are_not_ignored() -> None:
    data = BASE.model_dump()
    data["decoder_loss"]["los_factor"] = 2.0
    with pytest.raises(ValidationError, match="Extra inputs"):
        ModelConfig.model_validate(data)


# Once: floats of the configuration may be NaN or infinite (`base_sigmoid_bias: NaN` in a model's config.json).
@pytest.mark.parametrize("path", ["base_sigmoid_bias", "decoder_loss.sigmoid_bias", "pixel_std"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_must_be_finite(path: str, value: float) -> None:
    with pytest.raises(ValidationError):
        changed(path, value)
