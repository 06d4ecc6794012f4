"""The list of results: rows at once, results only where somebody looks, and nothing moves that need not."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QItemSelectionModel

from app.gallery import GalleryItem
from app.models.gallery.gallery import Gallery
from app.models.gallery.gallery_list import MAX_ITEMS, PAGE, GalleryList
from tests.helpers.qt import wait_for_signal, wait_until

Own = Callable[[Any], Any]


def item(number: int, **changes: Any) -> GalleryItem:
    return GalleryItem(number, f"/out/{number}.png", float(number), 10, **({"prompt": f"number {number}"} | changes))


def test_only_the_block_that_is_looked_at_is_asked_for(owned: Own) -> None:
    rows = owned(GalleryList())
    rows.set_ids(range(25_000))
    assert rows.rowCount() == 25_000
    (wanted,) = wait_for_signal(rows.items_wanted, trigger=lambda: rows.item(12_345))
    assert len(wanted) == PAGE
    assert 12_345 in wanted
    rows.set_items(wanted, [item(number) for number in wanted])
    found = rows.item(12_345)
    assert found is not None
    assert found.prompt == "number 12345"
    assert rows.known(0) is None


def test_a_block_is_asked_for_once(owned: Own) -> None:
    rows = owned(GalleryList())
    rows.set_ids(range(100))
    asked: list[Any] = []
    rows.items_wanted.connect(asked.append)
    for row in range(100):
        assert rows.item(row) is None
    wait_until(lambda: asked)
    rows.item(3)
    rows.set_items(asked[0], [item(number) for number in asked[0]])
    rows.item(3)
    assert len(asked) == 1


def test_memory_is_bounded(owned: Own) -> None:
    rows = owned(GalleryList())
    rows.set_ids(range(3 * MAX_ITEMS))
    for start in range(0, 3 * MAX_ITEMS, PAGE):
        ids = range(start, start + PAGE)
        rows.set_items(ids, [item(number) for number in ids])
    assert rows.known(0) is None
    assert sum(rows.known(number) is not None for number in range(3 * MAX_ITEMS)) == MAX_ITEMS


def test_new_results_leave_the_selection_where_it_is(owned: Own) -> None:
    rows = owned(GalleryList())
    rows.set_ids([5, 4, 3, 2, 1])
    chosen = owned(QItemSelectionModel(rows))
    chosen.select(rows.index(1), QItemSelectionModel.SelectionFlag.Select)
    resets: list[Any] = []
    rows.modelReset.connect(lambda: resets.append(1))
    rows.set_ids([7, 6, 5, 4, 3, 2, 1])
    assert [index.row() for index in chosen.selectedIndexes()] == [3]
    rows.set_ids([7, 6, 5, 4, 2, 1])
    assert [rows.ids[index.row()] for index in chosen.selectedIndexes()] == [4]
    rows.set_ids([])
    assert (chosen.selectedIndexes(), rows.rowCount(), resets) == ([], 0, [])


def test_stale_results_stay_on_show_until_they_are_read_again(owned: Own) -> None:
    rows = owned(GalleryList())
    rows.set_ids([1])
    rows.set_items([1], [item(1)])
    rows.set_stale()
    (wanted,) = wait_for_signal(rows.items_wanted, trigger=lambda: rows.item(0))
    assert wanted == (1,)
    assert rows.item(0) == item(1)
    rows.set_items([1], [item(1, is_starred=True)])
    assert rows.item(0) == item(1, is_starred=True)


def test_screen_readers_hear_what_a_result_is(owned: Own) -> None:
    rows = owned(GalleryList())
    rows.set_ids([1])
    rows.set_items([1], [item(1, is_starred=True)])
    from PySide6.QtCore import Qt

    assert rows.data(rows.index(0), int(Qt.ItemDataRole.AccessibleTextRole)) == "number 1, starred"


def test_answers_to_an_older_question_are_dropped(owned: Own) -> None:
    gallery = owned(Gallery())
    asked: list[Any] = []
    gallery.search_wanted.connect(asked.append)
    gallery.set_filter(text="red")
    old = gallery.ticket
    gallery.set_filter(text="red cube")
    gallery.set_found(old, (1, 2, 3))
    assert gallery.list.rowCount() == 0
    gallery.set_found(gallery.ticket, (2,))
    assert gallery.list.ids == (2,)
    assert len(asked) == 2


def test_filters_and_text_are_asked_together(owned: Own) -> None:
    gallery = owned(Gallery())
    gallery.set_filter(text="red seed:7", model="Scenes tiny", is_starred=True)
    fields = [(each.field, each.value) for each in gallery.query().conditions]
    assert fields == [("words", "red"), ("seed", 7), ("model name", "Scenes tiny"), ("star", 1)]
    gallery.set_filter(text="sede:7")
    assert "seed:" in gallery.problem
