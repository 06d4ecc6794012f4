"""Model folders for tests of the window: a real manifest, and weight files that nobody reads."""

import json
from pathlib import Path
from typing import Any

from ul_engine.config import ConditioningConfig, ModelConfig, TextConfig
from ul_engine.model_folder import Manifest, NetworkFile, PromptGrammar, PromptSlot

SHAPES = ("sphere", "cube", "cylinder", "cone", "torus", "capsule", "pyramid", "octahedron")
COLORS = ("red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink")
SLOTS = {
    "size": ("small", "large"),
    "color": COLORS,
    "material": ("matte", "metal"),
    "shape": SHAPES,
    "floor_color": ("red", "yellow", "green", "blue", "purple", "gray"),
    "floor_pattern": ("plain", "checkered", "striped", "dotted"),
    "sky": ("blue", "orange", "pink", "purple", "green", "gray"),
}
TEMPLATE = "a {size} {color} {material} {shape} on a {floor_color} {floor_pattern} floor under a {sky} sky"
EXAMPLES = (
    "a small purple metal torus on a green checkered floor under an orange sky",
    "a large red matte cube on a plain gray floor under a blue sky",
    "a green octahedron under a purple sky",
    "an orange capsule on a checkered floor",
)
WORDS = tuple(sorted({word for words in SLOTS.values() for word in words} | {"a", "an", "on", "under", "floor", "sky"}))


def grammar() -> PromptGrammar:
    slots = tuple(PromptSlot(name=name, words=words) for name, words in SLOTS.items())
    return PromptGrammar(templates=(TEMPLATE,), slots=slots, examples=EXAMPLES)


def manifest(name: str = "Scenes", kind: str = "text", **changes: Any) -> Manifest:
    conditioning = {
        "text": ConditioningConfig(kind="text", text=TextConfig(vocabulary=WORDS, max_tokens=20)),
        "class": ConditioningConfig(kind="class", num_classes=3),
        "none": ConditioningConfig(),
    }[kind]
    file = NetworkFile(file="weights.safetensors", sha256="0" * 64, num_parameters=4_000_000)
    values: dict[str, Any] = {
        "model": ModelConfig(name=name, image_px=64, conditioning=conditioning),
        "networks": {"base": file, "decoder": file, "encoder": file, "prior": file},
        "prompt_grammar": grammar() if kind == "text" else None,
        "class_names": ("cat", "dog", "bird") if kind == "class" else (),
        "description": "Small scenes: one solid on a patterned floor under a coloured sky.",
    }
    return Manifest(**(values | changes))


def write_model(root: Path, folder: str = "scenes", **options: Any) -> Path:
    """A model folder as the program finds it."""
    path = root / folder
    path.mkdir(parents=True)
    data = manifest(**options).model_dump(mode="json")
    (path / "config.json").write_text(json.dumps(data), encoding="utf-8")
    (path / "weights.safetensors").write_bytes(b"")
    return path
