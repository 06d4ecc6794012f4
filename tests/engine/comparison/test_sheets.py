"""Labelled sheets: pictures stand where they should, to the bit, and labels are whole and nowhere over another."""

import numpy as np
import pytest

from ul_engine.comparison import labelled_sheet
from ul_engine.comparison.sheets import GAP_PX, GROUND, LABEL_PX, LINE_PX
from ul_engine.data.pixels import Uint8Array
from ul_engine.errors import ShapeError

COLOURS = [(200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 0), (200, 0, 200), (0, 200, 200)]


def flat(*, height: int = 40, width: int = 120, count: int = 6) -> list[Uint8Array]:
    return [np.full((height, width, 3), colour, np.uint8) for colour in COLOURS[:count]]


def places(sheet: Uint8Array, colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) of all pixels of a colour, which must fill the rectangle."""
    rows, columns = np.nonzero((sheet == colour).all(-1))
    top, left, bottom, right = rows.min(), columns.min(), rows.max() + 1, columns.max() + 1
    assert len(rows) == (bottom - top) * (right - left)
    return int(top), int(left), int(bottom), int(right)


def inked(part: Uint8Array) -> Uint8Array:
    return (part < 128).all(-1)


def test_pictures_stand_in_rows_and_columns() -> None:
    sheet = labelled_sheet(flat(), columns=["a", "b", "c"], rows=["one", "two"])
    boxes = [places(sheet, colour) for colour in COLOURS]
    assert {(bottom - top, right - left) for top, left, bottom, right in boxes} == {(40, 120)}
    assert len({top for top, *_ in boxes[:3]}) == len({top for top, *_ in boxes[3:]}) == 1
    assert boxes[3][0] - boxes[0][2] == GAP_PX
    for column in range(3):
        assert boxes[column][1] == boxes[column + 3][1]
    assert boxes[1][1] - boxes[0][3] == boxes[2][1] - boxes[1][3] == GAP_PX
    assert boxes[0][0] == LINE_PX + GAP_PX
    assert sheet.shape == (boxes[3][2] + GAP_PX, boxes[2][3] + GAP_PX, 3)
    assert sheet.dtype == np.uint8


def test_pictures_are_kept_to_the_bit() -> None:
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (33, 101, 3), dtype=np.uint8) for _ in range(2)]
    sheet = labelled_sheet(pictures, columns=["a", "b"], rows=[""])
    top = LINE_PX + GAP_PX
    assert np.array_equal(sheet[top : top + 33, :101], pictures[0])
    assert np.array_equal(sheet[top : top + 33, 101 + GAP_PX : 202 + GAP_PX], pictures[1])
    assert (sheet[top + 33 :] == GROUND).all()


def test_labels_are_written_above_and_beside() -> None:
    sheet = labelled_sheet(flat(), columns=["a", "b", "c"], rows=["one", "two"])
    _, left, _, _ = places(sheet, COLOURS[0])
    for colour in COLOURS[:3]:
        top, first, _, last = places(sheet, colour)
        assert inked(sheet[:top, first:last]).any()
    for colour in (COLOURS[0], COLOURS[3]):
        top, _, bottom, _ = places(sheet, colour)
        rows = np.nonzero(inked(sheet[top:bottom, :left]).any(1))[0]
        assert abs(rows.mean() - 20) < 5  # at the middle of the row
    assert not inked(sheet[: LINE_PX + GAP_PX, :left]).any()


def test_another_label_changes_only_the_label() -> None:
    first, second = (labelled_sheet(flat(), columns=["a", text, "c"], rows=["", ""]) for text in ("b", "8"))
    changed = np.nonzero((first != second).any(-1))
    top, left, _, right = places(first, COLOURS[1])
    assert changed[0].max() < top
    assert left <= changed[1].min() <= changed[1].max() < right


def test_without_row_labels_no_room_is_left_for_them() -> None:
    sheet = labelled_sheet(flat(count=3), columns=["a", "b", "c"], rows=[""])
    assert places(sheet, COLOURS[0])[1] == 0


def test_long_labels_are_broken_into_lines() -> None:
    columns = ["guidance weight 2.5 and a few more words", "b", "c"]
    sheet = labelled_sheet(flat(), columns=columns, rows=["", ""])
    top, _, _, right = places(sheet, COLOURS[0])
    lines = (top - GAP_PX) // LINE_PX
    assert lines >= 2
    assert not inked(sheet[:top, right : right + GAP_PX]).any()
    for line in range(lines):
        assert inked(sheet[line * LINE_PX : (line + 1) * LINE_PX, :right]).any()


# Once: one long word ran into the next column, and a prompt beside a row made a sheet of thousands of pixels.
@pytest.mark.parametrize("width", [8, 64, 200])
def test_words_longer_than_a_line_are_cut(width: int) -> None:
    word = "a-file-name-without-any-space-in-it-0123456789.png"
    pictures = flat(height=8, width=width, count=4)
    sheet = labelled_sheet(pictures, columns=[word, word], rows=["row", "prompt " + "of many words " * 20])
    boxes = [places(sheet, colour) for colour in COLOURS[:4]]
    room = max(width, LABEL_PX)
    assert boxes[0][1] <= room + 2 * GAP_PX
    assert boxes[1][1] - boxes[0][1] <= room + 3 * GAP_PX
    top, left, _, _ = boxes[1]
    assert not inked(sheet[:top, left - GAP_PX : left]).any()
    assert inked(sheet[:top, left:]).sum() == inked(sheet[:top, boxes[0][1] : left]).sum()  # the same word, whole
    below = boxes[2][0]
    assert inked(sheet[below:, : boxes[0][1]]).any()
    assert not inked(sheet[-GAP_PX:]).any()


def test_labels_of_small_pictures_do_not_run_into_each_other() -> None:
    pictures = flat(height=16, width=16, count=3)
    sheet = labelled_sheet(pictures, columns=["strength 0.05", "strength 0.30", "strength 1"], rows=[""])
    boxes = [places(sheet, colour) for colour in COLOURS[:3]]
    for _, left, _, _ in boxes[1:]:
        assert not inked(sheet[: boxes[0][0], left - GAP_PX : left]).any()
    assert boxes[0][0] == LINE_PX + GAP_PX


def test_pictures_of_several_sizes_share_cells_of_the_largest() -> None:
    pictures = [*flat(height=20, width=100, count=1), *flat(height=60, width=130, count=2)[1:]]
    sheet = labelled_sheet(pictures, columns=["width 100", "width 130"], rows=[""])
    first, second = (places(sheet, colour) for colour in COLOURS[:2])
    assert first == (LINE_PX + GAP_PX, 0, LINE_PX + GAP_PX + 20, 100)
    assert second == (LINE_PX + GAP_PX, 130 + GAP_PX, LINE_PX + GAP_PX + 60, 260 + GAP_PX)


@pytest.mark.parametrize(("columns", "rows"), [(["a", "b"], ["1", "2"]), (["a"], ["1"]), ([], ["1"]), (["a"], [])])
def test_another_number_of_pictures(columns: list[str], rows: list[str]) -> None:
    with pytest.raises(ShapeError, match="pictures were expected, not 3"):
        labelled_sheet(flat(count=3), columns=columns, rows=rows)


def test_no_picture_at_all() -> None:
    with pytest.raises(ShapeError, match="not 0"):
        labelled_sheet([], columns=[], rows=["1"])
