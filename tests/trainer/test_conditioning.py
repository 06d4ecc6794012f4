"""What a base model is told, settled by what the data say: captions, classes, nothing."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch
from PIL import Image

from tests.helpers.sample_arrays import ArraySamples, picture_samples
from tests.helpers.tiny import simple_pictures
from tests.helpers.tiny_runs import events_of, run_config
from trainer.conditioning import caption_words, settled_condition
from trainer.config import RunConfig
from trainer.run_dir import RunDir, read_json
from trainer.train import run_training
from ul_engine.checkpoint import load_model
from ul_engine.errors import ConfigError
from ul_engine.models.conditioning import WordTokenizer

CAPTIONS = ("A red cube, on snow.", "a blue cube", "two cubes -- a RED one")


@dataclass
class Told(ArraySamples):
    """Samples of which something is said."""

    captions: tuple[str, ...] = field(default=CAPTIONS)

    def caption(self, index: int) -> str:
        return self.captions[index % len(self.captions)]

    def label(self, index: int) -> int:
        return index % 3


def told(**changes: object) -> Told:
    return Told(picture_samples(6).frames, **changes)  # type: ignore[arg-type]


def auto(tmp_path: Path, **changes: object) -> RunConfig:
    return run_config(tmp_path, **({"condition_on": "auto"} | changes))


def test_captions_become_a_vocabulary(tmp_path: Path) -> None:
    config = settled_condition(auto(tmp_path), told(has_captions=True, class_names=("x", "y", "z")))
    conditioning = config.model.conditioning
    assert (config.condition_on, conditioning.kind) == ("model", "text")
    assert conditioning.text is not None
    assert conditioning.text.vocabulary[:3] == ("a", "red", "cube")  # by how often, then by which came first
    assert set(conditioning.text.vocabulary) == set(" ".join(caption_words(" ".join(CAPTIONS))).split())
    assert conditioning.text.max_tokens == 7
    indices = WordTokenizer(conditioning.text).encode_batch(["A Red cube"])
    assert len(set(indices[0, :3].tolist())) == 3
    assert torch.equal(indices, WordTokenizer(conditioning.text).encode_batch(["a red CUBE"]))


def test_the_words_are_those_of_the_tokenizer() -> None:
    assert caption_words("A red cube, on snow.") == ["a", "red", "cube", ",", "on", "snow", "."]
    assert caption_words("") == []


def test_without_captions_classes_and_without_classes_nothing(tmp_path: Path) -> None:
    config = settled_condition(auto(tmp_path), told(class_names=("x", "y", "z")))
    assert (config.model.conditioning.kind, config.model.conditioning.num_classes) == ("class", 3)
    assert settled_condition(auto(tmp_path), told()).model.conditioning.kind == "none"
    nothing = auto(tmp_path, condition_on="none")
    assert settled_condition(nothing, told(has_captions=True)).model.conditioning.kind == "none"
    as_it_is = run_config(tmp_path)
    assert settled_condition(as_it_is, told(has_captions=True)) == as_it_is


@pytest.mark.parametrize(
    ("conditioning", "source", "field"),
    [
        ({"kind": "class", "num_classes": 2}, told(class_names=("x", "y", "z")), "model.conditioning.num_classes"),
        ({"kind": "class", "num_classes": 2}, told(), "model.conditioning.kind"),
        ("text", told(), "model.conditioning.kind"),
        ("auto", told(has_captions=True, captions=("", " ")), "condition_on"),
    ],
)
def test_a_model_that_wants_what_the_data_lack_is_refused(
    tmp_path: Path, conditioning: object, source: Told, field: str
) -> None:
    changes = {"model__conditioning": conditioning} if isinstance(conditioning, dict) else {}
    changes |= {"condition_on": "auto"} if conditioning == "auto" else {}
    with pytest.raises(ConfigError) as caught:
        settled_condition(run_config(tmp_path, **changes), source)
    assert caught.value.field == field


def folders_of_pictures(root: Path) -> Path:
    for index, picture in enumerate(simple_pictures(24)):
        folder = root / ("cats", "dogs", "owls")[index % 3]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / f"{index:02}.png")
    return root


@pytest.mark.stress
def test_classes_by_folder_from_the_data_to_the_model(scenes: Path, tmp_path: Path) -> None:
    """Both stages on a folder tree; the names come out in the manifest, in the order of the labels."""
    data = {"kind": "pictures", "path": str(folders_of_pictures(tmp_path / "data")), "size_px": 16, "num_valid": 3}
    given = {"data": data, "num_steps": 2, "validation__num_images": 2}
    assert run_training(run_config(scenes, condition_on="none", **given), tmp_path / "one", device="cpu") == "finished"
    config = run_config(scenes, "stage2", condition_on="auto", init_from=str(tmp_path / "one"), **given)
    assert run_training(config, tmp_path / "two", device="cpu") == "finished"
    settled = read_json(RunDir(tmp_path / "two").config)
    assert settled["model"]["conditioning"]["num_classes"] == 3
    assert settled["condition_on"] == "model"
    model, manifest = load_model(tmp_path / "two" / "model")
    assert manifest.class_names == ("cats", "dogs", "owls")
    assert model.config.conditioning.kind == "class"
    assert run_training(config, tmp_path / "two", device="cpu") == "finished"  # settled again to the same


@pytest.mark.stress
def test_captions_beside_files_reach_the_model(scenes: Path, tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    for index, picture in enumerate(simple_pictures(12)):
        Image.fromarray(picture).save(root / f"{index:02}.png")
        (root / f"{index:02}.txt").write_text(f"a bright rectangle number {index % 2}")
    data = {"kind": "pictures", "path": str(root), "size_px": 16, "num_valid": 2}
    given = {"data": data, "num_steps": 1, "validation__num_images": 2}
    run_training(run_config(scenes, condition_on="none", **given), tmp_path / "one", device="cpu")
    config = run_config(scenes, "stage2", condition_on="auto", init_from=str(tmp_path / "one"), **given)
    run_training(config, tmp_path / "two", device="cpu")
    model, manifest = load_model(tmp_path / "two" / "model")
    text = model.config.conditioning.text
    assert text is not None
    assert {"a", "bright", "rectangle", "number"} < set(text.vocabulary)
    assert manifest.class_names == ()
    condition = model.condition_from_prompts(["a bright rectangle"])
    assert condition is not None


def test_scenes_by_class(scenes: Path, stage1_model: str, tmp_path: Path) -> None:
    """The built-in scenes have classes too: colour and shape of the first object."""
    classes = {"kind": "class", "num_classes": 64}
    config = run_config(scenes, "stage2", init_from=stage1_model, model__conditioning=classes, num_steps=1)
    assert run_training(config, tmp_path / "two", device="cpu") == "finished"
    _, manifest = load_model(tmp_path / "two" / "model")
    assert len(manifest.class_names) == 64
    assert manifest.class_names[0] == "red sphere"
    assert events_of(tmp_path / "two", "preview")[-1]["row_names"] == list(manifest.class_names[:4])
