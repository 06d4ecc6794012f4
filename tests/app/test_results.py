"""The list of pictures: headings, states, and a bounded memory."""

from typing import Any

import pytest
from PySide6.QtCore import QAbstractItemModel, Qt

from app.models.job_queue import Job, JobState
from app.models.results import EntryRole, Heading, ResultsModel, Tile, TileState
from app.pixels import Clip, Pixels, split_batch
from ul_engine.requests import GenerateRequest, GridAxis, GridRequest, InterpolateRequest, ReconstructRequest

PIXELS = Pixels(2, 2, bytes(12))
PICTURE = Clip((PIXELS,))
MOVING = Clip((PIXELS, Pixels(2, 2, bytes([7] * 12)), PIXELS), 8.0)


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
    model.finish_picture("a", 1, PICTURE)
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
    model.finish_picture("a", 0, PICTURE)
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
        model.finish_picture("a", index, PICTURE)
        model.set_path("a", index, f"/out/{index}.png")
    model.finish_picture("a", 3, PICTURE)
    assert [tile.clip is None for tile in tiles(model)] == [False, False, True, False]
    assert all(tile.pixels is not None or tile.path for tile in tiles(model))


def test_only_pictures_can_be_chosen(model: ResultsModel) -> None:
    assert model.flags(model.index(0)) == Qt.ItemFlag.NoItemFlags
    assert model.flags(model.index(1)) & Qt.ItemFlag.ItemIsSelectable
    assert model.data(model.index(1), Qt.ItemDataRole.AccessibleTextRole) == "a cube\nseed 5"
    assert isinstance(model.data(model.index(1), EntryRole), Tile)


def test_clearing(model: ResultsModel) -> None:
    model.finish_picture("a", 0, PICTURE)
    model.clear()
    assert (model.rowCount(), model.num_done) == (0, 0)


def test_qts_own_examiner_is_content(qapp: Any) -> None:
    from PySide6.QtTest import QAbstractItemModelTester

    model: QAbstractItemModel = ResultsModel()
    assert isinstance(model, ResultsModel)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    model.add_job(job("a"))
    model.add_job(job("b"))
    model.finish_picture("a", 2, PICTURE)
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


def test_a_clip_is_shown_by_its_middle_frame(model: ResultsModel) -> None:
    model.finish_picture("a", 0, MOVING)
    tile = tiles(model)[0]
    assert tile.is_moving
    assert tile.pixels is MOVING.frames[1]


def test_a_clip_counts_with_all_its_frames_and_stays_a_clip_on_the_disk(qapp: Any) -> None:
    model = ResultsModel(budget_bytes=40)
    model.add_job(job("a", 2))
    for index in range(2):
        model.finish_picture("a", index, MOVING)
        model.set_path("a", index, f"/out/{index}.mp4")
    model.finish_picture("a", 1, MOVING)
    assert [tile.clip is None for tile in tiles(model)] == [False, True]
    assert tiles(model)[1].is_moving


def test_every_cell_of_a_grid_knows_what_makes_it_alone(qapp: Any) -> None:
    shared = GenerateRequest(model="m", prompt="a cube", seed=5)
    axes = GridAxis(field="seed", values=(1, 2)), GridAxis(field="prompt", values=("a cube", "a cone"))
    model = ResultsModel()
    model.add_job(Job("g", GridRequest(request=shared, x=axes[0], y=axes[1]), "Model", (2, 2)))
    singles = [tile.single for tile in tiles(model) if tile.single is not None]
    assert [(one.seed, one.prompt) for one in singles] == [(1, "a cube"), (2, "a cube"), (1, "a cone"), (2, "a cone")]


def test_steps_between_seeds_can_be_made_alone_and_those_between_prompts_not(qapp: Any) -> None:
    model = ResultsModel()
    model.add_job(Job("s", InterpolateRequest(model="m", seed=3, second_seed=9, num_steps=3), "Model", (2, 2)))
    assert [tile.single.variation_strength for tile in tiles(model) if tile.single] == [0.0, 0.5, 1.0]
    way = InterpolateRequest(model="m", between="prompts", prompt="a", second_prompt="b", seed=3, num_steps=2)
    model.add_job(Job("p", way, "Model", (2, 2)))
    assert [(tile.single, tile.seed, tile.title) for tile in tiles(model)[:2]] == [(None, 3, "a \u2192 b")] * 2


def test_jobs_of_other_pages_are_not_shown(qapp: Any) -> None:
    model = ResultsModel()
    compared = Job("c", ReconstructRequest(model="m", inputs=("a.png",)), "Model", (2, 2), page="compare")
    model.add_job(compared)
    model.finish_picture("c", 0, PICTURE)
    model.end_job(compared)
    assert (model.rowCount(), model.num_done) == (0, 0)


def test_frames_without_a_rate_are_no_clip() -> None:
    with pytest.raises(AssertionError):
        Clip((PIXELS, PIXELS))
