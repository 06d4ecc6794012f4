"""Names, units and verdicts of settings in words that people use. No Qt widgets."""

import re
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QCoreApplication

UNITS = {
    "s": "s",
    "ms": "ms",
    "px": "px",
    "bytes": "bytes",
    "fps": "fps",
    "db": "dB",
    "gb": "GB",
    "hz": "Hz",
}
"""What the last word of a name says of its unit."""
_SPELLED = {
    "ema": "EMA",
    "logsnr": "log-SNR",
    "fps": "frame rate",
    "px": "pixels",
    "adamw": "AdamW",
    "muon": "Muon",
    "ddp": "DDP",
    "fsdp": "FSDP",
    "cpu": "CPU",
    "mse": "MSE",
    "bf16": "bf16",
    "fp32": "fp32",
    "kl": "KL",
    "dpmpp": "DPM++",
    "2m": "2M",
    "sde": "SDE",
    "ddim": "DDIM",
    "ddpm": "DDPM",
    "elbo": "ELBO",
    "huggingface": "Hugging Face",
    "valid": "held-out",
    "std": "standard deviation",
    "float16": "float16",
    "uint8": "uint8",
}
_NEVER_CAPITAL = ("log-SNR", "bf16", "fp32", "float16", "uint8")
_TITLES = {
    "num_valid": "Held-out samples",
    "num_train": "Training samples",
    "num_workers": "Loading processes",
    "num_ranks": "Processes",
    "betas": "Betas",
    "kind": "Kind",
    "min_px": "Smallest side kept",
    "size_px": "Side of the pictures",
    "init_from": "Start from",
    "base_from": "Base model from",
    "stage1": "Stage 1",
    "stage2": "Stage 2",
    "crop": "Crop",
    "preview_prompts": "Prompts of the previews",
    "image_px": "Picture size",
    "patch_px": "Patch size",
    "noise_px": "Noise measured at",
    "min_bytes": "Smallest file",
    "log_every": "Log every",
    "num_processes": "Processes",
}
_PATH_TITLES = {
    "model.name": "Name of the model",
    "data.flip": "Mirror pictures",
    "data.num_frames": "Frames of a clip",
    "use_stage2": "Stage 2 as well",
    "biases": "Sigmoid biases",
    "points_at_once": "Runs at once",
    "num_nodes": "Machines",
    "node_rank": "Number of this machine",
    "rendezvous": "Where they meet",
}
"""For places where the name alone says too little."""
_WORDS = re.compile(r"[_\-\s]+")


def title_at(path: str) -> str:
    """The title of the field at a path."""
    return _tr(_PATH_TITLES[path]) if path in _PATH_TITLES else title_of(path.rpartition(".")[2])


def title_of(name: str) -> str:
    """``num_steps`` as Steps, ``learning_rate`` as Learning rate, ``ema_decay`` as EMA decay."""
    if name in _TITLES:
        return _tr(_TITLES[name])
    words = [word for word in _WORDS.split(name) if word]
    if len(words) > 1 and words[0] == "num":
        words = words[1:]
    if len(words) > 1 and words[-1] in UNITS:
        words = words[:-1]
    text = " ".join(_SPELLED.get(word.lower(), word) for word in words)
    return _tr(text if text.startswith(_NEVER_CAPITAL) else text[:1].upper() + text[1:])


def unit_of(name: str) -> str:
    """The unit in a name's ending; empty where there is none."""
    return UNITS.get(_WORDS.split(name)[-1], "")


def choice_helps(description: str, values: Sequence[str]) -> dict[str, str]:
    """Of a description such as ``crop: cut to a square. pad: the whole picture.`` the sentences for each value."""
    names = {*values, "None"}
    marks = [match for name in names for match in re.finditer(rf"(?<![\w-]){re.escape(name)}: ", description)]
    marks.sort(key=lambda match: match.start())
    ends = [mark.start() for mark in marks[1:]] + [len(description)]
    return {
        mark.group()[:-2]: description[mark.end() : end].strip().rstrip(";").rstrip()
        for mark, end in zip(marks, ends[: len(marks)], strict=True)
    }


def range_words(low: float | None, high: float | None, *, is_low_open: bool = False, is_high_open: bool = False) -> str:
    """``1 to 256``, ``above 0``, ``0 or more``; empty where there are no bounds."""
    if low is None and high is None:
        return ""
    if low is not None and high is not None:
        if is_low_open or is_high_open:
            first = _tr("above {low}") if is_low_open else _tr("from {low}")
            last = _tr("below {high}") if is_high_open else _tr("up to {high}")
            return f"{first} {last}".format(low=number_text(low), high=number_text(high))
        return _tr("{low} to {high}").format(low=number_text(low), high=number_text(high))
    if low is not None:
        text = _tr("above {low}") if is_low_open else _tr("{low} or more")
        return text.format(low=number_text(low))
    text = _tr("below {high}") if is_high_open else _tr("{high} or less")
    return text.format(high=number_text(high or 0.0))


def number_text(value: float) -> str:
    """A number as a person types it: 1000, 0.001, 1e-05; never more digits than it has."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return str(value)
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)


def sentence(error: Any) -> str:
    """Pydantic's verdict on a value in plain words."""
    limits, kind = error.get("ctx") or {}, error["type"]
    bounds = {
        "greater_than": (_tr("It must be more than {limit}."), "gt"),
        "greater_than_equal": (_tr("It must be at least {limit}."), "ge"),
        "less_than": (_tr("It must be less than {limit}."), "lt"),
        "less_than_equal": (_tr("It must be at most {limit}."), "le"),
        "string_too_long": (_tr("It may have at most {limit} characters."), "max_length"),
        "too_short": (_tr("It needs at least {limit} values."), "min_length"),
        "too_long": (_tr("It may have at most {limit} values."), "max_length"),
    }
    if kind in bounds:
        words, name = bounds[kind]
        return words.format(limit=number_text(limits[name]))
    if kind in ("missing", "string_too_short"):
        return _tr("This is needed.")
    if kind.startswith("int_"):
        return _tr("A whole number is needed.")
    if kind.startswith("float_") or kind == "finite_number":
        return _tr("A number is needed.")
    if kind in ("literal_error", "enum", "union_tag_invalid"):
        return _tr("One of these is needed: {choices}.").format(
            choices=str(limits.get("expected") or limits.get("expected_tags", "")).replace("'", "")
        )
    text = str(error["msg"]).removeprefix("Value error, ").rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."


def numbers_needed(count: int) -> str:
    """Of a field of several numbers with too few or too many."""
    return _tr("{count} numbers are needed, parted by commas.").format(count=count)


def _tr(text: str) -> str:
    return QCoreApplication.translate("ConfigForm", text)
