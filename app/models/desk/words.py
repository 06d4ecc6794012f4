"""Models, tasks and refusals of the Hub in plain words."""

import re

from PySide6.QtCore import QCoreApplication

from app.models.desk.facts import DeskTask
from app.models.progress import duration
from ul_engine.hub.wording import size_text
from ul_engine.model_folder import Manifest

_HINT = re.compile(r"\s*\([^()]*(?:--|HF_|hf auth)[^()]*\)")


def kind_words(manifest: Manifest) -> str:
    """What a model makes, and from what: "Pictures from text"."""
    model = manifest.model
    is_clip = model.num_frames > 1
    if not manifest.can_generate:
        return _tr("Takes clips apart and puts them together") if is_clip else _tr("Encodes and decodes pictures")
    return {
        ("text", False): _tr("Pictures from text"),
        ("text", True): _tr("Clips from text"),
        ("class", False): _tr("Pictures of classes"),
        ("class", True): _tr("Clips of classes"),
        ("none", False): _tr("Pictures without a prompt"),
        ("none", True): _tr("Clips without a prompt"),
    }[model.conditioning.kind, is_clip]


def parameters_words(count: int) -> str:
    """A number of parameters: 12.3 M."""
    return _tr("{n} M parameters").format(n=f"{count / 1e6:.1f}" if count < 1e8 else f"{count / 1e6:.0f}")


def line_of(manifest: Manifest, size_bytes: int | None = None) -> str:
    """Kind, size of pictures, parameters, size on the disk."""
    count = sum(network.num_parameters for network in manifest.networks.values())
    parts = [kind_words(manifest), f"{manifest.model.image_px} px", parameters_words(count)]
    return " · ".join([*parts, *([size_text(size_bytes)] if size_bytes else [])])


def task_kind_words(task: str) -> str:
    """What the Hub calls a task, for people."""
    return {
        "text-to-image": _tr("Pictures from text"),
        "text-to-video": _tr("Clips"),
        "unconditional-image-generation": _tr("Pictures"),
        "image-to-image": _tr("Encodes and decodes"),
    }.get(task, task)


def task_title(task: DeskTask) -> str:
    """What is being done."""
    name = task.subject.replace("\\", "/").rstrip("/").rpartition("/")[2]
    titles = {
        "download": _tr("Fetching {name}").format(name=task.subject),
        "publish": _tr("Publishing {name}").format(name=name),
        "verify": _tr("Checking {name}").format(name=name),
        "import": _tr("Bringing in {name}").format(name=name),
        "move": _tr("Moving your models to {name}").format(name=task.subject),
    }
    return titles.get(task.deed, name)


def task_line(task: DeskTask) -> str:
    """How far: "12.3 MB of 24.6 MB · 3.1 MB/s · 4 s left"."""
    if task.is_stopping:
        return _tr("Stopping…")
    if task.state == "asking":
        return _tr("Asking what there is…")
    if task.state == "waiting":
        return _tr("Waiting to try again: {reason}").format(reason=plain(task.note))
    if not task.total_bytes:
        return _tr("Starting…")
    parts = [_tr("{done} of {total}").format(done=size_text(task.done_bytes), total=size_text(task.total_bytes))]
    if task.bytes_per_s > 0:
        parts.append(f"{size_text(task.bytes_per_s)}/s")
        left = (task.total_bytes - task.done_bytes) / task.bytes_per_s
        parts.append(_tr("{duration} left").format(duration=duration(left)))
    elif task.deed == "download":
        parts.append(_tr("estimating time left"))
    return " · ".join(parts)


def plain(text: str) -> str:
    """A message of the engine without its hints for the command line, as a sentence."""
    text = _HINT.sub("", text)
    text = text.replace("or set HF_ENDPOINT to a mirror", _tr("or choose a mirror in Settings"))
    return text[:1].upper() + text[1:].rstrip(".") + "." if text else ""


def _tr(text: str) -> str:
    return QCoreApplication.translate("ModelWords", text)
