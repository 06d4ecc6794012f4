"""What an evaluation found: the report as plain JSON, and its files."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ul_engine.evaluation.catalogue import METRICS
from ul_engine.evaluation.codec_points import comparison_of, missing_codecs
from ul_engine.evaluation.distances import FeatureSets
from ul_engine.evaluation.generation import condition_in_words
from ul_engine.evaluation.inventory import Inventory
from ul_engine.evaluation.journal import Kind, Row
from ul_engine.evaluation.page import page
from ul_engine.evaluation.plan import Plan
from ul_engine.evaluation.report import bits_figures, codec_figures, sample_metric, sort_metric, worst_first
from ul_engine.evaluation.settings import EvaluationSettings
from ul_engine.evaluation.tables import NUM_WORST, per_frame_csv, per_sample_csv, rate_distortion_csv
from ul_engine.evaluation.thumbnails import Thumbnails
from ul_engine.metrics.rate_distortion import BITS_ARE_A_BOUND
from ul_engine.model_folder import Manifest
from ul_engine.whole_files import write_file

FORMAT = "ul-evaluation-1"
REPORT_NAME, SAMPLES_NAME = "evaluation.json", "per-sample.csv"
CODECS_NAME, FRAMES_NAME = "rate-distortion.csv", "per-frame.csv"
PAGE_NAME = "report.html"
TABLE_NAMES = (SAMPLES_NAME, CODECS_NAME, FRAMES_NAME)
RESULT_NAMES = (REPORT_NAME, PAGE_NAME, *TABLE_NAMES)


@dataclass(frozen=True)
class Evaluation:
    """A finished evaluation. `identity` is all that its figures depend on. `thumbnails` None: nothing was decoded."""

    manifest: Manifest
    settings: EvaluationSettings
    plan: Plan
    inventory: Inventory
    identity: Mapping[str, Any]
    journal_rows: Mapping[Kind, Mapping[int, Row]]
    features: FeatureSets | None
    thumbnails: Thumbnails | None = None

    @cached_property
    def rows(self) -> list[Row]:
        """Rows of all samples that could be read, in order."""
        rows = self.journal_rows["sample"]
        return [rows[index] for index in sorted(rows) if "broken" not in rows[index]]

    @cached_property
    def report(self) -> dict[str, Any]:
        """Content of ``evaluation.json``. It holds no time and no place, so that equal runs have equal reports."""
        broken = [{"file": each.name, "reason": each.reason} for each in self.inventory.broken]
        late = [row for row in self.journal_rows["sample"].values() if "broken" in row]
        broken += [{"file": row["file"], "reason": row["broken"]} for row in late]
        data = {"num_samples": len(self.rows), "fingerprint": self.inventory.fingerprint, "broken": broken}
        return {
            "format": FORMAT,
            "program": self.identity["program"],
            "model": self.identity["model"],
            "data": data,
            "settings": self.identity["settings"],
            "bits_are": BITS_ARE_A_BOUND,
            "metrics": {name: self._figures(name) for name in METRICS if name in {*self.plan.names, *self.plan.rest}},
            "worst_first": self._worst(),
        }

    def _figures(self, name: str) -> dict[str, Any]:
        metric = METRICS[name]
        if name in self.plan.rest:
            return {"title": metric.title, "unavailable": self.plan.rest[name]}
        if name == "bits":
            return bits_figures(self.plan, self.rows, self.manifest.model)
        if name == "codecs":
            points = [(row["file"], row["points"]) for row in self.rows if row["points"] is not None]
            return codec_figures([comparison_of(*point) for point in points], missing_codecs())
        if metric.distance is None:
            return sample_metric(metric, self.rows)
        assert self.features is not None
        generated = sorted(self.journal_rows["generated"])
        found = self.features.figures(metric, [row["index"] for row in self.rows], generated)
        if metric.distance.side == "generated":
            found["condition"] = condition_in_words(self.manifest, self.settings)
        return found

    def _worst(self) -> dict[str, Any] | None:
        found = sort_metric(self.plan)
        if found is None:
            return None
        worst = worst_first(self.plan, self.rows)[:NUM_WORST]
        samples = [{"file": row["file"], "start": row["start"], found[0]: row[found[0]]} for row in worst]
        return {"by": found[0], "samples": samples}


def write_results(evaluation: Evaluation, out: Path) -> list[Path]:
    """Write the tables that apply, the page, the report; returns their paths, the report last. Raises OutputError."""
    plan, rows = evaluation.plan, evaluation.rows
    texts = {SAMPLES_NAME: per_sample_csv(plan, rows)}
    if plan.has("codecs"):
        texts[CODECS_NAME] = rate_distortion_csv(rows)
    if plan.has("frame-psnr"):
        texts[FRAMES_NAME] = per_frame_csv(rows)
    pictures = evaluation.thumbnails
    texts[PAGE_NAME] = page(plan, evaluation.report, rows, pictures.of if pictures is not None else lambda index: None)
    texts[REPORT_NAME] = json.dumps(evaluation.report, indent=1, allow_nan=False) + "\n"
    for name, text in texts.items():
        write_file(out / name, text.encode(errors="surrogateescape"))
    return [out / name for name in texts]
