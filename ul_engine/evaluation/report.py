"""From finished rows to figures as plain JSON: means with standard errors, bits, codecs at equal bits."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from ul_engine.config import ModelConfig
from ul_engine.evaluation.catalogue import METRICS, Metric
from ul_engine.evaluation.plan import Plan
from ul_engine.metrics.ms_ssim import label
from ul_engine.metrics.rate_distortion import BITS_ARE_A_BOUND, CodecSummary, Comparison, summarise

Row = Mapping[str, Any]
NO_SAMPLE = "no sample could be measured"


def mean_of(values: Iterable[float]) -> dict[str, Any]:
    """Mean, its standard error `std / sqrt(n)` (None below two samples), and the number of samples."""
    array = np.array(list(values), np.float64)
    error = float(array.std(ddof=1) / math.sqrt(len(array))) if len(array) > 1 else None
    return {"mean": float(array.mean()), "standard_error": error, "num_samples": len(array)}


def sample_metric(metric: Metric, rows: Sequence[Row]) -> dict[str, Any]:
    """One metric over all samples. Samples without it (too small) and exact copies (infinite) are left out and told."""
    values = [float(row[metric.key]) for row in rows if row.get(metric.key) is not None]
    finite = [value for value in values if math.isfinite(value)]
    warnings = []
    if len(values) < len(rows):
        warnings.append(f"{len(rows) - len(values)} samples are smaller than {metric.min_px} pixels and have none")
    if len(finite) < len(values):
        warnings.append(f"{len(values) - len(finite)} samples came back exactly: infinite, and not in the mean")
    figures = mean_of(finite) if finite else {"unavailable": NO_SAMPLE}
    more: dict[str, Any] = {}
    if metric.name == "ms-ssim":
        more["num_scales"] = sorted({row["ms_ssim_scales"] for row in rows if "ms_ssim_scales" in row})
        more["title"] = label(more["num_scales"][0] if len(more["num_scales"]) == 1 else None)
    if metric.name == "frame-psnr" and finite:
        frames = np.array([[float(each) for each in row["psnr_db_per_frame"]] for row in rows])
        more["per_frame"] = [_finite_mean(column) for column in frames.T]
    return _named(metric) | figures | more | {"warnings": warnings}


def _finite_mean(column: Any) -> float | None:
    finite = column[np.isfinite(column)]
    return float(finite.mean()) if len(finite) else None


def _named(metric: Metric) -> dict[str, Any]:
    return {"title": metric.title, "unit": metric.unit, "lower_is_better": metric.lower_is_better}


def bits_figures(plan: Plan, rows: Sequence[Row], config: ModelConfig) -> dict[str, Any]:
    """Under the prior and under the base model: bits per pixel and per latent value, the terminal KL, bits per band."""
    found: dict[str, Any] = {"title": METRICS["bits"].title, "note": BITS_ARE_A_BOUND}
    for name in plan.restorers:
        bands = np.array([row[f"band_bits_per_pixel_{name}"] for row in rows])
        edges = np.linspace(config.latent.logsnr_min, config.latent.logsnr_max, bands.shape[1] + 1).tolist()
        found[name] = {
            "condition": "none" if name == "prior" else "null",
            "bits_per_pixel": mean_of(row[f"bits_per_pixel_{name}"] for row in rows),
            "bits_per_latent_value": mean_of(row[f"bits_per_latent_value_{name}"] for row in rows),
            "terminal_bits_per_pixel": mean_of(row[f"terminal_bits_per_pixel_{name}"] for row in rows),
            "bands": [
                {"logsnr_low": low, "logsnr_high": high, "bits_per_pixel": mean_of(column)}
                for low, high, column in zip(edges[:-1], edges[1:], bands.T, strict=True)
            ],
        }
    return found | {name: {"unavailable": reason} for name, reason in plan.missing_restorers.items()}


def codec_figures(comparisons: Sequence[Comparison], missing: Mapping[str, str]) -> dict[str, Any]:
    """Each codec where it could do our bits, and where it stood at its floor; never thrown together."""
    found: dict[str, Any] = {"title": METRICS["codecs"].title, "note": BITS_ARE_A_BOUND}
    if not comparisons:
        found["unavailable"] = NO_SAMPLE
    found |= {name: _codec(summary) for name, summary in summarise(comparisons).items()}
    return found | {name: {"unavailable": reason} for name, reason in missing.items()}


def _codec(summary: CodecSummary) -> dict[str, Any]:
    return {
        name: None if gain is None else asdict(gain) | {"difference": dict(gain.difference)}
        for name, gain in (("at_equal_bits", summary.at_equal_bits), ("at_floor", summary.at_floor))
    }


def sort_metric(plan: Plan) -> tuple[str, bool] | None:
    """The column that says which samples are worst, and whether lower is better: PSNR first; None without any."""
    for metric in plan.per_sample:
        return metric.key, metric.lower_is_better
    return (f"bits_per_pixel_{plan.restorers[0]}", True) if plan.restorers else None


def worst_first(plan: Plan, rows: Sequence[Row]) -> list[Row]:
    """All rows that have the column of `sort_metric`, the worst first, exact copies last."""
    found = sort_metric(plan)
    if found is None:
        return []
    key, lower_is_better = found
    known = [row for row in rows if row.get(key) is not None]
    return sorted(known, key=lambda row: float(row[key]), reverse=lower_is_better)
