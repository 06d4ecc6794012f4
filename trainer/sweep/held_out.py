"""Held-out samples as picture files, so that `ul_engine.evaluation` measures on exactly what training held out."""

from pathlib import Path
from typing import Any

from PIL import Image

from trainer.config import RunConfig
from trainer.data.opening import open_data
from trainer.data.samples import Sample, SampleSource
from trainer.run_dir import read_json, write_json
from trainer.sweep.folders import HELD_OUT_INFO
from ul_engine.errors import DataError
from ul_engine.whole_files import explained, temporary_folder

SAMPLES_NAME = "samples"


def write_held_out(config: RunConfig, folder: Path, num_samples: int) -> None:
    """``samples/00000.png`` … (a folder of frames for each clip) and ``info.json`` with captions and labels.

    At most as many as are held out. Nothing is done where the folder is complete. Raises DataError, OutputError.
    """
    if (folder / HELD_OUT_INFO).is_file():
        return
    _, valid = open_data(config.data, seed=config.seed, progress=_print_progress)
    count = min(num_samples, len(valid))
    if count < 4:
        raise DataError(f"the data holds out {count} samples; measuring needs at least 4 (data.num_valid)")
    with explained(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(folder.parent) as temporary:
            captions, labels = _write_samples(valid, temporary / SAMPLES_NAME, count)
            info = {
                "num_samples": count,
                "fingerprint": valid.fingerprint,
                "class_names": list(valid.class_names),
                "captions": captions,
                "labels": labels,
            }
            write_json(temporary / HELD_OUT_INFO, info)
            temporary.rename(folder)


def read_info(folder: Path) -> dict[str, Any]:
    """What is known of the samples; raises CheckpointError where they are missing."""
    found: dict[str, Any] = read_json(folder / HELD_OUT_INFO)
    return found


def _write_samples(source: SampleSource, folder: Path, count: int) -> tuple[list[str], list[int]]:
    captions, labels = [], []
    folder.mkdir()
    for index in range(count):
        sample = source.sample(index, None)
        _write_frames(sample, folder, index)
        captions.append(sample.caption)
        labels.append(int(sample.label))
    return captions, labels


def _write_frames(sample: Sample, folder: Path, index: int) -> None:
    if len(sample.frames) == 1:
        Image.fromarray(sample.frames[0]).save(folder / f"{index:05d}.png")
        return
    clip = folder / f"{index:05d}"
    clip.mkdir()
    for number, frame in enumerate(sample.frames):
        Image.fromarray(frame).save(clip / f"{number:04d}.png")


def _print_progress(done: int, total: int) -> None:
    if done == total or done % 4096 == 0:
        print(f"opening data {done}/{total}", flush=True)
