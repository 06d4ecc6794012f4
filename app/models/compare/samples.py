"""Which of the pictures that come with the program suit the models that are compared."""

from collections.abc import Sequence

from ul_engine.assets import assets_dir
from ul_engine.model_folder import ModelEntry
from ul_engine.presets.words import SCENE_WORDS

SCENES, RICH = "*.png", "*.jpg"


def sample_pictures(models: Sequence[ModelEntry]) -> list[str]:
    """Scenes for models of Scenes; pictures as rich as photographs for all others; both, the rich ones first, where
    both kinds are compared. Scenes where nothing is."""
    is_of_scenes = [_is_of_scenes(entry) for entry in models]
    patterns = [] if all(is_of_scenes) else [RICH]
    if any(is_of_scenes) or not models:
        patterns.append(SCENES)
    folder = assets_dir() / "samples"
    return [str(path) for pattern in patterns for path in sorted(folder.glob(pattern))]


def _is_of_scenes(entry: ModelEntry) -> bool:
    """Whether the model knows, or is to know once it has a base model, the words of Scenes."""
    text = entry.manifest.model.conditioning.text if entry.manifest is not None else None
    return text is not None and set(SCENE_WORDS) <= set(text.vocabulary)
