"""What is said of samples: classes by folder or file, captions beside samples and in tables."""

from pathlib import Path

import pytest

from tests.helpers.picture_sets import encoded, picture, two_classes, write_folder, write_shards, write_zip
from trainer.data.collections import open_collection
from trainer.data.kinds import samples_among
from trainer.data.words import Words, read_words
from ul_engine.errors import DataError

PICTURE = encoded(picture(0, 8, 8))


def words_of(path: Path) -> tuple[list[str], list[str], list[int], tuple[str, ...]]:
    """Names, captions, labels and class names."""
    collection = open_collection(path)
    samples = samples_among(collection.entries, "pictures")
    words = read_words(collection, samples)
    captions = [words.caption(collection, index) for index in range(len(samples))]
    return [sample.name for sample in samples], captions, words.labels.tolist(), words.class_names


def pictures(*names: str) -> dict[str, bytes]:
    return dict.fromkeys(names, PICTURE)


def test_classes_and_captions_beside_samples(tmp_path: Path) -> None:
    names, captions, labels, class_names = words_of(write_zip(tmp_path / "all.zip", two_classes(6)))
    assert class_names == ("cat", "dog")
    assert labels == [0, 0, 0, 1, 1, 1]
    assert captions == [f"picture number {int(name[-6:-4])}" for name in names]


def test_shards_say_the_same_as_folders(tmp_path: Path) -> None:
    folder = words_of(write_folder(tmp_path / "all", two_classes(12)))
    shards = words_of(write_shards(tmp_path / "shards", two_classes(12)))
    assert shards[3] == folder[3]
    assert sorted(zip(*shards[1:3], strict=True)) == sorted(zip(*folder[1:3], strict=True))


@pytest.mark.parametrize(
    ("names", "labels", "class_names"),
    [
        (("train/b/1.png", "train/a/2.png"), [0, 1], ("a", "b")),
        (("train/b/1.png", "train/a/x/2.png"), [0, 1], ("a", "b")),
        (("train/1.png", "train/2.png"), [0, 0], ()),
        (("1.png", "a/2.png"), [0, 0], ()),
        (("a/1.png", "b/2.png", "B/3.png"), [0, 1, 2], ("B", "a", "b")),
    ],
)
def test_classes_by_folder(
    names: tuple[str, ...], labels: list[int], class_names: tuple[str, ...], tmp_path: Path
) -> None:
    assert words_of(write_folder(tmp_path / "all", pictures(*names)))[2:] == (labels, class_names)


def test_classes_by_cls_files(tmp_path: Path) -> None:
    files = pictures("1.png", "2.png", "3.png") | {"1.cls": b"7", "2.cls": b"0\n", "3.cls": b"2"}
    assert words_of(write_shards(tmp_path / "numbers", files))[2:] == ([7, 0, 2], tuple(str(n) for n in range(8)))
    files |= {"1.cls": b"dog", "2.cls": b"cat", "3.cls": b"dog"}
    assert words_of(write_shards(tmp_path / "names", files))[2:] == ([1, 0, 1], ("cat", "dog"))
    del files["2.cls"]
    with pytest.raises(DataError, match=r"2.png: has no .cls file"):
        words_of(write_shards(tmp_path / "missing", files))
    for bad, reason in ((b" ", "is empty"), (b"\xff", "not UTF-8"), (b"9999999", "below a million")):
        files = pictures("1.png") | {"1.cls": bad}
        with pytest.raises(DataError, match=reason):
            words_of(write_shards(tmp_path / f"bad-{reason}", files))


def test_captions_in_json_and_for_several_pictures_of_one_sample(tmp_path: Path) -> None:
    files = pictures("1.front.png", "1.back.png", "2.png", "3.png") | {
        "1.txt": b"two  sides \n",
        "2.json": b'{"width": 3, "caption": "from json"}',
        "3.json": b'["no caption"]',
    }
    names, captions, *_ = words_of(write_folder(tmp_path / "all", files))
    assert dict(zip(names, captions, strict=True)) == {
        "1.back.png": "two sides",
        "1.front.png": "two sides",
        "2.png": "from json",
        "3.png": "",
    }


@pytest.mark.parametrize(
    ("table", "content"),
    [
        ("captions.csv", 'file_name,caption\n1.png,one\na/2.png,"two, with a comma"\ngone.png,x\n'),
        ("captions.csv", "\ufeffImage;x;Text\n./1.png;0;one\na\\2.png;0;two, with a comma\n"),
        ("metadata.csv", 'path,text\n1.png,one\na/2.png,"two, with a comma"\n'),
        (
            "metadata.jsonl",
            '{"file_name": "1.png", "text": "one"}\n\n{"file_name": "a/2.png", "text": "two, with a comma"}\n',
        ),
    ],
)
def test_captions_in_tables(table: str, content: str, tmp_path: Path) -> None:
    files = pictures("sub/1.png", "sub/a/2.png", "sub/3.png") | {
        f"sub/{table}": content.encode(),
        "sub/3.txt": b"three",
    }
    names, captions, *_ = words_of(write_folder(tmp_path / "all", files))
    assert dict(zip(names, captions, strict=True)) == {
        "sub/1.png": "one",
        "sub/3.png": "three",
        "sub/a/2.png": "two, with a comma",
    }


@pytest.mark.parametrize(
    ("table", "content", "reason"),
    [
        ("captions.csv", b"", "no column named file_name"),
        ("captions.csv", b"file,words\n1.png,x\n", "no column named caption or text"),
        ("captions.csv", b"file,text\nnowhere.png,x\n", "names no file that is there"),
        ("captions.csv", b'file,text\n"1.png,x\n', "no valid CSV"),
        ("captions.csv", b"file,text\n1.png,\xff\n", "not UTF-8"),
        ("metadata.jsonl", b'{"file": "1.png"\n', "line 1 is no valid JSON"),
        ("metadata.jsonl", b"[1]\n", "line 1 is no JSON object"),
    ],
)
def test_broken_tables_are_named(table: str, content: bytes, reason: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=reason) as caught:
        words_of(write_folder(tmp_path / "all", pictures("1.png") | {table: content}))
    assert caught.value.path == str(tmp_path / "all" / table)


@pytest.mark.parametrize(("name", "content", "reason"), [("1.txt", b"\xff", "UTF-8"), ("1.json", b"{", "valid JSON")])
def test_broken_captions_are_named(name: str, content: bytes, reason: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=reason):
        words_of(write_folder(tmp_path / "all", pictures("1.png") | {name: content}))


def test_captions_can_be_left_out(tmp_path: Path) -> None:
    collection = open_collection(write_folder(tmp_path / "all", two_classes(4)))
    words: Words = read_words(collection, samples_among(collection.entries, "pictures"), use_captions=False)
    assert not words.has_captions
    assert words.class_names == ("cat", "dog")
