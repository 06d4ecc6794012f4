"""The paper's ablations by name: what each shows, where it stands, and how it changes a model's configuration."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product

from ul_engine.config import ModelConfig
from ul_engine.errors import ConfigError
from ul_engine.presets.changes import changed, unknown_name

TABLE_2_LOSS_FACTORS = (1.3, 1.5, 1.7, 1.9, 2.1)
TABLE_3_CHANNELS = (4, 8, 16, 32, 64)
TABLE_4_DOWNSAMPLINGS = (8, 16, 32)
FIGURE_8_LOSS_FACTORS = (1.5, 1.75, 2.0, 3.0, 4.0)
BIAS_SHIFTS = (-2, -1, 1, 2)
"""Ours: figure 8 sweeps the sigmoid bias over values that the text does not name."""
SINGLE_STAGE_BIAS_SHIFT = -2.0
"""Ours: appendix B (a) shifts the decoder's loss towards more noise by an unnamed amount."""


@dataclass(frozen=True)
class Ablation:
    """One row of the paper: `source` says where, `change` makes it of any configuration."""

    name: str
    sentence: str
    source: str
    change: Callable[[ModelConfig], ModelConfig]


def apply_ablation(config: ModelConfig, name: str) -> ModelConfig:
    """`config` as the named ablation has it. Several may follow one another; the last to touch a field decides.

    Raises ConfigError for an unknown name (naming the nearest), and where the change does not fit the configuration.
    """
    if name not in ABLATIONS:
        raise unknown_name(name, ABLATIONS, "ablation", field="ablation")
    return ABLATIONS[name].change(config)


def _downsampled(config: ModelConfig, *, factor: int) -> ModelConfig:
    """Encoder and decoder cut short, or lengthened by stages of their last width, so that the latent is at 1 /
    `factor`."""
    num_stages = (factor // config.patch_px).bit_length()
    if config.patch_px * 2 ** (num_stages - 1) != factor:
        raise ConfigError(f"patches of {config.patch_px} px cannot be halved down to 1/{factor}", field="patch_px")

    def staged(channels: tuple[int, ...], count: int) -> tuple[int, ...]:
        return (channels + channels[-1:] * count)[:count]

    return changed(
        config,
        {
            "encoder.channels": staged(config.encoder.channels, num_stages),
            "decoder.channels": staged(config.decoder.channels, num_stages - 1),
        },
    )


def _biased(config: ModelConfig, *, shift: float) -> ModelConfig:
    return changed(config, {"decoder_loss.sigmoid_bias": config.decoder_sigmoid_bias + shift})


def _single_stage_elbo(config: ModelConfig) -> ModelConfig:
    return _biased(changed(config, {"training": "single-elbo"}), shift=SINGLE_STAGE_BIAS_SHIFT)


def _set(name: str, sentence: str, source: str, changes: Mapping[str, object]) -> Ablation:
    return Ablation(name, sentence, source, partial(changed, changes=changes))


def _loss_factor(value: float) -> Ablation:
    places = [
        place
        for place, values in (("Table 2", TABLE_2_LOSS_FACTORS), ("figure 8", FIGURE_8_LOSS_FACTORS))
        if value in values
    ]
    sentence = f"Loss factor {value:g}: a larger one puts more bits in the latent."
    return _set(f"loss-factor-{value:g}", sentence, ", ".join(places), {"decoder_loss.loss_factor": value})


def _bias(shift: int) -> Ablation:
    word = "minus" if shift < 0 else "plus"
    return Ablation(
        f"bias-{word}-{abs(shift)}",
        f"Sigmoid bias moved by {shift:+d}: to be joined with a loss factor, which pays for a lower one.",
        "figure 8",
        partial(_biased, shift=float(shift)),
    )


def _knobs() -> list[Ablation]:
    factors = sorted({*TABLE_2_LOSS_FACTORS, *FIGURE_8_LOSS_FACTORS})
    return [*map(_loss_factor, factors), *map(_bias, BIAS_SHIFTS)]


def _shapes() -> list[Ablation]:
    channels = [
        _set(f"channels-{count}", f"Latents of {count} channels.", "Table 3", {"latent.channels": count})
        for count in TABLE_3_CHANNELS
    ]
    factors = [
        Ablation(
            f"downsampling-{factor}",
            f"Latents at 1/{factor} of the picture ({512 // factor}x{512 // factor} at 512 px).",
            "Table 4",
            partial(_downsampled, factor=factor),
        )
        for factor in TABLE_4_DOWNSAMPLINGS
    ]
    return [*channels, *factors]


def _regularisers() -> list[Ablation]:
    """Table 5: diffusion or normal prior, diffusion or squared-error reconstruction."""
    sentences = {
        ("diffusion", "diffusion"): "The method itself.",
        (
            "diffusion",
            "mse",
        ): "Squared error in place of the decoder's diffusion; the paper trains encoder and prior so, first.",
        ("normal", "diffusion"): "No prior network: the latent pays its KL to the normal distribution in full.",
        ("normal", "mse"): "Both at once, a plain VAE; completes the square, the paper has no such row.",
    }
    return [
        _set(
            f"{prior}-prior-{loss}-loss",
            sentence,
            "Table 5" if (prior, loss) != ("normal", "mse") else "ours, beside Table 5",
            {"prior.kind": prior, "decoder_loss.kind": loss},
        )
        for (prior, loss), sentence in sentences.items()
    ]


def _rows_of_table_6() -> list[Ablation]:
    return [
        _set(
            "no-prior-gradient",
            "The encoder learns nothing from the prior; a weak KL to the normal and 8 channels hold the latent.",
            "Table 6 A",
            {"prior.kind": "detached", "latent.channels": 8},
        ),
        _set(
            "logsnr-10",
            "Least latent noise at log-SNR 10: bits the prior cannot model, so they move into the decoder.",
            "Table 6 B",
            {"latent.logsnr_max": 10.0},
        ),
        _set(
            "other-data",
            "Stage 1 on other pictures (text-to-image data): the model is unchanged, give Stage 1 that data.",
            "Table 6 C",
            {},
        ),
        _set(
            "learned-variance",
            "The encoder learns its variance at log-SNR 5, where the paper finds training unstable.",
            "Table 6 D, eq. 5",
            {"encoder.variance": "learned"},
        ),
        _set(
            "learned-variance-logsnr-10",
            "The encoder learns its variance at log-SNR 10, where it does learn noise of its own.",
            "Table 6 D, eq. 5",
            {"encoder.variance": "learned", "latent.logsnr_max": 10.0},
        ),
    ]


def _single_stages() -> list[Ablation]:
    return [
        Ablation(
            "single-stage-elbo",
            "Base model on the plain bound with encoder and decoder; the decoder's bias lowered by 2 (ours).",
            "appendix B (a)",
            _single_stage_elbo,
        ),
        _set(
            "single-stage-weighted",
            "Base model on a weighted bound with encoder and decoder, which is told the latent's log-SNR.",
            "appendix B (b)",
            {"training": "single-weighted"},
        ),
    ]


ABLATIONS: Mapping[str, Ablation] = {
    ablation.name: ablation
    for ablation in (*_knobs(), *_shapes(), *_regularisers(), *_rows_of_table_6(), *_single_stages())
}
"""Every ablation by name, in the paper's order."""

BIAS_SWEEP: tuple[tuple[str, ...], ...] = tuple(
    product(
        *(
            [f"bias-{'minus' if shift < 0 else 'plus'}-{abs(shift)}" for shift in BIAS_SHIFTS],
            [f"loss-factor-{factor:g}" for factor in FIGURE_8_LOSS_FACTORS],
        )
    )
)
"""The grid of figure 8 as names to apply together; its column without a shift is the loss factors alone."""
