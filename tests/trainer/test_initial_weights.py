"""Starting from an earlier model: what fits is taken over exactly, what does not is named, nothing is half done."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.helpers.tiny import WORDS, class_conditioning, save_tiny, text_conditioning, tiny_config, tiny_model
from tests.helpers.tiny_clips import clip_config, deep_config
from trainer.initial import WORD_TABLE, model_folder_of, take_over, take_over_model
from ul_engine.checkpoint import load_model, load_network
from ul_engine.config import BaseConfig, LatentConfig
from ul_engine.errors import CheckpointError
from ul_engine.model_folder import NETWORKS
from ul_engine.models.unified import UnifiedLatents
from ul_engine.models.vit import BaseModel


def test_the_same_model_is_taken_over_whole(tmp_path: Path) -> None:
    save_tiny(tmp_path / "m", seed=3)
    saved, _ = load_model(tmp_path / "m")
    model = UnifiedLatents(tiny_config())
    reports = take_over_model(model, tmp_path / "m", NETWORKS)
    assert [report.network for report in reports] == list(NETWORKS)
    assert all(report.is_complete and not report.unused for report in reports)
    for key, value in model.state_dict().items():
        assert torch.equal(value, saved.state_dict()[key]), key
    assert float(model.latent_std) == pytest.approx(0.8)
    count = len(reports[0].taken)
    assert reports[0].summary() == f"encoder: {count} of {count} tensors taken over"


def test_a_run_folder_stands_for_its_model(tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    (run / "config.json").write_text("{}")
    with pytest.raises(CheckpointError, match="exported no model yet"):
        take_over(BaseModel(tiny_config()), run, "base")
    save_tiny(run / "model")
    assert model_folder_of(run) == run / "model"
    assert take_over(BaseModel(tiny_config()), run, "base").is_complete
    assert model_folder_of(run / "model") == run / "model"


def test_other_shapes_and_parts_stay_fresh(tmp_path: Path) -> None:
    """A base model of one inner block more, on a latent of other channels."""
    save_tiny(tmp_path / "m")
    there = load_file(tmp_path / "m" / "base.safetensors")
    base = BaseConfig(widths=(32, 48), num_blocks=(2, 2), head_channels=16, dropout=0.0)
    module = BaseModel(tiny_config(base=base, latent=LatentConfig(channels=6)))
    before = {key: value.clone() for key, value in module.state_dict().items()}
    report = take_over(module, tmp_path / "m", "base")
    after = module.state_dict()
    assert {each.name for each in report.other_shape} == {"embed.weight", "head.project.weight", "head.project.bias"}
    assert report.missing
    assert all(key.startswith("inner.1.") for key in report.missing)
    fresh = {*report.missing, *(each.name for each in report.other_shape)}
    assert {*report.taken, *fresh} == after.keys()
    assert all(torch.equal(after[key], before[key]) for key in fresh)
    assert all(torch.equal(after[key], there[key].float()) for key in report.taken)
    assert not report.is_complete
    text = report.summary()
    assert f"{len(report.taken)} of {len(after)} tensors" in text
    assert "embed.weight (32x4 there, 32x6 here)" in text
    assert f"and {len(report.missing) - 3} more" in text
    smaller = BaseModel(tiny_config())
    save_tiny(tmp_path / "larger", tiny_config(base=base))
    unused = take_over(smaller, tmp_path / "larger", "base")
    assert unused.is_complete
    assert all(name.startswith("inner.1.") for name in unused.unused)
    assert "left unused: inner.1." in unused.summary()


def test_a_picture_model_starts_clips_as_before(tmp_path: Path) -> None:
    """The same as `load_network(starts_clips=True)`, with a word on the parts that only clips have."""
    save_tiny(tmp_path / "m", deep_config())
    config = clip_config(2, context_frames=2)
    torch.manual_seed(0)
    first = UnifiedLatents(config)
    second = UnifiedLatents(config)
    second.load_state_dict(first.state_dict())
    for report in take_over_model(first, tmp_path / "m", NETWORKS):
        load_network(getattr(second, report.network), tmp_path / "m", report.network, starts_clips=True)
        assert not report.other_shape
        if report.missing:
            assert "parts that only models of clips have" in report.summary()
            assert "fresh: " not in report.summary()
    for key, value in first.state_dict().items():
        assert key == "latent_std" or torch.equal(value, second.state_dict()[key]), key


def test_words_go_by_their_spelling(tmp_path: Path) -> None:
    save_tiny(tmp_path / "m", tiny_config(conditioning=text_conditioning()))
    there = load_file(tmp_path / "m" / "base.safetensors")[WORD_TABLE].float()
    vocabulary = ("sphere", "purple", "red")
    config = tiny_config(conditioning=text_conditioning(vocabulary=vocabulary))
    module = BaseModel(config)
    fresh = module.state_dict()[WORD_TABLE].clone()
    report = take_over(module, tmp_path / "m", "base", config=config)
    here = module.state_dict()[WORD_TABLE]
    assert torch.equal(here[:3], there[:3])  # padding, nothing said, unknown
    assert torch.equal(here[3], there[3 + WORDS.index("sphere")])
    assert torch.equal(here[4], fresh[4])
    assert torch.equal(here[5], there[3 + WORDS.index("red")])
    assert (report.words_taken, report.words_fresh) == (2, 1)
    assert not report.is_complete
    assert "words known to both: 2, fresh words: 1" in report.summary()


def test_as_many_other_words_are_not_mistaken(tmp_path: Path) -> None:
    save_tiny(tmp_path / "m", tiny_config(conditioning=text_conditioning()))
    config = tiny_config(conditioning=text_conditioning(vocabulary=WORDS[::-1]))
    model = UnifiedLatents(config, networks=frozenset(("base",)))
    (report,) = take_over_model(model, tmp_path / "m", ["base"])
    there = load_file(tmp_path / "m" / "base.safetensors")[WORD_TABLE].float()
    assert model.base is not None
    here = model.base.state_dict()[WORD_TABLE]
    assert torch.equal(here[3:], there[3:].flip(0))
    assert report.is_complete


def test_without_knowledge_of_the_words_another_number_stays_fresh(tmp_path: Path) -> None:
    save_tiny(tmp_path / "m", tiny_config(conditioning=text_conditioning()))
    module = BaseModel(tiny_config(conditioning=text_conditioning(vocabulary=("a", "b"))))
    report = take_over(module, tmp_path / "m", "base")
    assert f"{WORD_TABLE} (11x32 there, 5x32 here, other words or classes)" in report.summary()


def test_other_classes_stay_fresh(tmp_path: Path) -> None:
    save_tiny(tmp_path / "m", tiny_config(conditioning=class_conditioning(3)))
    module = BaseModel(tiny_config(conditioning=class_conditioning(5)))
    report = take_over(module, tmp_path / "m", "base")
    assert [each.name for each in report.other_shape] == ["conditioner.classes.weight"]
    assert "other words or classes" in report.summary()


def test_a_network_that_the_folder_lacks_stays_fresh(tmp_path: Path) -> None:
    manifest = save_tiny(tmp_path / "m")
    path = tmp_path / "m" / "config.json"
    data = json.loads(path.read_text())
    del data["networks"]["base"]
    path.write_text(json.dumps(data))
    model = UnifiedLatents(manifest.model)
    encoder, base = take_over_model(model, tmp_path / "m", ["encoder", "base"])
    assert encoder.is_complete
    assert not base.taken
    assert base.summary().startswith("base: 0 of")
    with pytest.raises(CheckpointError, match="has no base"):
        take_over(model.base or model, tmp_path / "m", "base")
    with pytest.raises(CheckpointError, match="nothing of it fits"):
        take_over_model(model, tmp_path / "m", ["base"])


def test_nothing_fits(tmp_path: Path) -> None:
    save_tiny(tmp_path / "m")
    other = tiny_config(
        base=BaseConfig(widths=(64, 96), num_blocks=(2, 1), head_channels=32), latent=LatentConfig(channels=3)
    )
    module = BaseModel(other)
    with pytest.raises(CheckpointError, match="nothing of it fits: base: 0 of"):
        take_over(module, tmp_path / "m", "base")


@pytest.mark.parametrize("damage", ["missing", "truncated", "not finite"])
def test_broken_weights_change_nothing(tmp_path: Path, damage: str) -> None:
    save_tiny(tmp_path / "m")
    path = tmp_path / "m" / "base.safetensors"
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    else:
        weights = load_file(path)
        weights["embed.bias"] = weights["embed.bias"].clone()
        weights["embed.bias"][0] = float("nan")
        save_file(weights, path)
    module = BaseModel(tiny_config())
    before = {key: value.clone() for key, value in module.state_dict().items()}
    with pytest.raises(CheckpointError, match=damage) as caught:
        take_over(module, tmp_path / "m", "base")
    assert "base.safetensors" in str(caught.value)
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such folder"):
        take_over(tiny_model(), tmp_path / "nowhere", "base")
