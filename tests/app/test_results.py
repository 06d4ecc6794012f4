"""The list of pictures: headings, states, and a bounded memory."""

from typing import Any

import pytest
from PySide6.QtCore import QAbstractItemModel, Qt

from app.models.job_queue import Job, JobState
from app.models.results import EntryRole, Heading, ResultsModel, Tile, TileState
from app.pixels import Pixels, split_batch
from ul_engine.requests import GenerateRequest

PIXELS = Pixels(2, 2, bytes(12))


def job(name: str = "a", count: int = 3, **changes: Any) -> Job:
    return Job(name, GenerateRequest(model="m", prompt="a cube", num_images=count, seed=5), "Model", (2, 2), **changes)


def tiles(model: ResultsModel) -> list[Tile]:
    entries = [model.entry(row) for row in range(model.rowCount())]
    return [entry for entry in entries if isinstance(entry, Tile)]


@pytest.fixture
def model(qapp: Any) -> ResultsModel:
    model = ResultsModel()
    model.add_job(job())
    return model


def test_a_job_is_a_heading_and_its_places(model: ResultsModel) -> None:
    assert isinstance(model.entry(0), Heading)
    assert [tile.seed for tile in tiles(model)] == [5, 6, 7]
    assert {tile.state for tile in tiles(model)} == {TileState.WAITING}


def test_the_newest_job_is_on_top(model: ResultsModel) -> None:
    model.add_job(job("b", 1))
    assert [type(model.entry(row)).__name__ for row in range(3)] == ["Heading", "Tile", "Heading"]
    assert model.row_of("b", 0) == 1


def test_from_place_to_picture(model: ResultsModel) -> None:
    counts: list[int] = []
    model.count_changed.connect(counts.append)
    model.set_previews("a", 1, [PIXELS, PIXELS])
    assert [tile.state for tile in tiles(model)] == [TileState.WAITING, TileState.PREVIEW, TileState.PREVIEW]
    model.finish_picture("a", 1, PIXELS)
    model.set_path("a", 1, "/out/1.png")
    model.set_previews("a", 1, [PIXELS])  # late news change nothing
    assert tiles(model)[1].state is TileState.DONE
    assert tiles(model)[1].path == "/out/1.png"
    assert counts == [1]


def test_previews_stop_at_the_jobs_end(model: ResultsModel) -> None:
    model.add_job(job("b", 1))
    model.set_previews("b", 0, [PIXELS] * 5)
    model.set_previews("nobody", 0, [PIXELS])
    assert [tile.state for tile in tiles(model)].count(TileState.PREVIEW) == 1


def test_what_was_not_finished_disappears(model: ResultsModel) -> None:
    model.finish_picture("a", 0, PIXELS)
    model.end_job(job(state=JobState.STOPPED, num_done=1))
    assert len(tiles(model)) == 1
    assert isinstance(model.entry(0), Heading)
    assert model.entry(0).job.state is JobState.STOPPED  # type: ignore[union-attr]


def test_a_job_stopped_before_its_first_picture_leaves_nothing(model: ResultsModel) -> None:
    model.end_job(job(state=JobState.STOPPED))
    assert model.rowCount() == 0


def test_a_failed_job_leaves_its_heading(model: ResultsModel) -> None:
    model.end_job(job(state=JobState.FAILED))
    assert model.rowCount() == 1


def test_memory_is_bounded_where_files_hold_the_pictures(qapp: Any) -> None:
    model = ResultsModel(budget_bytes=2 * 12)
    model.add_job(job("a", 4))
    for index in range(3):
        model.finish_picture("a", index, PIXELS)
        model.set_path("a", index, f"/out/{index}.png")
    model.finish_picture("a", 3, PIXELS)
    assert [tile.pixels is None for tile in tiles(model)] == [False, False, True, False]
    assert all(tile.pixels is not None or tile.path for tile in tiles(model))


def test_only_pictures_can_be_chosen(model: ResultsModel) -> None:
    assert model.flags(model.index(0)) == Qt.ItemFlag.NoItemFlags
    assert model.flags(model.index(1)) & Qt.ItemFlag.ItemIsSelectable
    assert model.data(model.index(1), Qt.ItemDataRole.AccessibleTextRole) == "a cube\nseed 5"
    assert isinstance(model.data(model.index(1), EntryRole), Tile)


def test_clearing(model: ResultsModel) -> None:
    model.finish_picture("a", 0, PIXELS)
    model.clear()
    assert (model.rowCount(), model.num_done) == (0, 0)


def test_qts_own_examiner_is_content(qapp: Any) -> None:
    from PySide6.QtTest import QAbstractItemModelTester

    model: QAbstractItemModel = ResultsModel()
    assert isinstance(model, ResultsModel)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    model.add_job(job("a"))
    model.add_job(job("b"))
    model.finish_picture("a", 2, PIXELS)
    model.end_job(job("a", state=JobState.STOPPED, num_done=1))
    model.end_job(job("b", state=JobState.STOPPED))
    model.clear()
    tester.deleteLater()


@pytest.mark.parametrize(
    ("shape", "size"), [((1, 2, 2, 3), 11), ((1, 2, 2, 4), 16), ((0, 2, 2, 3), 0), ((2, 2, 2, 3), 12)]
)
def test_payloads_that_do_not_fit_are_refused(shape: tuple[int, int, int, int], size: int) -> None:
    with pytest.raises(ValueError, match="cannot be pictures"):
        split_batch(shape, bytes(size))
