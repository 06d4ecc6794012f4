"""Recipes that come with the program: YAML files beside this module. No torch."""

from pathlib import Path

from ul_engine.errors import ConfigError

RECIPES = Path(__file__).with_name("recipes")


def recipe_names() -> list[str]:
    """Models that can be trained by name."""
    return sorted(folder.name for folder in RECIPES.iterdir() if (folder / "stage1.yaml").is_file())


def recipe_file(name: str, stage: str) -> Path:
    """The YAML file of one stage of a recipe; raises ConfigError that lists the names there are."""
    path = RECIPES / name / f"{stage}.yaml"
    if not path.is_file():
        raise ConfigError(f"there is no recipe {name!r} for {stage}; known: {', '.join(recipe_names())}")
    return path
