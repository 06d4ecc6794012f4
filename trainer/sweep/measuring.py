"""The figures of one trained point, by `ul_engine.evaluation` on held-out samples, all points alike."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from trainer.config import Stage, ValidationConfig
from trainer.run_dir import read_json, write_json
from trainer.sweep.definition import MeasureSettings
from trainer.sweep.folders import PointFolder, is_same_task
from trainer.sweep.held_out import SAMPLES_NAME, read_info
from trainer.validation import reconstruction_figures
from ul_engine.checkpoint import load_model
from ul_engine.data.pixels import clip_from_array
from ul_engine.devices import pick_device
from ul_engine.evaluation import METRICS, Choice, EvaluationSettings, Task, evaluate
from ul_engine.model_folder import Manifest
from ul_engine.pipelines import Pipeline
from ul_engine.requests import GuidanceSettings, SamplerSettings, SamplingSettings

PICTURE_METRICS = ("psnr", "ssim", "bits", "rfd", "gfd", "kd")
CLIP_METRICS = ("psnr", "ssim", "bits", "rfd-clip", "fd-clip")


def measure_point(root: Path, held_out: Path, *, device: str) -> None:
    """Write ``result.json`` of the point in `root`; what a former call has finished is kept.

    Raises EngineError: model, samples, memory, disk.
    """
    folder, task = PointFolder(root), read_json(PointFolder(root).task)
    settings = MeasureSettings.model_validate(task["settings"] | {"batch_size": task["batch_size"]})
    last = Stage.STAGE2 if Stage.STAGE2.value in task["stages"] else Stage.STAGE1
    model_folder = folder.run_dir(last).model
    place = pick_device(device)
    model, manifest = load_model(model_folder, device=place)
    dtype = torch.bfloat16 if settings.precision == "bf16" else torch.float32
    pipeline = Pipeline(model.eval(), place, dtype)
    info = read_info(held_out)
    work = Task(
        pipeline,
        manifest,
        model_folder,
        (held_out / SAMPLES_NAME,),
        _choice(manifest),
        evaluation_settings(settings, manifest, info),
    )
    report = evaluate(work, folder.evaluation, restart=_is_new(folder, task), observe=_Printed()).report
    write_json(
        folder.result,
        task
        | {
            "metrics": report["metrics"],
            "latent": _latent_figures(pipeline, held_out, settings),
            "num_parameters": {name: entry.num_parameters for name, entry in manifest.networks.items()},
            "condition": manifest.model.conditioning.kind,
            "downsampling": manifest.model.downsampling,
        },
    )


def evaluation_settings(settings: MeasureSettings, manifest: Manifest, info: dict[str, Any]) -> EvaluationSettings:
    """How `ul-engine evaluate` would be asked: conditions of generated samples are those of the held-out ones, in
    turn."""
    kind = manifest.model.conditioning.kind
    conditions = {"class": [str(label) for label in info["labels"]], "text": info["captions"], "none": []}[kind]
    decoder = SamplerSettings(name=settings.sampler, num_steps=settings.decoder_steps)
    base = SamplerSettings(name=settings.sampler, num_steps=settings.base_steps)
    return EvaluationSettings(
        limit=settings.num_samples,
        seed=settings.seed,
        sampling=SamplingSettings(base=base, decoder=decoder, guidance=GuidanceSettings(weight=settings.guidance)),
        bitrate_times=settings.bitrate_times,
        precision=settings.precision,
        batch_size=settings.batch_size,
        num_generated=settings.num_generated,
        prompts=tuple(conditions),
    )


def _choice(manifest: Manifest) -> Choice:
    """Whatever of these the model allows; the report says why the rest is not there."""
    wanted = PICTURE_METRICS if manifest.model.video is None else CLIP_METRICS
    return Choice(tuple(name for name in METRICS if name in wanted), frozenset())


def _is_new(folder: PointFolder, task: dict[str, Any]) -> bool:
    """Whether the evaluation that was begun, if any, was of another task; notes this one."""
    note = folder.evaluation / "task.json"
    if note.is_file() and is_same_task(read_json(note), task):
        return False
    folder.evaluation.mkdir(parents=True, exist_ok=True)
    write_json(note, task)
    return True


def _latent_figures(pipeline: Pipeline, held_out: Path, settings: MeasureSettings) -> dict[str, Any]:
    """Gap between the right and a shuffled latent, and the latent's standard deviation."""
    x = _pictures(held_out / SAMPLES_NAME, settings.num_gap_samples)
    config = ValidationConfig(
        num_images=len(x), decoder_steps=min(256, settings.decoder_steps), bitrate_times=min(64, settings.bitrate_times)
    )
    figures = reconstruction_figures(pipeline, x, config)
    wanted = ("psnr_db", "psnr_shuffled_db", "shuffle_gap_db", "latent_std")
    return {name: figures[name] for name in wanted} | {"num_samples": len(x)}


def _pictures(folder: Path, count: int) -> Tensor:
    """The first held-out samples `[B, 3, T, H, W]` in [-1, 1]."""
    clips = []
    for place in sorted(folder.iterdir())[:count]:
        files = sorted(place.iterdir()) if place.is_dir() else [place]
        clips.append(clip_from_array(np.stack([np.asarray(Image.open(file)) for file in files])))
    return torch.cat(clips)


class _Printed:
    """Prints how far an evaluation is, at most every twentieth part."""

    def __init__(self) -> None:
        self._last = ("", -1)

    def __call__(self, doing: str, done: int, total: int) -> None:
        part = (doing, 20 * done // max(1, total))
        if part != self._last:
            self._last = part
            print(f"{doing} {done}/{total}", flush=True)
