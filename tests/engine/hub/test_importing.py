"""Importing folders and zips: verified, copied whole or not at all; what an archive says of paths is never believed."""

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.hub.conftest import PNG
from ul_engine.errors import Cancelled, CheckpointError, ConfigError, OutputError
from ul_engine.hub.importing import import_model
from ul_engine.hub.place import SPARE_BYTES, folder_name_for, read_origin, require_name, require_space
from ul_engine.hub.verify import verify_model
from ul_engine.model_folder import list_models, user_models_dir

Files = dict[str, bytes]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the person's models, not there yet."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "data"))
    assert user_models_dir().is_relative_to(tmp_path)
    return user_models_dir()


def write_folder(folder: Path, files: Files) -> Path:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def write_zip(path: Path, files: Files, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def is_empty(place: Path) -> bool:
    return not place.exists() or not list(place.iterdir())


def test_a_folder(place: Path, tiny_files: Files, tmp_path: Path) -> None:
    foreign = {"weights.bin": b"a pickle", "run.py": b"import os", "a.png": PNG, "b.png": b"MZ"}
    found = import_model(write_folder(tmp_path / "My model (2)", tiny_files | foreign))
    assert found.folder == place / "My-model-2"
    here = {path.name: path.read_bytes() for path in found.folder.iterdir() if path.name != "origin.json"}
    assert here == tiny_files | {"a.png": PNG}
    origin = read_origin(found.folder)
    assert origin is not None
    assert (origin.source, origin.repo, len(origin.when)) == ("My model (2)", "", 25)
    assert verify_model(found.folder).is_intact
    assert [entry.problem for entry in list_models([place])] == [None]


@pytest.mark.parametrize("prefix", ["", "tiny/", "./"])
def test_a_zip(place: Path, tiny_files: Files, tmp_path: Path, prefix: str) -> None:
    litter = {"__MACOSX/config.json": b"x", "notes/deep/config.json": b"x", "readme.txt": b"x"}
    files = {prefix + name: content for name, content in tiny_files.items()} | litter
    found = import_model(write_zip(tmp_path / "tiny.v1.zip", files), name="mine")
    assert found.folder == place / "mine"
    assert {path.name for path in found.folder.iterdir()} == set(tiny_files) | {"origin.json"}
    assert import_model(tmp_path / "tiny.v1.zip").folder.name == "tiny.v1"


def test_links_in_a_folder_are_followed(place: Path, tiny_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "linked").mkdir()
    for path in tiny_folder.iterdir():
        (tmp_path / "linked" / path.name).symlink_to(path)
    found = import_model(tmp_path / "linked")
    assert not any(path.is_symlink() for path in found.folder.iterdir())


def test_a_taken_name(place: Path, tiny_folder: Path) -> None:
    first = import_model(tiny_folder)
    with pytest.raises(OutputError, match=r"choose another name \(--name\), or replace it"):
        import_model(tiny_folder)
    with pytest.raises(OutputError, match="it is the folder to import"):
        import_model(first.folder, replace=True)
    (first.folder / "README.md").write_text("changed")
    import_model(tiny_folder, replace=True)
    assert (first.folder / "README.md").read_text() == "# Tiny\n"
    assert [path.name for path in place.iterdir()] == ["tiny"]


def test_a_file_in_the_place(place: Path, tiny_folder: Path) -> None:
    place.mkdir(parents=True)
    (place / "tiny").write_text("a file")
    with pytest.raises(OutputError, match="is no folder"):
        import_model(tiny_folder, replace=True)


def broken(files: Files) -> dict[str, tuple[Files, str]]:
    manifest = json.loads(files["config.json"])
    manifest["networks"]["prior"]["file"] = "Base.safetensors"
    doubled = json.dumps(manifest).encode()
    manifest["networks"]["prior"]["file"] = "con.safetensors"
    device = json.dumps(manifest).encode()
    flipped = files["base.safetensors"][:-1] + b"\x7f"
    return {
        "flipped bit": (files | {"base.safetensors": flipped}, "base.safetensors differs .*SHA-256"),
        "no manifest": ({"base.safetensors": files["base.safetensors"]}, r"no config\.json"),
        "torn manifest": (files | {"config.json": files["config.json"][:99]}, r"config\.json: is not valid JSON"),
        "foreign": (files | {"config.json": b'{"model_type": "llama"}'}, "another kind of model"),
        "missing weights": (
            {k: v for k, v in files.items() if k != "prior.safetensors"},
            "prior.safetensors is missing",
        ),
        "long card": (files | {"README.md": b"x" * (2**20 + 1)}, "far more than it should"),
        "two of one name": (files | {"config.json": doubled}, "names base.safetensors for more than one network"),
        "a device of Windows": (files | {"config.json": device}, "Windows takes for a device"),
    }


@pytest.mark.parametrize("what", broken({"config.json": b'{"networks": {"prior": {}}}', "base.safetensors": b"x"}))
@pytest.mark.parametrize("is_zip", [False, True])
def test_broken_models_are_not_copied(place: Path, tiny_files: Files, tmp_path: Path, what: str, is_zip: bool) -> None:
    files, reason = broken(tiny_files)[what]
    source = write_zip(tmp_path / "m.zip", files) if is_zip else write_folder(tmp_path / "m", files)
    with pytest.raises(CheckpointError, match=reason) as caught:
        import_model(source)
    assert str(caught.value).startswith(str(source))
    assert is_empty(place)


@pytest.mark.parametrize("path", ["../evil.txt", "/etc/evil", "tiny/../../evil", "..\\evil", "C:/evil", "a\\b"])
def test_paths_that_lead_out_of_an_archive(place: Path, tiny_files: Files, tmp_path: Path, path: str) -> None:
    source = write_zip(tmp_path / "m.zip", tiny_files | {path: b"evil"})
    with pytest.raises(CheckpointError, match="do not trust this archive"):
        import_model(source)
    assert is_empty(place)
    assert not list(tmp_path.rglob("evil*"))


def bomb(tmp_path: Path, files: Files) -> Path:
    """Tiny packed, 150 MB unpacked: far more than the parameters of the manifest can need."""
    return write_zip(tmp_path / "m.zip", files | {"base.safetensors": bytes(150_000_000)})


def liar(tmp_path: Path, files: Files) -> Path:
    """Its directory states fewer bytes than the packed file holds."""
    path = write_zip(tmp_path / "m.zip", files)
    content = path.read_bytes()
    size = len(files["base.safetensors"]).to_bytes(4, "little")
    path.write_bytes(content.replace(size, (1000).to_bytes(4, "little")))
    return path


def encrypted(tmp_path: Path, files: Files) -> Path:
    """Flagged as encrypted: nobody asks for a password here."""
    path = write_zip(tmp_path / "m.zip", files, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = -1
        while (start := content.find(signature, start + 1)) >= 0:
            content[start + offset] |= 1
    path.write_bytes(content)
    return path


def rotten(tmp_path: Path, files: Files) -> Path:
    """A byte in the middle is another."""
    path = write_zip(tmp_path / "m.zip", files, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[content.find(files["base.safetensors"]) + 5000] ^= 1
    path.write_bytes(content)
    return path


def truncated(tmp_path: Path, files: Files) -> Path:
    path = write_zip(tmp_path / "m.zip", files)
    path.write_bytes(path.read_bytes()[:-100])
    return path


def twofold(tmp_path: Path, files: Files) -> Path:
    return write_zip(tmp_path / "m.zip", {f"{place}/{name}": files[name] for place in "ab" for name in files})


def crowded(tmp_path: Path, files: Files) -> Path:
    return write_zip(tmp_path / "m.zip", files | {f"{i}.txt": b"" for i in range(10_001)})


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (bomb, "far more than it should"),
        (liar, "broken archive|differs"),
        (encrypted, "unpack it first"),
        (rotten, "broken archive"),
        (truncated, "neither a model folder nor a zip"),
        (twofold, r"several models \(a, b\)"),
        (crowded, "more than 10,000 entries"),
    ],
)
def test_archives_of_the_wrong_kind(
    place: Path, tiny_files: Files, tmp_path: Path, make: Callable[[Path, Files], Path], reason: str
) -> None:
    with pytest.raises(CheckpointError, match=reason):
        import_model(make(tmp_path, tiny_files))
    assert is_empty(place)


def test_what_is_nothing(place: Path, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("text")
    with pytest.raises(CheckpointError, match="neither a model folder nor a zip"):
        import_model(tmp_path / "text.txt")
    with pytest.raises(CheckpointError, match="no such folder or file"):
        import_model(tmp_path / "absent")
    with pytest.raises(CheckpointError, match=r"no config\.json in it"):
        import_model(tmp_path)


def test_cancelling(place: Path, tiny_folder: Path) -> None:
    with pytest.raises(Cancelled):
        import_model(tiny_folder, is_cancelled=lambda: True)
    assert is_empty(place)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_that_cannot_be_written(tiny_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(OutputError, match="cannot be written"):
        import_model(tiny_folder, into=tmp_path / "locked")


def test_a_place_that_is_a_file(tiny_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        import_model(tiny_folder, into=tmp_path / "file")


def test_a_full_disk_is_told_before_anything_is_copied(tmp_path: Path) -> None:
    require_space(tmp_path, 0)
    with pytest.raises(OutputError, match=r"needs .* TB and 67\.1 MB to spare, but the disk has only"):
        require_space(tmp_path, 10**18)
    assert SPARE_BYTES == 64 * 2**20


@pytest.mark.parametrize("name", ["a", "Scenes tiny", "v1.2_b-c", "_x"])
def test_names_that_do(name: str) -> None:
    assert require_name(name) == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".hidden", "a/b", "a\\b", "a.", " a", "nul", "COM1.x", "x" * 81, "a:b"]
)
def test_names_that_do_not(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be a folder's name"):
        require_name(name)


@pytest.mark.parametrize(
    ("text", "name"),
    [("a b/c", "a-b-c"), ("..x..", "x"), ("", "model"), ("日本", "model"), ("con", "con-model"), ("x" * 99, "x" * 80)],
)
def test_names_made_to_do(text: str, name: str) -> None:
    assert folder_name_for(text) == name
    assert require_name(name)
