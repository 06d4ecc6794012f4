"""Collections: the same files come out of a folder, a zip file and tar shards, and damage is named."""

import os
import pickle
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.helpers.picture_sets import two_classes, write_folder, write_shards, write_tar, write_zip
from trainer.data import open_files
from trainer.data.collections import Collection, open_collection
from trainer.data.entries import name_in_shard, safe_name
from trainer.data.places import cache_root
from ul_engine.errors import DataError

FILES = two_classes(12)
KINDS = ("folder", "zip", "stored", "bzip2", "tar", "shards")


def written(kind: str, root: Path) -> Path:
    methods = {"zip": zipfile.ZIP_DEFLATED, "stored": zipfile.ZIP_STORED, "bzip2": zipfile.ZIP_BZIP2}
    if kind in methods:
        return write_zip(root / "all.zip", FILES, methods[kind])
    if kind == "tar":
        return write_tar(root / "all.tar", FILES)
    return write_shards(root / "shards", FILES) if kind == "shards" else write_folder(root / "all", FILES)


@pytest.mark.parametrize("kind", KINDS)
def test_all_kinds_hold_the_same_files(kind: str, tmp_path: Path) -> None:
    collection = open_collection(written(kind, tmp_path))
    assert {name_in_shard(entry.name): collection.read(entry) for entry in collection.entries} == FILES
    assert [entry.name for entry in collection.entries] == sorted(entry.name for entry in collection.entries)
    assert all(entry.num_bytes == len(collection.read(entry)) for entry in collection.entries)
    for entry in collection.entries[:2]:
        assert collection.as_file(entry).read_bytes() == FILES[name_in_shard(entry.name)]
        assert (collection.path_of(entry) is not None) == (kind == "folder")


@pytest.mark.parametrize("kind", ["zip", "shards"])
def test_copies_and_threads_read_the_same(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_files, "_LONGEST_READ", 100)
    monkeypatch.setattr(open_files, "MOST_OPEN", 1)  # shards are closed while others still read from them
    collection = open_collection(written(kind, tmp_path))
    collection.read(collection.entries[0])
    copy: Collection = pickle.loads(pickle.dumps(collection))
    assert copy.fingerprint == collection.fingerprint
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(copy.read, copy.entries * 20))
    assert read == [FILES[name_in_shard(entry.name)] for entry in copy.entries] * 20


@pytest.mark.parametrize("kind", KINDS)
def test_fingerprint_sees_every_change(kind: str, tmp_path: Path) -> None:
    before = open_collection(written(kind, tmp_path / "a" if kind == "folder" else _made(tmp_path / "a")))
    same = open_collection(before.path)
    assert same.fingerprint == before.fingerprint
    changed = FILES | {"cat/00.txt": b"picture number 1"}
    assert len(changed["cat/00.txt"]) == len(FILES["cat/00.txt"])
    others = [changed, {**FILES, "cat/more.png": b"x"}, {n: c for n, c in FILES.items() if n != "dog/01.png"}]
    for number, files in enumerate(others):
        root = _made(tmp_path / f"b{number}")
        if kind == "folder":
            other = write_folder(root / "all", files)
        elif kind in ("tar", "shards"):
            if number == 0:
                continue  # a tar file knows no check sums: sizes, places and times decide
            other = write_tar(root / "all.tar", files)
        else:
            other = write_zip(root / "all.zip", files)
        assert open_collection(other).fingerprint != before.fingerprint


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def test_hidden_files_are_left_out(tmp_path: Path) -> None:
    hidden = {".hidden.png": b"x", "__MACOSX/cat/00.png": b"x", "cat/.DS_Store": b"x", "cat/Thumbs.db": b"x"}
    for path in (
        write_folder(tmp_path / "all", FILES | hidden),
        write_zip(tmp_path / "all.zip", FILES | hidden),
        write_tar(tmp_path / "all.tar", FILES | hidden),
    ):
        assert {entry.name for entry in open_collection(path).entries} == set(FILES)


def test_index_of_shards_is_kept_and_renewed(tmp_path: Path) -> None:
    shard = write_tar(tmp_path / "shards" / "one.tar", {"a.png": b"first"})
    calls: list[tuple[int, int]] = []
    collection = open_collection(shard.parent, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 1)]
    assert [collection.read(entry) for entry in collection.entries] == [b"first"]
    indexes = set((cache_root() / "tar-index").iterdir())
    assert open_collection(shard.parent).entries == collection.entries
    assert set((cache_root() / "tar-index").iterdir()) == indexes
    write_tar(shard, {"a.png": b"first", "b.png": b"second"})
    collection = open_collection(shard.parent)
    assert [collection.read(entry) for entry in collection.entries] == [b"first", b"second"]
    for index in cache_root().glob("tar-index/*"):
        index.write_bytes(b"{ broken")
    assert open_collection(shard.parent).entries == collection.entries


def test_last_of_two_members_and_hard_links_count(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "all.tar", {"a.png": b"old", "b.png": b"other"})
    with tarfile.open(path, "a") as archive:
        linked = tarfile.TarInfo("c.png")
        linked.type, linked.linkname = tarfile.LNKTYPE, "b.png"
        archive.addfile(linked)
        (tmp_path / "new").write_bytes(b"newer")
        archive.add(tmp_path / "new", "a.png")
    collection = open_collection(path)
    assert [collection.read(entry) for entry in collection.entries] == [b"newer", b"other", b"other"]


def test_folder_follows_links_but_not_for_ever(tmp_path: Path) -> None:
    write_folder(tmp_path / "elsewhere", {"a.png": b"x"})
    root = write_folder(tmp_path / "all", {"b/b.png": b"x"})
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    assert [entry.name for entry in open_collection(root).entries] == ["b/b.png", "linked/a.png"]
    (root / "b" / "up").symlink_to(root)
    with pytest.raises(DataError, match="link to a folder that it lies in"):
        open_collection(root)
    (root / "b" / "up").unlink()
    (root / "gone").symlink_to(root / "nothing")
    with pytest.raises(DataError, match="link to something that is not there"):
        open_collection(root)
    (root / "gone").unlink()
    (root / "self").symlink_to(root / "self")
    with pytest.raises(DataError, match="leads in a circle"):
        open_collection(root)


def test_wrong_paths_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("no archive")
    (tmp_path / "text.zip").write_text("no archive")
    (tmp_path / "text.tar").write_text("no archive")
    for name, reason in {
        "nowhere": "no such file",
        "empty": "holds no files",
        "text.txt": "neither a folder",
        "text.zip": "no zip file, or was cut short",
        "text.tar": "no tar file, or was cut short",
    }.items():
        with pytest.raises(DataError, match=reason) as caught:
            open_collection(tmp_path / name)
        assert caught.value.path == str(tmp_path / name)


@pytest.mark.parametrize("share", [0.4, 0.7])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_cut_archives_are_refused(kind: str, share: float, tmp_path: Path) -> None:
    path = written(kind, tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(DataError, match="cut short"):
        open_collection(path)


def test_tar_cut_between_two_members_is_refused(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "all.tar", {"a.png": b"x" * 512, "b.png": b"y" * 512})
    path.write_bytes(path.read_bytes()[:2048])
    with pytest.raises(DataError, match="no end mark"):
        open_collection(path)


def test_compressed_tar_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "all.tar.gz", "w:gz") as archive:
        archive.add(write_folder(tmp_path / "all", FILES), "all")
    for path in (tmp_path / "all.tar.gz", _moved(tmp_path / "all.tar.gz", tmp_path / "shards" / "all.tar")):
        with pytest.raises(DataError, match="is compressed"):
            open_collection(path.parent if path.parent.name == "shards" else path)


def _moved(path: Path, to: Path) -> Path:
    to.parent.mkdir()
    to.write_bytes(path.read_bytes())
    return to


def test_tar_links_to_names_are_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "all.tar", "w") as archive:
        member = tarfile.TarInfo("a.png")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/hosts"
        archive.addfile(member)
    with pytest.raises(DataError, match="is a link or a device"):
        open_collection(tmp_path / "all.tar")


def test_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "all.zip", {"a.png": b"secret"}, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1  # the mark in the directory, which readers go by
    path.write_bytes(content)
    with pytest.raises(DataError, match="password"):
        open_collection(path)


def test_other_compressions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="compressed by method 14"):
        open_collection(write_zip(tmp_path / "all.zip", FILES, zipfile.ZIP_LZMA))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_damage_inside_a_zip_is_found_when_read(method: int, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "all.zip", {"a.bin": os.urandom(300)}, method)
    collection = open_collection(path)
    content = bytearray(path.read_bytes())
    content[120] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"all.zip.a.bin: is damaged"):
        collection.read(collection.entries[0])
    path.write_bytes(b"\0" * len(content))
    with pytest.raises(DataError, match="no header at its place"):
        open_collection_again(collection).read(collection.entries[0])


def open_collection_again(collection: Collection) -> Collection:
    """Without the file that it has open."""
    copy: Collection = pickle.loads(pickle.dumps(collection))
    return copy


def test_archive_that_shrinks_or_goes_away_is_named(tmp_path: Path) -> None:
    path = written("tar", tmp_path)
    collection = open_collection(path)
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(DataError, match="cut short since it was opened"):
        collection.read(collection.entries[-1])
    path.unlink()
    with pytest.raises(DataError, match="No such file"):
        open_collection_again(collection).read(collection.entries[-1])


@pytest.mark.parametrize("name", ["../a.png", "a/../../b.png", "/etc/a.png", "C:\\a.png", "..\\a.png", "a\0.png", ""])
def test_unsafe_names_are_refused(name: str) -> None:
    with pytest.raises(DataError, match="unsafe name"):
        safe_name(name, "all.zip")


def test_unsafe_names_in_archives_are_refused(tmp_path: Path) -> None:
    for path in (
        write_zip(tmp_path / "all.zip", {"../a.png": b"x"}),
        write_tar(tmp_path / "all.tar", {"b/../../a.png": b"x"}),
    ):
        with pytest.raises(DataError, match="unsafe name"):
            open_collection(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_doubled_names_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("a.png", b"1")
        archive.writestr("a.png", b"2")
    with pytest.raises(DataError, match=r"a\.png twice"):
        open_collection(tmp_path / "all.zip")
