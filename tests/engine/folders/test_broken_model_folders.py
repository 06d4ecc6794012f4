"""Broken and hostile model folders: every one gives a CheckpointError that names the file and the reason."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.helpers.tiny import save_tiny
from ul_engine.checkpoint import file_sha256, load_model, read_weights
from ul_engine.errors import CheckpointError
from ul_engine.model_folder import list_models, read_manifest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_tiny(tmp_path / "m")
    return tmp_path / "m"


def edit_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    path = folder / "prior.safetensors"
    tensors = {name: tensor.clone() for name, tensor in load_file(path).items()}
    change(tensors)
    save_file(tensors, path)


def edit_manifest(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    data = json.loads((folder / "config.json").read_text())
    change(data)
    (folder / "config.json").write_text(json.dumps(data))


class Bomb:
    """A pickle of it writes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def rename_first(tensors: dict[str, torch.Tensor]) -> None:
    tensors["embed.wait"] = tensors.pop("embed.weight")


def drop_first(tensors: dict[str, torch.Tensor]) -> None:
    del tensors["embed.weight"]


def reshape_first(tensors: dict[str, torch.Tensor]) -> None:
    tensors["embed.weight"] = torch.zeros(7, 3)


def poison(value: float) -> Callable[[dict[str, torch.Tensor]], None]:
    def change(tensors: dict[str, torch.Tensor]) -> None:
        tensors["embed.weight"][0, 0] = value

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (rename_first, "1 tensors are missing and 1 unknown .it lacks embed.weight"),
        (drop_first, "1 tensors are missing and 0 unknown"),
        (lambda tensors: tensors.update(extra=torch.zeros(2)), "it has the unknown extra"),
        (reshape_first, r"embed.weight is \(7, 3\), expected \(32, 4\)"),
        (poison(float("nan")), "not finite in embed.weight"),
        (poison(float("inf")), "not finite in embed.weight"),
    ],
    ids=["renamed", "dropped", "added", "reshaped", "nan", "infinite"],
)
def test_weights_of_another_model(folder: Path, change: Callable[[Any], None], reason: str) -> None:
    edit_weights(folder, change)
    with pytest.raises(CheckpointError, match=reason) as caught:
        load_model(folder)
    assert caught.value.path == str(folder / "prior.safetensors")
    assert str(caught.value).startswith(str(folder / "prior.safetensors"))


def write_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps(Bomb(path.with_name("exploded"))))


def write_torch_pickle(path: Path) -> None:
    torch.save({"embed.weight": torch.zeros(2)}, path)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.unlink(), "is missing"),
        (lambda path: path.write_bytes(path.read_bytes()[:-100]), "truncated or no weight file"),
        (lambda path: path.write_bytes(path.read_bytes()[:40]), "truncated or no weight file"),
        (lambda path: path.write_bytes(b""), "truncated or no weight file"),
        (lambda path: path.write_bytes(b"\xff" * 500), "truncated or no weight file"),
        (write_pickle, "truncated or no weight file"),
        (write_torch_pickle, "truncated or no weight file"),
    ],
    ids=["missing", "cut at the end", "cut early", "empty", "noise", "pickle", "torch pickle"],
)
def test_files_that_are_no_weights(folder: Path, spoil: Callable[[Path], Any], reason: str) -> None:
    spoil(folder / "base.safetensors")
    with pytest.raises(CheckpointError, match=reason) as caught:
        load_model(folder)
    assert caught.value.path == str(folder / "base.safetensors")
    assert not (folder / "exploded").exists()
    with pytest.raises(CheckpointError):
        read_weights(folder / "base.safetensors")


def test_a_folder_in_place_of_a_file(folder: Path) -> None:
    (folder / "base.safetensors").unlink()
    (folder / "base.safetensors").mkdir()
    for is_verified in (False, True):
        with pytest.raises(CheckpointError, match=r"base\.safetensors"):
            load_model(folder, is_verified=is_verified)


def test_only_verifying_finds_a_flipped_bit(folder: Path) -> None:
    load_model(folder, is_verified=True)
    path = folder / "decoder.safetensors"
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    load_model(folder)
    with pytest.raises(CheckpointError, match="SHA-256") as caught:
        load_model(folder, is_verified=True)
    assert caught.value.path == str(path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not valid JSON"),
        ("", "not valid JSON"),
        ("\x00\x01", "not valid JSON"),
        ("[1, 2]", "another kind of model"),
        ('"unified-latents"', "another kind of model"),
        ('{"format": "diffusers"}', "another kind of model"),
        ('{"_class_name": "UNet2DModel"}', "another kind of model"),
        ('{"format": "unified-latents"}', "bad value at model"),
        ('{"format": "unified-latents", "format_version": 2, "model": {}}', "newer"),
        ('{"format": "unified-latents", "format_version": 0, "model": {"name": "x"}}', "format_version"),
    ],
)
def test_manifests(folder: Path, text: str, reason: str) -> None:
    (folder / "config.json").write_text(text)
    for read in (read_manifest, load_model):
        with pytest.raises(CheckpointError, match=reason) as caught:
            read(folder)
        assert caught.value.path == str(folder / "config.json")


def test_manifest_in_another_encoding(folder: Path) -> None:
    (folder / "config.json").write_bytes('{"format": "unified-latents", "description": "Größe"}'.encode("latin-1"))
    with pytest.raises(CheckpointError, match="not valid JSON"):
        read_manifest(folder)


def test_manifest_that_is_far_too_large(folder: Path) -> None:
    with (folder / "config.json").open("wb") as stream:
        stream.truncate(17 * 2**20)
    with pytest.raises(CheckpointError, match="far larger"):
        read_manifest(folder)


# Once: both escaped as other errors, from `list_models` too, which the window calls at its start.
@pytest.mark.parametrize("text", ["[" * 100_000, "1" * 5000 + "}"], ids=["brackets", "digits"])
def test_manifest_that_goes_on_and_on(folder: Path, text: str) -> None:
    (folder / "config.json").write_text('{"format": ' + text)
    with pytest.raises(CheckpointError, match="JSON"):
        read_manifest(folder)
    assert list_models([folder.parent])[0].problem is not None


def test_no_folder_and_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no such folder"):
        load_model(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CheckpointError, match="not a model folder"):
        load_model(tmp_path / "empty")


@pytest.mark.parametrize(
    "name",
    [
        "../secret.safetensors",
        "/etc/secret.safetensors",
        "a/b.safetensors",
        "..\\secret.safetensors",
        "weights.bin",
        "weights.pt",
        "base.safetensors\n",
        "",
    ],
)
def test_file_names_cannot_leave_the_folder(folder: Path, name: str) -> None:
    save_file({"a": torch.zeros(1)}, folder.parent / "secret.safetensors")
    edit_manifest(folder, lambda data: data["networks"]["base"].update(file=name))
    with pytest.raises(CheckpointError, match=r"networks\.base\.file"):
        load_model(folder)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda data: data.update(latent_std=0.0), "latent_std"),
        (lambda data: data.update(latent_std=-1.0), "latent_std"),
        (lambda data: data.update(latent_std="wide"), "latent_std"),
        (lambda data: data["networks"].update(critic=data["networks"]["base"]), "networks"),
        (lambda data: data["networks"]["base"].update(sha256="abc"), "networks.base.sha256"),
        (lambda data: data["model"].update(image_px=18), "model"),
        (lambda data: data["model"]["prior"].update(width=-1), "model.prior.width"),
        (lambda data: data.update(surprise=1), "surprise"),
    ],
    ids=["zero", "negative", "text", "foreign network", "hash", "size", "width", "unknown field"],
)
def test_bad_values_are_named(folder: Path, change: Callable[[dict[str, Any]], None], field: str) -> None:
    edit_manifest(folder, change)
    with pytest.raises(CheckpointError, match=f"bad value at {field}"):
        read_manifest(folder)


# Once: NaN is refused by `gt=0`, infinity is not: every network input is then multiplied by zero.
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_latent_std_must_be_finite(folder: Path, value: float) -> None:
    edit_manifest(folder, lambda data: data.update(latent_std=value))
    with pytest.raises(CheckpointError, match="latent_std"):
        read_manifest(folder)


def test_a_missing_network_is_named(folder: Path) -> None:
    edit_manifest(folder, lambda data: data["networks"].pop("base"))
    with pytest.raises(CheckpointError, match="has no base; it cannot do what was asked"):
        load_model(folder, networks=frozenset(("base", "decoder")))


def test_hash_is_sha256(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert file_sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
