"""The environment tests run in: offscreen, offline, one thread, and none of the user's own settings."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RUN_ID = "UL_STUDIO_TEST_RUN"
"""Inherited by every child of this test run, by which even an orphan is recognised."""

FIXED = {
    "QT_QPA_PLATFORM": "offscreen",
    "QT_SCALE_FACTOR": "1",
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "LC_ALL": "C.UTF-8",
}
REMOVED = ("QT_STYLE_OVERRIDE", "QT_QPA_PLATFORMTHEME", "QT_LOGGING_RULES", "HF_TOKEN", "HF_ENDPOINT")
FOLDERS = {
    "XDG_CONFIG_HOME": "config",
    "XDG_DATA_HOME": "data",
    "XDG_STATE_HOME": "state",
    "XDG_CACHE_HOME": "cache",
    "XDG_RUNTIME_DIR": "runtime",
    "APPDATA": "config",
    "LOCALAPPDATA": "data",
    "HF_HOME": "huggingface",
}


@contextmanager
def sealed_environment() -> Iterator[Path]:
    """Replaces what tests must not see of this machine's environment; the home of settings and caches is a new folder.

    The folder is yielded, and removed at the end.
    """
    saved = dict(os.environ)
    root = Path(tempfile.mkdtemp(prefix="ul-tests-"))
    for name, folder in FOLDERS.items():
        (root / folder).mkdir(mode=0o700, exist_ok=True)
        os.environ[name] = str(root / folder)
    for name in os.environ.keys() & {*REMOVED, *(name for name in os.environ if name.startswith("UL_"))}:
        del os.environ[name]
    os.environ |= FIXED | {RUN_ID: uuid.uuid4().hex}
    try:
        yield root
    finally:
        os.environ.clear()
        os.environ.update(saved)
        shutil.rmtree(root, ignore_errors=True)
