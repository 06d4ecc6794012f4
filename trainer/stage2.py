"""Stage 2: a base model on the frozen encoder's latents, under the sigmoid weight."""

import copy
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from trainer.conditions import Conditions
from trainer.config import RunConfig
from trainer.data.order import BatchOrder
from trainer.data.samples import SampleSource
from trainer.export import write_model
from trainer.figures import Figure, band_edges, sums_by_band
from trainer.initial import TakenOver, require_same_latent, take_over
from trainer.latent_feed import FeedMaker, LatentBatch
from trainer.noise import Piece, StepNoise
from trainer.ranks import Ranks
from trainer.trainable import Averages, BatchFeed, LossCall, Preview, load_averages
from trainer.validation import held_out
from ul_engine.checkpoint import load_model
from ul_engine.data.pixels import array_from_clips
from ul_engine.diffusion.bitrate import bits_per_pixel, latent_bitrate, with_learned_variance
from ul_engine.diffusion.noise import SeededNoise
from ul_engine.diffusion.parameterization import add_noise
from ul_engine.models.conditioning import Condition
from ul_engine.models.unified import UnifiedLatents
from ul_engine.models.vit import BaseModel
from ul_engine.objectives import estimate_with_base, latent_schedule_of, stage2_nats
from ul_engine.pipelines import ClipJob, Pipeline, default_guidance, generate_clips
from ul_engine.requests import SamplerName, SamplerSettings, SamplingSettings

PREVIEW_SAMPLER = SamplerSettings(name=SamplerName.DPMPP_2M, num_steps=16)
PREVIEW_DECODER = SamplerSettings(name=SamplerName.DPMPP_2M, num_steps=8)
PREVIEW_COLUMNS = 8
PREVIEW_ROWS = 4


class Stage2Loss(nn.Module):
    """The base model's loss as a module, so that it can be spread over ranks."""

    def __init__(self, base: BaseModel, config: RunConfig, latent_std: float) -> None:
        super().__init__()
        self.base = base
        self.config = config.model
        self.is_half = config.precision == "bf16"
        self.latent_std = latent_std
        latent = config.model.latent
        self.register_buffer("edges", torch.tensor(band_edges(latent.logsnr_min, latent.logsnr_max)), persistent=False)

    def forward(self, z_clean: Tensor, t: Tensor, eps: Tensor, condition: Condition | None) -> dict[str, Tensor]:
        """`z_clean` [B, C, T, h, w], `t` [B] -> "loss_nats" (sum over the batch) and sums of figures."""
        with torch.autocast(z_clean.device.type, dtype=torch.bfloat16, enabled=self.is_half):
            nats = stage2_nats(
                self.base, z_clean, t, eps, config=self.config, latent_std=self.latent_std, condition=condition
            )
        assert isinstance(self.edges, Tensor)
        logsnr = latent_schedule_of(self.config).logsnr(t)
        return {"loss_nats": nats.sum(), "base_band_nats": sums_by_band(nats, logsnr, self.edges)}


class Stage2:
    """The base model's loss on latents; a `Trainable`."""

    def __init__(
        self, config: RunConfig, train: SampleSource, valid: SampleSource, *, ranks: Ranks, feed_of: FeedMaker
    ) -> None:
        self.config = config
        self.ranks = ranks
        self.device = ranks.device
        self.class_names = train.class_names
        assert config.init_from is not None
        stage1, manifest = load_model(config.init_from, device=self.device)
        require_same_latent(config.model, stage1.config)
        stage1.config = config.model  # the base model may continue frames that Stage 1 knew nothing of
        self.frozen = stage1
        self.latent_std = manifest.latent_std
        self.pipeline = Pipeline(stage1, self.device, self._dtype())
        order = BatchOrder(len(train), config.batch_size, config.seed, buckets=train.buckets)
        self.feed: BatchFeed = feed_of(self.pipeline, manifest.networks["encoder"].sha256, order)
        self.held_out = held_out(valid, config.validation.num_images)
        self.valid_latents, self.valid_log_variance = self._held_out_latents()
        torch.manual_seed(config.seed)
        base = BaseModel(config.model)
        self.taken_over: tuple[TakenOver, ...] = ()
        if config.base_from is not None:
            self.taken_over = (take_over(base, config.base_from, "base", config=config.model),)
        self._template = copy.deepcopy(base)
        self.base = base.to(self.device)
        self.loss_module: nn.Module = Stage2Loss(self.base, config, self.latent_std).to(self.device)
        self.conditions = Conditions(config.model, self.device)

    @property
    def module(self) -> nn.Module:
        """The base model with its text encoder; encoder and decoder stay as they are."""
        return self.base

    def _dtype(self) -> torch.dtype:
        return torch.bfloat16 if self.config.precision == "bf16" else torch.float32

    def _held_out_latents(self) -> tuple[Tensor, Tensor | None]:
        pieces = list(self.held_out.pieces(self.device))
        encoded = [
            self.pipeline.encode_sampled(self.held_out.clips[start:stop], range(start, stop)) for start, stop in pieces
        ]
        variances = [variance for _, variance in encoded if variance is not None]
        return torch.cat([z for z, _ in encoded]), torch.cat(variances) if variances else None

    def loss(self, call: LossCall, batch: LatentBatch, rows: slice, piece: Piece) -> tuple[Tensor, dict[str, Tensor]]:
        """Sigmoid-weighted loss in nats, summed over the samples, per latent value."""
        z_clean = batch.z_clean[rows].to(self.device, non_blocking=True)
        draw = StepNoise(self.config.seed, piece, self.device)
        t = draw.times()
        condition = self.conditions.of(batch.captions[rows], batch.labels[rows])
        condition = self.conditions.dropped(condition, self.base.conditioner, draw)
        context = batch.context[rows] if batch.context is not None else None
        shapes = [tuple(z_clean.shape[1:])] + ([tuple(context.shape[1:])] if context is not None else [])
        eps, *context_eps = draw.normals(shapes)
        if context is not None:
            condition = self._with_context(condition, context.to(self.device), context_eps[0], draw)
        draw.seed_dropout()
        sums = call(z_clean, t, eps, condition)
        loss = sums.pop("loss_nats")
        values = z_clean[0].numel()
        sums["base_weighted_nats"] = loss
        sums["samples"] = torch.full((), float(len(z_clean)), device=self.device)
        sums["values"] = torch.full((), float(len(z_clean) * values), device=self.device)
        return loss / values, sums

    def _with_context(
        self, condition: Condition | None, context: Tensor, eps: Tensor, draw: StepNoise
    ) -> Condition | None:
        """Frames to continue from, as z_0 like those the decoder sees, or noisier; a share of the samples goes
        without."""
        logsnr = torch.full((len(context),), self.config.model.latent.logsnr_max, device=self.device)
        if self.config.context_noise:
            logsnr = logsnr - self.config.context_noise * draw.uniform().to(self.device)
        frames = add_noise(context, eps, logsnr)
        return self.conditions.with_frames(condition, frames, draw, drop_rate=self.config.context_drop_rate)

    def after_step(self, step: int, sums: Mapping[str, Tensor]) -> None:
        """Nothing is tracked: the latent's scale was fixed at the end of Stage 1."""

    def figures(self, means: Mapping[str, Figure]) -> dict[str, Figure]:
        """The weighted loss per sample and per latent value, and by band of log-SNR."""
        nats, values, bands = means["base_weighted_nats"], means["values"], means["base_band_nats"]
        assert isinstance(nats, float) and isinstance(values, float) and isinstance(bands, list)
        return {
            "base_weighted_nats": nats,
            "base_weighted_nats_per_value": nats / values,
            "base_band_nats": bands,
        }

    def _averaged_base(self, averages: Averages) -> BaseModel:
        base = copy.deepcopy(self._template).to(self.device)
        load_averages(base, averages)
        return base.eval().requires_grad_(False)

    @torch.inference_mode()
    def validate(self, averages: Averages) -> dict[str, float]:
        """The base model's own unweighted bound in bits per pixel, with the condition and without."""
        base = self._averaged_base(averages)
        condition = self.conditions.of(self.held_out.captions, self.held_out.labels)
        null = base.conditioner.null(len(self.valid_latents), 1)
        figures = {"base_bits_per_pixel": self._bits(base, null.to(self.device) if null is not None else None)}
        if condition is not None:
            figures["base_bits_per_pixel_conditional"] = self._bits(base, condition)
        return figures

    def score(self, figures: Mapping[str, float]) -> float:
        """The base model's bound, turned round: with the condition where there is one."""
        return -figures.get("base_bits_per_pixel_conditional", figures["base_bits_per_pixel"])

    def _bits(self, base: BaseModel, condition: Condition | None) -> float:
        parts = [
            self._bits_of(base, condition.rows(start, stop) if condition is not None else None, start, stop)
            for start, stop in self.held_out.pieces(self.device)
        ]
        return float(torch.cat(parts).mean())

    def _bits_of(self, base: BaseModel, condition: Condition | None, start: int, stop: int) -> Tensor:
        def denoise(z_t: Tensor, logsnr: Tensor) -> Tensor:
            with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.config.precision == "bf16"):
                return estimate_with_base(base, z_t, logsnr, self.frozen.latent_std, condition)

        z = self.valid_latents[start:stop]
        noise = SeededNoise(range(start, stop), "bitrate", shape=z.shape[1:], device=self.device)
        bitrate = latent_bitrate(
            denoise,
            z,
            latent_schedule_of(self.config.model),
            num_times=self.config.validation.bitrate_times,
            draw_noise=noise.draw,
        )
        if self.valid_log_variance is not None:
            logsnr_max = self.config.model.latent.logsnr_max
            bitrate = with_learned_variance(bitrate, self.valid_log_variance[start:stop], logsnr_max)
        return bits_per_pixel(bitrate.nats, num_pixels=self.held_out.clips[0, 0].numel())

    def _full_model(self, averages: Averages) -> UnifiedLatents:
        model = copy.copy(self.frozen)
        model._modules = dict(self.frozen._modules)
        model.config = self.config.model
        model.base = self._averaged_base(averages)
        model.tokenizer = self.conditions.tokenizer
        return model

    def preview(self, averages: Averages) -> Preview:
        """Samples of always the same seeds: a row per preview prompt, or per class; of clips a row of frames each."""
        pipeline = Pipeline(self._full_model(averages), self.device, self._dtype())
        guidance = default_guidance(self.latent_std)
        sampling = SamplingSettings(base=PREVIEW_SAMPLER, decoder=PREVIEW_DECODER, guidance=guidance)
        model, size = self.config.model, self.config.data.size_px
        is_clips = model.num_frames > 1
        seeds = range(1 if is_clips else PREVIEW_COLUMNS)
        rows = []
        for prompt, label in self._preview_conditions():
            labels = torch.full((len(seeds),), label, dtype=torch.int64)
            condition = self.conditions.of([prompt] * len(seeds), labels)
            job = ClipJob(seeds=seeds, size=(size, size), sampling=sampling, condition=condition)
            rows.append(array_from_clips(generate_clips(pipeline, job, model.num_frames)))
        pictures = tuple(row[0] if is_clips else row[:, 0] for row in rows)
        return Preview("samples", pictures, tuple(self._row_name(*each) for each in self._preview_conditions()))

    def _preview_conditions(self) -> list[tuple[str, int]]:
        """Prompt and class of each row."""
        conditioning = self.config.model.conditioning
        if conditioning.kind == "class":
            return [("", label) for label in range(min(PREVIEW_ROWS, conditioning.num_classes))]
        if conditioning.kind == "text":
            prompts = self.config.preview_prompts or tuple(dict.fromkeys(self.held_out.captions))[:PREVIEW_ROWS]
            return [(prompt, 0) for prompt in prompts]
        return [("", 0)]

    def _row_name(self, prompt: str, label: int) -> str:
        if self.config.model.conditioning.kind == "class":
            return self.class_names[label] if label < len(self.class_names) else f"class {label}"
        return prompt

    def export(self, averages: Averages, folder: Path, figures: Mapping[str, float]) -> None:
        """The whole model: Stage 1's networks as they were, and the averaged base model."""
        write_model(self._full_model(averages), self.config, folder, dict(figures), class_names=self.class_names)
