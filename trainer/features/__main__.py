"""Command line: train, store, reload, and table the small feature network."""

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from trainer.data.scenes import default_cache_root
from trainer.features.learning import accuracy, taught
from trainer.features.pictures import SIZE_PX, Clothes, open_scenes, read_clothes, scene_pictures
from trainer.features.table import Row, as_markdown, damage_rows, mixing_row
from ul_engine.data.scenes.cache import SceneCache
from ul_engine.errors import EngineError, OutputError
from ul_engine.metrics.features.small import (
    CONFIG_NAME,
    WEIGHTS_NAME,
    SmallFeatures,
    SmallFeaturesConfig,
    load_small_features,
)

CARD_NAME = "README.md"


def main(argv: list[str] | None = None) -> int:
    """Entry point; 0 on success, 1 for a problem that was explained."""
    arguments = _parser().parse_args(argv)
    torch.set_num_threads(1)
    try:
        _run(arguments)
    except EngineError as error:
        print(f"trainer.features: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m trainer.features", description=__doc__)
    parser.add_argument("--clothes", required=True, type=Path, help="zip of the clothing-dataset-small, train part")
    parser.add_argument("--scenes", type=Path, default=default_cache_root(), help="folder of render caches")
    parser.add_argument("--out", type=Path, default=Path("assets/metrics/small-features"))
    parser.add_argument("--steps", type=int, default=4500, help="of 80 scenes and 48 photographs (default: 4500)")
    parser.add_argument("--num-scenes", type=int, default=24_000)
    parser.add_argument("--num-held-out", type=int, default=2_000)
    parser.add_argument("--table-only", action="store_true", help="table the network in --out instead of training it")
    return parser


def _run(arguments: argparse.Namespace) -> None:
    clothes, held_out_clothes = read_clothes(arguments.clothes)
    scenes, held_out_scenes = open_scenes(
        arguments.scenes, num_train=arguments.num_scenes, num_valid=arguments.num_held_out
    )
    if not arguments.table_only:
        pupil = taught(scenes, clothes, num_steps=arguments.steps)
        print(json.dumps(accuracy(pupil, held_out_scenes, held_out_clothes), indent=1))
        store(pupil.network, arguments.out)
    network = load_small_features(arguments.out)
    print(as_markdown(table(network, held_out_scenes, held_out_clothes)))


def table(network: SmallFeatures, scenes: SceneCache, clothes: Clothes) -> list[Row]:
    """Damage and mixing on held-out scenes (classes: shapes) and held-out clothes."""
    rendered = scene_pictures(scenes, np.arange(len(scenes.pictures)))
    shapes = torch.from_numpy(scenes.label("shape").astype(np.int64))
    return [
        *damage_rows("Scenes", rendered, network),
        mixing_row("Scenes", rendered, shapes, network),
        *damage_rows("clothes", clothes.pictures, network),
        mixing_row("clothes", clothes.pictures, clothes.labels, network),
    ]


def store(network: SmallFeatures, folder: Path) -> None:
    """Write the configuration and the weights in bfloat16. Raises OutputError."""
    config = SmallFeaturesConfig(input_px=SIZE_PX, num_features=network.num_features)
    tensors = {
        name: value.detach().bfloat16().contiguous()
        for name, value in network.state_dict().items()
        if value.is_floating_point()
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_file(tensors, folder / WEIGHTS_NAME)
        os.chmod(folder / WEIGHTS_NAME, 0o644)
        (folder / CONFIG_NAME).write_text(config.model_dump_json(indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot be written ({error.strerror})", path=folder) from error


if __name__ == "__main__":
    sys.exit(main())
