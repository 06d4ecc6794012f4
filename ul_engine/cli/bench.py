"""``ul-engine bench``: time of a training step, of generation and of reconstruction on a model's configuration."""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from ul_engine.cli.session import Session, open_session
from ul_engine.config import ModelConfig
from ul_engine.devices import describe_device
from ul_engine.diffusion.time_sampling import stratified_times
from ul_engine.models.unified import UnifiedLatents, prefer_channels_last
from ul_engine.objectives import draw_stage1_noise, stage1_terms, stage2_nats
from ul_engine.pipelines import Pipeline

GENERATED = 4


def bench(arguments: argparse.Namespace) -> int:
    """Print the table, or JSON. Each figure is the median of the repetitions after one that warms up."""
    session = open_session(arguments)
    config = session.manifest.model
    repeats, batch = arguments.repeats, arguments.batch_size
    results: dict[str, Any] = {
        "model": config.name,
        "device": str(session.pipeline.device),
        "device_name": describe_device(session.pipeline.device)[0],
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "batch_size": batch,
        "image_px": config.image_px,
    }
    for precision in ("bf16", "fp32"):
        results[f"stage1_step_s_{precision}"] = _median(
            _stage1_step(config, session.pipeline, batch, precision), repeats
        )
        results[f"stage2_step_s_{precision}"] = _median(
            _stage2_step(config, session.pipeline, batch, precision), repeats
        )
    for name in session.manifest.sampling_presets():
        if name != "Paper":
            results[f"generate_s_per_picture_{name.lower()}"] = _median(_generation(session, name), repeats) / GENERATED
    results["reconstruct_s_per_picture"] = _median(_reconstruction(session), repeats) / GENERATED
    if arguments.json:
        print(json.dumps(results, indent=1))
    else:
        print(
            "\n".join(
                f"{name:<36} {value:.4g}" if isinstance(value, float) else f"{name:<36} {value}"
                for name, value in results.items()
            )
        )
    return 0


def _median(work: Callable[[], None], repeats: int) -> float:
    """Median seconds of `repeats` calls after one to warm up."""
    work()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def _trained_step(
    model: UnifiedLatents, device: torch.device, precision: str, loss: Callable[[], torch.Tensor]
) -> Callable[[], None]:
    """Forward, backward and optimizer step."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)

    def step() -> None:
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16"):
            value = loss()
        value.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def _stage1_step(config: ModelConfig, pipeline: Pipeline, batch: int, precision: str) -> Callable[[], None]:
    device = pipeline.device
    model = UnifiedLatents(config, networks=frozenset(("encoder", "prior", "decoder"))).to(device)
    prefer_channels_last(model)
    generator = torch.Generator("cpu").manual_seed(0)
    x = (
        torch.rand(batch, config.image_channels, 1, config.image_px, config.image_px, generator=generator).to(device)
        * 2
        - 1
    )
    cells = config.latent_shape(config.image_px, config.image_px)[1:]
    shape = (batch, config.latent.channels, *cells)
    assert model.encoder is not None and model.prior is not None and model.decoder is not None
    networks = (model.encoder, model.prior, model.decoder)

    def loss() -> torch.Tensor:
        noise = draw_stage1_noise(x, shape, generator)
        terms = stage1_terms(networks, x, noise, config=config, latent_std=model.latent_std)
        return (terms.prior_nats + terms.decoder_nats).mean() / x[0].numel()

    return _trained_step(model, device, precision, loss)


def _stage2_step(config: ModelConfig, pipeline: Pipeline, batch: int, precision: str) -> Callable[[], None]:
    device = pipeline.device
    model = UnifiedLatents(config, networks=frozenset(("base",))).to(device)
    generator = torch.Generator("cpu").manual_seed(0)
    cells = config.latent_shape(config.image_px, config.image_px)[1:]
    z = torch.randn(batch, config.latent.channels, *cells, generator=generator).to(device)
    base = model.base
    assert base is not None
    null = base.conditioner.null(batch, config.conditioning.text.max_tokens if config.conditioning.text else 1)
    condition = null.to(device) if null is not None else None

    def loss() -> torch.Tensor:
        t = stratified_times(batch, generator=generator).to(device)
        eps = torch.randn(z.shape, generator=generator).to(device)
        return stage2_nats(base, z, t, eps, config=config, latent_std=model.latent_std, condition=condition).mean()

    return _trained_step(model, device, precision, loss)


def _generation(session: Session, preset: str) -> Callable[[], None]:
    config = session.manifest.model
    settings = session.manifest.sampling_presets()[preset]
    cells = config.latent_shape(config.image_px, config.image_px)[1:]
    seeds = range(GENERATED)
    examples = session.manifest.prompt_grammar.examples if session.manifest.prompt_grammar else ()

    def work() -> None:
        condition = session.pipeline.model.condition_from_prompts([examples[0]] * GENERATED) if examples else None
        z_0 = session.pipeline.sample_latents(seeds, cells, condition, settings.base, settings.guidance)
        session.pipeline.decode(z_0, seeds, settings.decoder)

    return work


def _reconstruction(session: Session) -> Callable[[], None]:
    config = session.manifest.model
    presets = session.manifest.sampling_presets()
    settings = presets.get("Preview", next(iter(presets.values())))
    x = torch.rand(GENERATED, config.image_channels, 1, config.image_px, config.image_px) * 2 - 1
    seeds = range(GENERATED)

    def work() -> None:
        z_clean = session.pipeline.encode(x)
        session.pipeline.decode(session.pipeline.native_latent(z_clean, seeds), seeds, settings.decoder)

    return work
