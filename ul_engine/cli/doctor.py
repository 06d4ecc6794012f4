"""``ul-engine doctor``: what is missing on this machine, and the command that mends it."""

import argparse
import ctypes.util
import importlib
import json
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from ul_engine.assets import assets_dir
from ul_engine.errors import EngineError
from ul_engine.model_folder import list_models
from ul_engine.outputs import outputs_root

MIN_FREE_BYTES = 2**30
QT_LIBRARIES = {
    "EGL": "libegl1",
    "GL": "libgl1",
    "xkbcommon": "libxkbcommon0",
    "xcb-cursor": "libxcb-cursor0",
    "dbus-1": "libdbus-1-3",
    "fontconfig": "libfontconfig1",
    "glib-2.0": "libglib2.0-0",
}


@dataclass(frozen=True)
class Finding:
    """One line of the report; `mend` is the command or step that helps, empty where all is well."""

    is_good: bool
    text: str
    mend: str = ""


def doctor(arguments: argparse.Namespace) -> int:
    """Print every finding, for people or as JSON; 0 only if all is well."""
    findings = [finding for check in CHECKS for finding in check()]
    if arguments.json:
        print(json.dumps([asdict(finding) for finding in findings]))
        return 0 if all(finding.is_good for finding in findings) else 1
    for finding in findings:
        print(f"{'ok  ' if finding.is_good else 'FAIL'} {finding.text}")
        if finding.mend:
            print(f"     {finding.mend}")
    return 0 if all(finding.is_good for finding in findings) else 1


def _python() -> Iterator[Finding]:
    is_good = sys.version_info >= (3, 11)
    yield Finding(is_good, f"Python {platform.python_version()}", "" if is_good else "install Python 3.11 or newer")


def _packages() -> Iterator[Finding]:
    for module in ("torch", "numpy", "safetensors", "tokenizers", "pydantic", "PIL", "torchmetrics", "psutil"):
        try:
            version = getattr(importlib.import_module(module), "__version__", "")
            yield Finding(True, f"{module} {version}".rstrip())
        except ImportError as error:
            yield Finding(False, f"{module} cannot be imported ({error})", "pip install -e . -c constraints.txt")


def _qt_libraries() -> Iterator[Finding]:
    if platform.system() != "Linux":
        return
    missing = [package for library, package in QT_LIBRARIES.items() if ctypes.util.find_library(library) is None]
    mend = f"sudo apt-get install {' '.join(missing)}" if missing else ""
    yield Finding(
        not missing, "system libraries of the window" if not missing else "the window lacks system libraries", mend
    )


def _device() -> Iterator[Finding]:
    from ul_engine.devices import describe_device, pick_device

    device = pick_device("auto")
    name, memory = describe_device(device)
    yield Finding(True, f"computes on {device}: {name}, {memory / 2**30:.0f} GiB")
    if device.type == "cpu" and shutil.which("nvidia-smi"):
        yield Finding(
            False,
            "there is an NVIDIA card, but this torch cannot use it",
            "choose a CUDA build at https://pytorch.org/get-started/locally/",
        )


def _models() -> Iterator[Finding]:
    try:
        entries = list_models([assets_dir() / "models"])
    except EngineError as error:
        yield Finding(False, str(error), "install the program again")
        return
    for entry in entries:
        yield Finding(
            entry.problem is None,
            entry.problem or f"model {entry.name}",
            "git checkout assets" if entry.problem else "",
        )
    if not entries:
        yield Finding(False, "no bundled model", "make models")


def _outputs() -> Iterator[Finding]:
    root = outputs_root()
    existing = next(folder for folder in (root, *root.parents) if folder.is_dir())
    free = shutil.disk_usage(existing).free
    is_good = free >= MIN_FREE_BYTES
    yield Finding(
        is_good, f"outputs go to {root} ({free / 2**30:.1f} GiB free)", "" if is_good else "free some disk space"
    )


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (_python, _packages, _qt_libraries, _device, _models, _outputs)
