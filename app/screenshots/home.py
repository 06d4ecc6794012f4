"""A home of its own, with folders named as a person would name them, so that pictures show nobody's real ones."""

import os
import site
import tempfile
from contextlib import suppress
from pathlib import Path

from app.program import Places
from app.services.settings import SETTINGS_NAME


def make_home() -> Path:
    """An empty home for this process and those it starts; whoever asks takes it away in the end."""
    home = Path(tempfile.mkdtemp(prefix="ul-studio-")).resolve()
    os.environ.setdefault("PYTHONUSERBASE", site.getuserbase())  # packages that were installed into the real one
    os.environ["HOME"] = os.environ["USERPROFILE"] = str(home)
    return home


def places_in(home: Path, bundled: Path) -> Places:
    """Where a person keeps such things; what comes with the program is linked in."""
    here = home / "ul-studio" / "assets" / "models"
    here.parent.mkdir(parents=True)
    with suppress(OSError):  # not everybody may make links
        here.symlink_to(bundled, target_is_directory=True)
    own = home / "UL Studio"
    settings = home / ".config" / "UL Studio" / SETTINGS_NAME
    models = (here if here.is_dir() else bundled, own / "models")
    return Places(models, home / "Pictures" / "UL Studio", settings, own / "runs")
