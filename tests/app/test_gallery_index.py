"""The index of the library: the files are the truth, whatever happens to the index or to them."""

import os
import shutil
import sqlite3
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication

from app.gallery import Cleanup, Condition, GalleryKind, GalleryOrder, GalleryQuery
from app.models.gallery.search import read_search
from app.services.gallery.duplicates import duplicates
from app.services.gallery.index import GalleryIndex, cleanup_query
from app.services.gallery.place import GalleryPlace, find_place
from app.services.gallery.recycle_bin import empty_bin, list_bin, move_to_bin, restore_from_bin
from app.services.gallery.scan import scan
from app.services.gallery.sql import order_by, where
from app.services.gallery.stars import read_stars, write_stars
from app.services.gallery.store import IndexLost, Store
from tests.helpers.many_results import prompt_of, write_results


@pytest.fixture
def place(tmp_path: Path) -> GalleryPlace:
    write_results(tmp_path / "outputs", 12)
    return find_place(tmp_path / "outputs")


@pytest.fixture
def store(place: GalleryPlace) -> Iterator[Store]:
    opened = Store(place.index, place.root)
    scan(place, opened)
    yield opened
    opened.close()


def prompts(store: Store, text: str = "", order: GalleryOrder = GalleryOrder.NEWEST) -> list[str]:
    return [item.prompt for item in store.matching(GalleryQuery(read_search(text).conditions, order))]


def test_everything_a_file_says_is_found(store: Store, place: GalleryPlace) -> None:
    items = store.matching(GalleryQuery())
    assert [item.prompt for item in items] == [prompt_of(number) for number in range(12)]
    first = items[0]
    assert (first.seed, first.model, first.width_px, first.kind) == (0, "Scenes", 16, GalleryKind.PICTURE)
    assert Path(first.path).is_file()
    assert '"seed":0' in first.request
    assert store.models() == (("Faces", 6), ("Scenes", 6))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("red", [0, 7]),
        ("RED torus", []),
        ("red -sphere", [7]),
        ("model:faces seed<4", [1, 3]),
        ("seed:3..5", [3, 4, 5]),
        ("size>16", []),
        ("size:16x16 seed:2", [2]),
        ("steps>10 seed:2", [2]),
        ("kind:clip", []),
        ("star:", []),
        ("foreign:", []),
        ("date:2026-11-20 seed:1", [1]),
        ("date<2026-11-20", []),
        ("file:00500", [0]),
        ("%", []),
        ("_", []),
    ],
)
def test_search(store: Store, text: str, numbers: list[int]) -> None:
    assert prompts(store, text) == [prompt_of(number) for number in numbers]


def test_orders(store: Store) -> None:
    assert prompts(store, "", GalleryOrder.OLDEST) == [prompt_of(number) for number in reversed(range(12))]
    assert prompts(store, "", GalleryOrder.SEED) == [prompt_of(number) for number in range(12)]
    assert prompts(store, "", GalleryOrder.PROMPT) == sorted(prompt_of(number) for number in range(12))


def test_only_what_changed_is_read_again(store: Store, place: GalleryPlace) -> None:
    assert not scan(place, store).is_change
    (day,) = [path for path in place.root.iterdir() if not path.name.startswith(".")]
    new = write_results(place.root / "elsewhere", 1)
    (day / "00500-0.png").unlink()
    os.utime(day / "00499-1.png", (1, 1))
    result = scan(place, store)
    assert (result.added, result.changed, result.removed) == (1, 1, 1)
    assert new[0].as_posix() in {item.path for item in store.matching(GalleryQuery())}


def test_a_single_folder_leaves_the_others_alone(store: Store, place: GalleryPlace) -> None:
    write_results(place.root / "a", 1)
    write_results(place.root / "b", 1)
    result = scan(place, store, "a")
    assert (result.added, result.removed) == (1, 0)


def test_numbers_are_never_given_twice(store: Store, place: GalleryPlace) -> None:
    before = set(store.search(GalleryQuery()))
    store.forget_everything()
    scan(place, store)
    after = store.search(GalleryQuery())
    assert len(after) == 12
    assert not before & set(after), "whoever holds an old number must not reach another file with it"
    newest = max(after)
    store.drop(store.paths([newest]))
    scan(place, store)
    assert max(store.search(GalleryQuery())) > newest


def test_an_index_that_somebody_is_making_is_not_thrown_away(
    place: GalleryPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.gallery.store.BUSY_S", 0.01)
    file = tmp_path / "index.sqlite"
    other = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    inode = file.stat().st_ino
    asked: list[float] = []

    def wait(seconds: float) -> None:
        """In the place of a pause: the other one is done after the third."""
        asked.append(seconds)
        if len(asked) == 3:
            other.execute("COMMIT")
            other.close()

    monkeypatch.setattr("app.services.gallery.store.time.sleep", wait)
    opened = Store(file, place.root)
    opened.close()
    assert len(asked) >= 3
    assert file.stat().st_ino == inode


def test_foreign_and_broken_files_are_shown_as_what_they_are(store: Store, place: GalleryPlace) -> None:
    from PIL import Image

    whole = (place.root / "2026-11-20" / "00500-0.png").read_bytes()
    Image.new("RGB", (30, 20)).save(place.root / "foreign.png")
    (place.root / "cut.png").write_bytes(whole[:-20])
    (place.root / "text.png").write_text("no picture at all")
    (place.root / "empty.mp4").write_bytes(b"")
    (place.root / "notes.txt").write_text("not listed")
    (place.root / ".hidden.png").write_bytes(whole)
    assert scan(place, store).added == 4
    found = {Path(item.path).name: item for item in store.matching(GalleryQuery())}
    assert (found["foreign.png"].width_px, found["foreign.png"].request, found["foreign.png"].problem) == (30, "", "")
    assert found["cut.png"].problem == "is cut short"
    assert found["text.png"].problem
    assert found["empty.mp4"].problem
    assert {Path(i.path).name for i in store.matching(GalleryQuery(read_search("broken:").conditions))} == {
        "cut.png",
        "text.png",
        "empty.mp4",
    }


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every name is text")
def test_a_name_that_is_no_text_does_not_stop_the_scan(store: Store, place: GalleryPlace) -> None:
    whole = (place.root / "2026-11-20" / "00500-0.png").read_bytes()
    (place.root / os.fsdecode(b"odd\xff.png")).write_bytes(whole)
    (place.root / "plain.png").write_bytes(whole)
    assert scan(place, store).added == 1


def test_clips_of_every_kind(store: Store, place: GalleryPlace) -> None:
    import numpy as np

    from ul_engine.outputs import write_clip

    frames = np.zeros((5, 32, 48, 3), np.uint8)
    frames[:, :, :, 0] = np.arange(5)[:, None, None] * 40
    for name in ("a.mp4", "b.gif", "c.webp"):
        write_clip(place.root / name, frames, 8)
    (place.root / "2026-11-20" / "00600-5").mkdir()
    write_clip(place.root / "2026-11-20" / "00600-5" / "%05d.png", frames, 8)
    scan(place, store)
    clips = store.matching(GalleryQuery((Condition("kind", "=", "clip"),)))
    assert {(Path(clip.path).name, clip.num_frames, clip.width_px, clip.height_px) for clip in clips} == {
        ("a.mp4", 5, 48, 32),
        ("b.gif", 5, 48, 32),
        ("c.webp", 5, 48, 32),
        ("00600-5", 5, 48, 32),
    }


@pytest.mark.parametrize("damage", ["noise", "half", "empty", "other"])
def test_a_damaged_index_is_made_again(place: GalleryPlace, damage: str) -> None:
    first = Store(place.index, place.root)
    scan(place, first)
    first.close()
    whole = place.index.read_bytes()
    if damage == "other":
        place.index.unlink()
        with sqlite3.connect(place.index) as other:
            other.execute("CREATE TABLE items (something TEXT)")
            other.execute("PRAGMA user_version = 1")
        other.close()
    else:
        place.index.write_bytes({"noise": b"\x07" * 5000, "half": whole[: len(whole) // 2], "empty": b""}[damage])
    again = Store(place.index, place.root)
    try:
        try:
            scan(place, again)
        except IndexLost:
            again.forget_everything()
            scan(place, again)
        assert prompts(again, "red") == [prompt_of(0), prompt_of(7)]
    finally:
        again.close()


def test_stars_outlive_the_index(store: Store, place: GalleryPlace) -> None:
    path = "2026-11-20/00499-1.png"
    write_stars(place.stars, [path, "gone.png"], is_starred=True)
    store.star(read_stars(place.stars))
    assert prompts(store, "star:") == [prompt_of(1)]
    store.forget_everything()
    scan(place, store)
    assert prompts(store, "star:") == [prompt_of(1)]
    write_stars(place.stars, [path], is_starred=False)
    assert read_stars(place.stars) == {"gone.png"}


def test_the_file_of_stars_is_shortened_and_bears_nonsense(tmp_path: Path) -> None:
    file = tmp_path / "stars.txt"
    file.write_bytes(b"\xff\xfe nonsense\n?\n\n" + b"+ a.png\n- a.png\n" * 1500 + b"+ b c.png\n+ half")
    assert read_stars(file) == {"b c.png", "half"}
    assert file.read_text() == "+ b c.png\n+ half\n"


def test_two_windows_write_at_once(place: GalleryPlace) -> None:
    """Two connections scan the same folder while a third searches: nobody fails, and all agree in the end."""
    write_results(place.root, 80)
    problems: list[BaseException] = []

    def work() -> None:
        own = Store(place.index, place.root)
        try:
            for _ in range(3):
                scan(place, own)
                own.star(read_stars(place.stars))
                own.search(GalleryQuery())
        except (sqlite3.Error, IndexLost, OSError) as error:
            problems.append(error)
        finally:
            own.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    last = Store(place.index, place.root)
    assert len(last.search(GalleryQuery())) == 80
    last.close()


def test_results_that_cannot_be_written_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only folder gets its index in the cache."""
    root = tmp_path / "outputs"
    write_results(root, 3)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    place = find_place(root)
    assert place.is_read_only
    assert not place.index.is_relative_to(root)
    opened = Store(place.index, root)
    assert scan(place, opened).added == 3
    opened.close()


def test_no_folder_yet_is_an_empty_library(tmp_path: Path) -> None:
    place = find_place(tmp_path / "not" / "yet")
    opened = Store(place.index, place.root)
    assert scan(place, opened).problem == ""
    assert opened.totals() == (0, 0)
    opened.close()


# ---- bin ----------------------------------------------------------------------------------------------------------


def test_what_goes_to_the_bin_comes_back(place: GalleryPlace) -> None:
    paths = ["2026-11-20/00500-0.png", "2026-11-20/00499-1.png"]
    contents = [(place.root / path).read_bytes() for path in paths]
    gone = move_to_bin(place.root, place.bin, paths, frozenset(paths[:1]))
    assert gone.done == tuple(paths)
    assert not any((place.root / path).exists() for path in paths)
    assert {entry.path for entry in list_bin(place.bin)} == set(paths)
    shutil.rmtree(place.root / "2026-11-20")
    back = restore_from_bin(place.root, place.bin, gone.batch)
    assert (back.done, back.starred) == (tuple(paths), (paths[0],))
    assert [(place.root / path).read_bytes() for path in paths] == contents
    assert list_bin(place.bin) == ()
    assert not any(place.bin.iterdir())


def test_a_taken_place_is_kept(place: GalleryPlace) -> None:
    path = "2026-11-20/00500-0.png"
    gone = move_to_bin(place.root, place.bin, [path])
    (place.root / path).write_bytes(b"another")
    back = restore_from_bin(place.root, place.bin, gone.batch)
    assert back.done == ("2026-11-20/00500-0 (2).png",)
    assert (place.root / path).read_bytes() == b"another"


def test_a_part_comes_back_and_the_rest_stays(place: GalleryPlace) -> None:
    gone = move_to_bin(place.root, place.bin, ["2026-11-20/00500-0.png", "2026-11-20/00499-1.png"])
    first = next(entry for entry in list_bin(place.bin) if entry.path.endswith("00500-0.png"))
    restore_from_bin(place.root, place.bin, gone.batch, [first.name])
    assert [entry.path for entry in list_bin(place.bin)] == ["2026-11-20/00499-1.png"]
    empty_bin(place.bin)
    assert list_bin(place.bin) == ()
    assert (place.root / "2026-11-20/00500-0.png").exists()


def test_a_list_that_leads_out_of_the_folder_is_not_followed(place: GalleryPlace, tmp_path: Path) -> None:
    gone = move_to_bin(place.root, place.bin, ["2026-11-20/00500-0.png"])
    manifest = place.bin / gone.batch / "manifest.json"
    manifest.write_text(manifest.read_text().replace("2026-11-20/00500-0.png", "../../escaped.png"))
    assert restore_from_bin(place.root, place.bin, gone.batch).done == ()
    assert not (tmp_path / "escaped.png").exists()
    assert not (tmp_path.parent / "escaped.png").exists()


def test_what_lies_in_the_bin_is_no_result(store: Store, place: GalleryPlace) -> None:
    """What lies in the bin is no result any more."""
    move_to_bin(place.root, place.bin, ["2026-11-20/00500-0.png"])
    assert scan(place, store).removed == 1
    assert prompt_of(0) not in prompts(store)


# ---- clean-up -----------------------------------------------------------------------------------------------------


def test_clean_up_asks_for_what_is_ticked_and_spares_stars(store: Store, place: GalleryPlace) -> None:
    now_s = os.stat(place.root / "2026-11-20" / "00500-0.png").st_mtime + 86_400
    assert store.matching(cleanup_query(Cleanup(), now_s)) == []
    assert len(store.matching(cleanup_query(Cleanup(smaller_than_px=17), now_s))) == 12
    assert store.matching(cleanup_query(Cleanup(smaller_than_px=16), now_s)) == []
    assert len(store.matching(cleanup_query(Cleanup(older_than_days=1), now_s))) == 11
    write_stars(place.stars, ["2026-11-20/00499-1.png"], is_starred=True)
    store.star(read_stars(place.stars))
    assert len(store.matching(cleanup_query(Cleanup(older_than_days=1), now_s))) == 10


def test_of_equal_files_a_starred_one_stays_else_the_oldest(store: Store, place: GalleryPlace) -> None:
    day = place.root / "2026-11-20"
    for name, when in (("00601-x.png", 10), ("00602-x.png", 5)):
        shutil.copy(day / "00500-0.png", day / name)
        os.utime(day / name, (when, when))
    scan(place, store)
    spare = {Path(item.path).name for item in duplicates(store.matching(GalleryQuery()))}
    assert spare == {"00500-0.png", "00601-x.png"}
    write_stars(place.stars, ["2026-11-20/00601-x.png"], is_starred=True)
    store.star(read_stars(place.stars))
    spare = {Path(item.path).name for item in duplicates(store.matching(GalleryQuery()))}
    assert spare == {"00500-0.png", "00602-x.png"}


def test_a_search_reads_the_words_alone_and_in_order(store: Store) -> None:
    condition, values = where(read_search("cube").conditions)
    statement = f"SELECT id FROM items WHERE {condition} ORDER BY {order_by(GalleryOrder.NEWEST)}"
    plan = store._connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
    assert [step[3] for step in plan] == ["SCAN items USING COVERING INDEX items_by_time"]


def test_a_search_that_a_newer_one_has_overtaken_is_not_made(place: GalleryPlace, qapp: Any) -> None:
    index = GalleryIndex(place.root)
    answers: list[int] = []
    index.found.connect(lambda news: answers.append(news.ticket))
    is_free = threading.Event()
    index._answering.do(is_free.wait)
    for ticket in (1, 2, 3):
        index.search(ticket, GalleryQuery())
    is_done = threading.Event()
    index._answering.do(is_done.set)
    is_free.set()
    assert is_done.wait(10.0)
    index.close()
    QCoreApplication.processEvents()
    assert answers == [3]
