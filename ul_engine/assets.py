"""Where the bundled models, fonts and sounds lie: in a checkout or inside the installed package. No torch."""

import importlib.util
from pathlib import Path


def assets_dir() -> Path:
    """Folder of the files that come with the program; to be read only.

    A checkout keeps it at the top, beside the packages; a wheel carries it as ``app/assets``. The package ``app`` is
    looked up by name only, never imported. Raises ``FileNotFoundError`` naming the places searched if neither exists.
    """
    checkout = Path(__file__).resolve().parent.parent
    candidates = [checkout / "assets"] if (checkout / "pyproject.toml").is_file() else []
    app = importlib.util.find_spec("app")
    candidates += [Path(folder) / "assets" for folder in (app and app.submodule_search_locations) or ()]
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    searched = ", ".join(map(str, candidates)) or "no place at all, for the package app is not installed"
    raise FileNotFoundError(f"The files that come with UL Studio are missing (searched: {searched}). Reinstall it.")
