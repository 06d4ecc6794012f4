"""What the program remembers between two starts, in one JSON file that is replaced as a whole."""

import itertools
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from ul_engine.errors import OutputError
from ul_engine.outputs import write_file
from ul_engine.requests import FrozenModel

SETTINGS_VERSION = 1
SETTINGS_NAME = "settings.json"
CONFIG_VARIABLE = "UL_STUDIO_CONFIG"
RUNS_VARIABLE = "UL_STUDIO_RUNS"
THEMES = ("system", "dark", "light")


class Settings(FrozenModel):
    """Everything remembered."""

    version: int = SETTINGS_VERSION
    theme: Literal["system", "dark", "light"] = "dark"
    geometry: str = Field("", description="Qt's saved window geometry, in base64.")
    outputs: str = Field("", description="Folder for results; empty: the usual one.")
    is_crisp: bool = Field(True, description="Enlarge pictures with hard pixel edges.")
    tile_px: int = Field(208, ge=96, le=512, description="Wished size of a picture in the grid.")
    library_tile_px: int = Field(172, ge=96, le=512, description="Wished size of a result in the library.")
    is_expert_open: bool = False
    preferences: dict[str, Any] = Field(default_factory=dict, description="What differs from the usual preferences.")
    form: dict[str, Any] = Field(default_factory=dict, description="The form as it was last left.")
    opened_runs: tuple[str, ...] = Field((), description="Folders of training runs from elsewhere that were opened.")
    charts: dict[str, Any] = Field(default_factory=dict, description="How the charts of training runs are drawn.")
    compare: dict[str, Any] = Field(default_factory=dict, description="The form of the page Compare.")


@dataclass(frozen=True)
class LoadedSettings:
    """Settings and, if the file could not be used, why and where it was put aside."""

    settings: Settings
    problem: str = ""
    kept_aside: str = ""


class SettingsFile:
    """The settings file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> LoadedSettings:
        """Read the file. One that is damaged or from a newer program is put aside, and defaults are used."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return LoadedSettings(Settings())
        except (OSError, UnicodeDecodeError) as error:
            return self._put_aside(f"it cannot be read ({getattr(error, 'strerror', None) or error})")
        try:
            data = json.loads(text)
            version = data.get("version") if isinstance(data, dict) else None
            if isinstance(version, int) and version > SETTINGS_VERSION:
                return self._put_aside("a newer version of UL Studio wrote it")
            return LoadedSettings(Settings.model_validate(data))
        except json.JSONDecodeError as error:
            return self._put_aside(f"it is damaged (line {error.lineno}: {error.msg})")
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            return self._put_aside(f"it has a bad value at {field or 'the top'} ({first['msg']})")
        except (ValueError, RecursionError) as error:
            return self._put_aside(f"it is damaged ({error})")

    def save(self, settings: Settings) -> None:
        """Replace the file. Raises OutputError."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot be made ({error.strerror})", path=self.path.parent) from error
        write_file(self.path, encode_settings(settings))

    def _put_aside(self, problem: str) -> LoadedSettings:
        stem, suffix = self.path.stem, self.path.suffix
        names = (self.path.with_name(f"{stem}.aside-{number}{suffix}") for number in itertools.count(1))
        aside = next(path for path in names if not path.exists())
        try:
            self.path.replace(aside)
        except OSError:
            return LoadedSettings(Settings(), problem)
        return LoadedSettings(Settings(), problem, str(aside))


def encode_settings(settings: Settings) -> bytes:
    """The file's content."""
    return json.dumps(settings.model_dump(mode="json"), indent=1).encode()


def peeked_scale(path: Path) -> int:
    """The wished size of everything in percent, read before there is an application; 100 if it cannot be read."""
    try:
        percent = json.loads(path.read_text(encoding="utf-8"))["preferences"]["scale_percent"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return 100
    return percent if isinstance(percent, int) and 100 <= percent <= 200 else 100


def config_dir() -> Path:
    """Folder of the settings: $UL_STUDIO_CONFIG, else the user's folder for such files."""
    named = os.environ.get(CONFIG_VARIABLE)
    if named:
        return Path(named)
    from platformdirs import user_config_path

    return user_config_path("UL Studio", appauthor=False)


def log_dir() -> Path:
    """Folder of crash reports."""
    from platformdirs import user_log_path

    return user_log_path("UL Studio", appauthor=False)


def data_dir() -> Path:
    """Folder of the user's own models and runs."""
    from platformdirs import user_data_path

    return user_data_path("UL Studio", appauthor=False)


def usual_models() -> Path:
    """Where the user's own models go if nothing else was chosen."""
    return data_dir() / "models"


def usual_runs() -> Path:
    """Where training runs go if nothing else was chosen: $UL_STUDIO_RUNS, else ``runs`` of a checkout, else the user's
    data folder."""
    named = os.environ.get(RUNS_VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    checkout = Path(__file__).resolve().parents[2]
    return (checkout if (checkout / "pyproject.toml").is_file() else data_dir()) / "runs"
