"""Model folders written and read back: bf16 weights, manifest, card; replacing an older one; unwritable places."""

import errno
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.helpers.tiny import save_tiny, text_conditioning, tiny_config, tiny_model
from ul_engine.checkpoint import file_sha256, load_model, save_model
from ul_engine.errors import CheckpointError, OutputError
from ul_engine.model_folder import (
    Manifest,
    PromptGrammar,
    PromptSlot,
    list_models,
    read_manifest,
)
from ul_engine.models.unified import UnifiedLatents
from ul_engine.requests import PRESETS, SamplerSettings, SamplingSettings

CONFIG = tiny_config(conditioning=text_conditioning())


def manifest_of(model: UnifiedLatents, **fields: object) -> Manifest:
    return Manifest(model=model.config, **fields)


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_round_trip(tmp_path: Path) -> None:
    model = tiny_model(CONFIG, latent_std=0.37)
    written = save_model(tmp_path / "m", model, manifest_of(model, description="Tiny."), card="# Tiny\n")
    loaded, manifest = load_model(tmp_path / "m")
    assert manifest == written
    assert manifest.model == CONFIG
    assert manifest.latent_std == pytest.approx(0.37, rel=1e-6)
    assert float(loaded.latent_std) == pytest.approx(0.37, rel=1e-6)
    assert (tmp_path / "m" / "README.md").read_text() == "# Tiny\n"
    assert not loaded.training
    for (name, ours), (other, theirs) in zip(model.named_parameters(), loaded.named_parameters(), strict=True):
        assert name == other
        assert theirs.dtype == torch.float32
        assert not theirs.requires_grad
        assert torch.equal(theirs, ours.bfloat16().float())
    assert hidden(tmp_path) == []


def test_the_loaded_model_does_the_same(tmp_path: Path) -> None:
    model = tiny_model(CONFIG)
    save_model(tmp_path / "m", model, manifest_of(model), card="", dtype=torch.float32)
    loaded, _ = load_model(tmp_path / "m")
    z = torch.randn(1, 4, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    level = torch.tensor([0.5])
    condition = model.condition_from_prompts(["a red cube"])
    assert torch.equal(loaded.base(z, level, condition), model.base(z, level, condition))
    assert torch.equal(loaded.condition_from_prompts(["a red cube"]).indices, condition.indices)


def test_files_say_what_they_are(tmp_path: Path) -> None:
    manifest = save_tiny(tmp_path / "m")
    assert {path.name for path in (tmp_path / "m").iterdir()} == {
        "config.json",
        "README.md",
        "encoder.safetensors",
        "prior.safetensors",
        "decoder.safetensors",
        "base.safetensors",
    }
    model = tiny_model()
    for name, entry in manifest.networks.items():
        path = tmp_path / "m" / entry.file
        assert entry.sha256 == file_sha256(path)
        assert {tensor.dtype for tensor in load_file(path).values()} == {torch.bfloat16}
        assert entry.num_parameters == sum(p.numel() for p in getattr(model, name).parameters())
    assert manifest.can_generate
    assert manifest.can_reconstruct


def test_manifest_keeps_everything(tmp_path: Path) -> None:
    model = tiny_model(CONFIG)
    presets = {"Quick": SamplingSettings(base=SamplerSettings(num_steps=3))}
    grammar = PromptGrammar(
        templates=("a {color} cube",), slots=(PromptSlot(name="color", words=("red",)),), examples=("a red cube",)
    )
    save_model(
        tmp_path / "m",
        model,
        manifest_of(
            model, presets=presets, prompt_grammar=grammar, calibration={"psnr_db": 22.5}, class_names=("a", "b")
        ),
        card="",
    )
    manifest = read_manifest(tmp_path / "m")
    assert manifest.presets == presets == manifest.sampling_presets()
    assert manifest.prompt_grammar == grammar
    assert manifest.calibration == {"psnr_db": 22.5}
    assert manifest.class_names == ("a", "b")
    save_tiny(tmp_path / "plain")
    assert read_manifest(tmp_path / "plain").sampling_presets() == dict(PRESETS)


def test_a_part_of_the_networks(tmp_path: Path) -> None:
    model = tiny_model()
    model.base = None
    model.prior = None
    manifest = save_model(tmp_path / "m", model, manifest_of(model), card="")
    assert set(manifest.networks) == {"encoder", "decoder"}
    assert not manifest.can_generate
    assert manifest.can_reconstruct
    loaded, _ = load_model(tmp_path / "m")
    assert loaded.base is None
    assert loaded.encoder is not None
    only, _ = load_model(tmp_path / "m", networks=frozenset(("decoder",)))
    assert only.encoder is None
    with pytest.raises(CheckpointError, match="has no base and no prior"):
        load_model(tmp_path / "m", networks=frozenset(("prior", "base")))


def test_an_older_folder_is_replaced_whole(tmp_path: Path) -> None:
    save_tiny(tmp_path / "m", seed=1)
    (tmp_path / "m" / "left-over.txt").write_text("old")
    save_tiny(tmp_path / "m", seed=2)
    assert not (tmp_path / "m" / "left-over.txt").exists()
    loaded, _ = load_model(tmp_path / "m", is_verified=True)
    wanted = tiny_model(seed=2)
    for ours, theirs in zip(wanted.parameters(), loaded.parameters(), strict=True):
        assert torch.equal(theirs, ours.bfloat16().float())
    assert hidden(tmp_path) == []


def test_parents_are_made(tmp_path: Path) -> None:
    save_tiny(tmp_path / "a" / "b" / "m")
    assert read_manifest(tmp_path / "a" / "b" / "m").model.name == "Tiny"


def test_unwritable_target(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be written") as caught:
        save_tiny(tmp_path / "file" / "m")
    assert str(tmp_path / "file" / "m") in str(caught.value)


def test_disk_that_can_only_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write anywhere, so the system's answer is played to the one call that asks."""

    def refuse(*arguments: object, **options: object) -> str:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    with pytest.raises(OutputError, match="Read-only file system") as caught:
        save_tiny(tmp_path / "m")
    assert caught.value.path == str(tmp_path / "m")


def test_full_disk_leaves_the_older_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_tiny(tmp_path / "m", seed=1)
    before = read_manifest(tmp_path / "m")

    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("ul_engine.checkpoint.os.fsync", refuse)
    with pytest.raises(OutputError, match="No space left"):
        save_tiny(tmp_path / "m", seed=2)
    assert read_manifest(tmp_path / "m") == before
    load_model(tmp_path / "m", is_verified=True)
    assert hidden(tmp_path) == []


# Once: where the last rename fails, the older folder has been moved away and is not put back.
def test_a_failing_rename_leaves_the_older_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_tiny(tmp_path / "m", seed=1)
    before = read_manifest(tmp_path / "m")
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if Path(target) == tmp_path / "m" and not self.name.endswith("-old"):
            raise OSError(errno.EACCES, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OutputError, match="Permission denied"):
        save_tiny(tmp_path / "m", seed=2)
    assert read_manifest(tmp_path / "m") == before


def test_listing(tmp_path: Path) -> None:
    save_tiny(tmp_path / "models" / "b")
    save_tiny(tmp_path / "models" / "a", CONFIG)
    (tmp_path / "models" / "a" / "config.json").write_text("{")
    (tmp_path / "models" / "c").mkdir()
    save_tiny(tmp_path / "models" / "d")
    (tmp_path / "models" / "d" / "prior.safetensors").unlink()
    entries = {Path(entry.path).name: entry for entry in list_models([tmp_path / "models", tmp_path / "absent"])}
    assert set(entries) == {"a", "b", "d"}
    assert entries["b"].problem is None
    assert entries["b"].manifest is not None
    assert "not valid JSON" in (entries["a"].problem or "")
    assert "missing prior.safetensors" in (entries["d"].problem or "")
    assert entries["a"].manifest is None
    assert entries["d"].manifest is None


# Once: a folder that is just being written, or was left by a crash while it was, is listed as a model too.
def test_unfinished_folders_are_not_listed(tmp_path: Path) -> None:
    save_tiny(tmp_path / "m")
    (tmp_path / "m").rename(tmp_path / ".m-staging")
    save_tiny(tmp_path / "m")
    assert [Path(entry.path).name for entry in list_models([tmp_path])] == ["m"]


def test_manifest_is_plain_json(tmp_path: Path) -> None:
    save_tiny(tmp_path / "m")
    data = json.loads((tmp_path / "m" / "config.json").read_text())
    assert data["format"] == "unified-latents"
    assert data["format_version"] == 1
    assert data["model"]["name"] == "Tiny"
