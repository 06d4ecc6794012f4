"""The last step of a bundled codec: its sampler chosen, measured on pictures it never saw, figures and card written.

Everything that is needed for it is looked at by `check_codec`, before the training.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import torch
from torch import Tensor

from trainer.config import PhotographsData, RunConfig, ValidationConfig, parse_config
from trainer.data.collections import open_collection
from trainer.data.kinds import samples_among
from trainer.data.opening import open_data
from trainer.export import default_presets, write_model
from trainer.finishing.codec_card import codec_card
from trainer.finishing.codec_report import CodecReport, family_chart, family_table, point_of
from trainer.finishing.kept import Kept
from trainer.finishing.parts import evaluated, history
from trainer.finishing.samplers import DecoderTrial, best_decoder, decoder_trials
from trainer.processor import machine_text
from trainer.run_dir import RunDir, read_json, write_json
from trainer.validation import held_out, reconstruction_figures
from ul_engine.checkpoint import load_model
from ul_engine.data.pixels import pictures_from_array
from ul_engine.data.textures.choosing import texture
from ul_engine.errors import ConfigError
from ul_engine.evaluation import EvaluationSettings, Task, parse_metrics
from ul_engine.evaluation.catalogue import METRICS as METRICS_BY_NAME
from ul_engine.evaluation.files import FileReader, find_files
from ul_engine.evaluation.inventory import take_inventory
from ul_engine.model_folder import Manifest
from ul_engine.pipelines import Pipeline
from ul_engine.requests import SamplerSettings, SamplingSettings
from ul_engine.whole_files import write_file

METRICS = "psnr,ssim,ms-ssim,flip,bits,codecs"
REPORT_NAME, TABLE_NAME, CHART_NAME = "codec.json", "codec.md", "codec.svg"
TIMED_SIZE = (512, 768)
TIMED_STEPS = 8
SMALLEST_PX = max(METRICS_BY_NAME[name].min_px for name in METRICS.split(","))


@dataclass(frozen=True)
class CodecExtent:
    """How much is measured."""

    num_choosing: int = 64
    """Held-out photographs by which the decoder's sampler is chosen."""
    gap: ValidationConfig = field(
        default_factory=lambda: ValidationConfig(num_images=256, decoder_steps=8, bitrate_times=16)
    )
    bitrate_times: int = 16
    timed_size: tuple[int, int] = TIMED_SIZE
    """Height and width of the picture that is timed."""


WHOLE = CodecExtent()


@dataclass(frozen=True)
class Judging:
    """`pictures`: a folder, zip or list of pictures that the model is judged on and was not trained on. `credit`: what
    the photographs of the training are, whose, and under what licence, for the card."""

    pictures: Path
    credit: str


def check_codec(config: RunConfig, judging: Judging) -> None:
    """Raise ConfigError or DataError now for whatever would stop the last step after the training: data of another
    kind, no credit, pictures that cannot be read or are those of the training, data that cannot be opened."""
    data = _photographs(config)
    if not judging.credit.strip():
        raise ConfigError("say in a sentence what the photographs are, whose, and under what licence", field="credit")
    with FileReader() as reader:
        samples = take_inventory(
            find_files((judging.pictures,), clips=False), EvaluationSettings(), config.model, reader
        ).samples
    small = [sample.name for sample in samples if min(sample.height, sample.width) < SMALLEST_PX]
    if small:
        raise ConfigError(f"{small[0]} is smaller than {SMALLEST_PX} pixels and cannot be judged", field="judge")
    trained = _contents(data.path)
    known = [sample.name for sample in samples if sample.digest in trained]
    if known:
        raise ConfigError(f"{known[0]} is in {data.path} too: that would judge what was learned", field="judge")
    for source, epoch in zip(open_data(config.data, seed=config.seed), (0, None), strict=True):
        source.sample(0, epoch)


def _contents(path: str) -> frozenset[str]:
    """SHA-256 of every picture of the training's collection."""
    collection = open_collection(path)
    pictures = samples_among(collection.entries, "pictures")
    return frozenset(sha256(collection.read(entry)).hexdigest() for entry in pictures)


def _photographs(config: RunConfig) -> PhotographsData:
    if not isinstance(config.data, PhotographsData):
        raise ConfigError("a codec of photographs is trained on data of kind photographs", field="data.kind")
    return config.data


def finish_codec(folders: Mapping[str, Path], out: Path, judging: Judging, extent: CodecExtent = WHOLE) -> CodecReport:
    """Choose the decoder's sampler of the model that a recipe's finished runs hold, measure it, write it to `out`.

    `folders` are the run folders by the recipe's part, "stage1" and, where the decoder went on by itself, "decoder";
    the last one's model is taken. The sampler of the presets Preview and Balanced is chosen on photographs that were
    held out in training; all figures of the card are those of ``ul-engine evaluate`` on the pictures it is judged on,
    one decode each by the preset Balanced. What was measured is kept in that run folder, with a table and a chart that
    also hold the other codecs beside it that were judged on the same pictures. Raises EngineError.
    """
    runs = {part: RunDir(folder) for part, folder in folders.items()}
    run = list(runs.values())[-1]
    config = parse_config(read_json(run.config))
    check_codec(config, judging)
    model, manifest = load_model(run.model)
    pipeline = Pipeline(model, torch.device("cpu"))
    kept = Kept(run.root / "finishing", {name: network.sha256 for name, network in manifest.networks.items()})
    x = _held_out(config, max(extent.num_choosing, extent.gap.num_images))
    of = [config.data.model_dump(mode="json"), extent.num_choosing]
    trials = decoder_trials(pipeline, x[: extent.num_choosing], kept, of=of)
    presets = _presets(manifest, trials)
    settings = EvaluationSettings(
        sampling=presets["Balanced"], bitrate_times=extent.bitrate_times, restorer="prior", batch_size=8
    )
    task = Task(pipeline, manifest, run.model, (judging.pictures,), parse_metrics(METRICS), settings)
    evaluation = evaluated(task, run.root)
    machine = machine_text(torch.device("cpu"))
    report = CodecReport(
        name=config.model.name,
        data=evaluation.report["data"],
        metrics=evaluation.report["metrics"],
        rows=tuple(dict(row) for row in evaluation.rows),
        gap=kept.get(
            "gap",
            ("encoder", "prior", "decoder"),
            [of, extent.gap.model_dump()],
            lambda: reconstruction_figures(pipeline, x[: extent.gap.num_images], extent.gap),
        ),
        trials=tuple(trials),
        presets=presets,
        seconds=kept.get(
            "seconds",
            ("encoder", "decoder"),
            [list(extent.timed_size), TIMED_STEPS, presets["Balanced"].decoder.name.value, machine],
            lambda: _seconds(pipeline, presets["Balanced"].decoder, extent),
        ),
        timed_size=extent.timed_size,
        machine=machine,
    )
    _write_findings(report, run.root)
    told = {part: history(each) for part, each in runs.items()}
    write_model(
        model,
        config,
        out,
        calibration(report),
        card=codec_card(config, report, told, credit=judging.credit, recipe=out.name),
        description="Takes photographs of any size apart and puts them together again; it does not generate.",
        presets=presets,
    )
    return report


def _held_out(config: RunConfig, count: int) -> Tensor:
    """Photographs that were held out in training, `[N, 3, 1, H, W]` in [-1, 1]."""
    _, valid = open_data(config.data, seed=config.seed)
    return held_out(valid, min(count, len(valid))).clips


def _presets(manifest: Manifest, trials: Sequence[DecoderTrial]) -> dict[str, SamplingSettings]:
    """The program's presets with the best decoder's sampler within their steps, Paper's left as it is."""
    presets = default_presets(manifest.latent_std)
    for name in ("Preview", "Balanced"):
        decoder = best_decoder(trials, steps_max=presets[name].decoder.num_steps)
        presets[name] = presets[name].model_copy(update={"decoder": decoder})
    return presets


def _seconds(pipeline: Pipeline, decoder: SamplerSettings, extent: CodecExtent) -> dict[str, float]:
    """Of a drawn picture encoded, and decoded in `TIMED_STEPS` steps, each after a smaller one that warms up."""
    settings = decoder.model_copy(update={"num_steps": TIMED_STEPS})
    seconds = {}
    for size in (tuple(side // 4 for side in extent.timed_size), extent.timed_size):
        x = pictures_from_array(texture(0, 0, (size[0], size[1]))[None])
        began = time.perf_counter()
        z_0 = pipeline.native_latent(pipeline.encode(x), [0])
        encoded = time.perf_counter()
        pipeline.decode(z_0, [0], settings, crop_to=(size[0], size[1]))
        seconds = {"encode": encoded - began, "decode": time.perf_counter() - encoded}
    return seconds


def _write_findings(report: CodecReport, root: Path) -> None:
    """The report, and the table and chart of all codecs beside `root` that were judged on the same pictures."""
    write_json(root / REPORT_NAME, report.plain())
    family = [point_of(report.plain())]
    for file in sorted(root.parent.glob(f"*/{REPORT_NAME}")):
        other = read_json(file)
        if file.parent != root and other["data"]["fingerprint"] == report.data["fingerprint"]:
            family.append(point_of(other))
    family.sort(key=lambda point: point.ours.bits_per_pixel)
    write_file(root / TABLE_NAME, family_table(report, family).encode())
    write_file(root / CHART_NAME, family_chart(family).encode())


def calibration(report: CodecReport) -> dict[str, float]:
    """The figures of the model folder: those on the pictures it was judged on, the gap on held-out photographs."""
    metrics, bits = report.metrics, report.metrics["bits"]["prior"]
    return {
        "bits_per_pixel": bits["bits_per_pixel"]["mean"],
        "bits_per_dim": bits["bits_per_latent_value"]["mean"],
        "psnr_db": metrics["psnr"]["mean"],
        "ssim": metrics["ssim"]["mean"],
        "ms_ssim": metrics["ms-ssim"]["mean"],
        "flip": metrics["flip"]["mean"],
        "psnr_shuffled_db": report.gap["psnr_shuffled_db"],
        "shuffle_gap_db": report.gap["shuffle_gap_db"],
        "latent_std": report.gap["latent_std"],
        **{f"seconds_{name}": value for name, value in report.seconds.items()},
    }
