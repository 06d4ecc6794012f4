"""What Generate has beyond its basic form: beginnings, masks, own presets, prompts of files, sheets, ways, stars."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QSize
from PySide6.QtGui import QColor, QImage

from app.models.form_state import Between, Mode, SeedMode
from app.models.gallery.request_rows import request_rows
from app.models.job_queue import Job, JobState
from app.models.prompt_history import PromptHistory
from app.models.results import GridLabels, ResultsModel, Tile, TileState
from app.pixels import Clip, Pixels
from app.program import Program
from app.services import late_images
from app.services.clip_export import ClipExporter, ExportOrder
from app.services.gallery.place import GalleryPlace
from app.services.gallery.stars import read_stars
from app.services.prompt_files import read_prompts, read_wildcards
from app.services.sheets import Joined, Sheet, SheetCell, compose, frames, joined
from app.services.start_files import Beginning, BeginningProblem, look_at
from app.studio import actions
from app.ui.widgets.generate.group_export import GroupExport
from app.ui.widgets.generate.hover_play import HoverPlay
from app.ui.widgets.generate.mode_tabs import ModeTabs
from app.ui.widgets.mask_editor.mask_painting import Brush, MaskPainting
from app.ui.widgets.picture_cache import PictureCache
from app.ui.widgets.picture_menu import PictureMenu, PictureVerbs
from tests.app.conftest import RunAsync, until
from tests.app.model_folders import manifest, write_model
from tests.helpers.qt import wait_for_signal
from ul_engine.config import ModelConfig, VideoConfig
from ul_engine.media.texts import read_texts
from ul_engine.metadata import embed, embed_sheet, encode_png, read_request, text_chunks
from ul_engine.model_folder import NetworkFile
from ul_engine.outputs import write_clip
from ul_engine.requests import GenerateRequest, GridAxis, GridRequest, InterpolateRequest

Make = Callable[..., Program]
FILE = NetworkFile(file="weights.safetensors", sha256="0" * 64, num_parameters=1000)
NETWORKS = {"encoder": FILE, "base": FILE, "decoder": FILE}
RED = Pixels(4, 4, bytes((255, 0, 0)) * 16)
PICTURE = Clip((RED,))


def picture_file(path: Path, width: int = 40, height: int = 30) -> str:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor("green"))
    assert image.save(str(path))
    return str(path)


def clip_file(path: Path) -> str:
    write_clip(path, np.zeros((6, 16, 16, 3), np.uint8), 8)
    return str(path)


@pytest.fixture
def program(make_program: Make, model_root: Path) -> Program:
    """A program whose model starts from pictures."""
    write_model(model_root, "whole", name="Whole", networks=NETWORKS)
    program = make_program()
    program.session.form.choose_model(next(one for one in program.session.library.usable if one.name == "Whole"))
    return program


def titles(program: Program) -> list[str]:
    return [notice.title for notice in program.session.notices.notices]


# ---- beginnings ---------------------------------------------------------------------------------------------------


def test_files_are_looked_at_by_their_content(qapp: Any, tmp_path: Path) -> None:
    found = look_at(picture_file(tmp_path / "a.png"))
    assert isinstance(found, Beginning)
    assert (found.is_clip, found.size_px, found.thumbnail.width() <= 192) == (False, (40, 30), True)
    clip = look_at(clip_file(tmp_path / "a.mp4"))
    assert isinstance(clip, Beginning)
    assert (clip.is_clip, clip.num_frames, clip.size_px) == (True, 6, (16, 16))


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\nbroken"])
def test_what_is_no_beginning_says_why(qapp: Any, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.png").write_bytes(content)
    found = look_at(str(tmp_path / "x.png"))
    assert isinstance(found, BeginningProblem)
    assert found.sentence
    assert isinstance(look_at(str(tmp_path / "nothing.png")), BeginningProblem)


def test_starting_from_a_picture_and_forgetting_it(program: Program, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        path = picture_file(tmp_path / "start.png")
        form = program.session.form
        form.update(mask_image="/an/old/mask.png")
        program.beginner.begin_with(path)
        await until(lambda: form.state.init_image == path)
        assert form.state.mask_image == ""  # a mask belongs to one picture
        assert program.session.beginnings.picture.size_px == (40, 30)
        assert form.take_requests()[0].init_image == path  # type: ignore[union-attr]
        program.beginner.forget_picture()
        assert (form.state.init_image, program.session.beginnings.picture.path) == ("", "")

    run_async(story())


def test_a_picture_without_a_file_gets_one(program: Program, run_async: RunAsync) -> None:
    async def story() -> None:
        form = program.session.form
        program.beginner.begin_with_picture(RED)
        await until(lambda: form.state.init_image)
        image = QImage(form.state.init_image)
        assert image.pixelColor(1, 1) == QColor(255, 0, 0)
        first = form.state.init_image
        program.beginner.forget_picture()
        program.beginner.begin_with_picture(RED)
        await until(lambda: form.state.init_image)
        assert form.state.init_image == first  # the same picture is kept once

    run_async(story())


def test_what_one_should_know_of_a_file_is_told_once(program: Program, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        path = tmp_path / "misnamed.jpg"
        Path(picture_file(tmp_path / "a.png")).rename(path)
        form = program.session.form
        program.beginner.begin_with(str(path))
        await until(lambda: form.state.init_image == str(path))
        assert "holds PNG" in program.session.notices.notices[0].sentence
        program.session.notices.dismiss_passing()
        program.beginner.begin_with(str(path))
        await until(lambda: program.beginner._files._look.is_running)
        await until(lambda: not program.beginner._files._look.is_running)
        assert titles(program) == []

    run_async(story())


def test_what_a_model_cannot_begin_with_is_said(
    program: Program, run_async: RunAsync, model_root: Path, tmp_path: Path
) -> None:
    async def story() -> None:
        program.beginner.begin_with(clip_file(tmp_path / "a.mp4"))
        await until(lambda: titles(program))
        assert titles(program) == ["This model continues no clips"]
        assert [action.name for action in program.session.notices.notices[0].actions] == [actions.COMPARE_FILE]
        write_model(model_root, "blind", name="Blind", networks={"base": FILE, "decoder": FILE})
        program.session.library.refresh()
        program.session.form.choose_model(next(one for one in program.session.library.usable if one.name == "Blind"))
        program.beginner.begin_with(picture_file(tmp_path / "a.png"))
        await until(lambda: titles(program) == ["This model starts from no picture"])
        program.beginner.begin_with(str(tmp_path / "gone.png"))
        await until(lambda: titles(program) == ["Not a picture or clip to begin with"])

    run_async(story())


def motion_model(root: Path) -> Path:
    """A model that continues clips, beside that of pictures."""
    video = VideoConfig(num_frames=8, temporal_downsampling=1, context_frames=2)
    model = ModelConfig(name="Motion", image_px=16, video=video)
    return write_model(root, "motion", kind="none", networks=NETWORKS, model=model)


def test_continuing_a_clip(make_program: Make, model_root: Path, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        motion_model(model_root)
        program = make_program(frames=4)
        form = program.session.form
        form.choose_model(next(one for one in program.session.library.usable if one.name == "Motion"))
        path = clip_file(tmp_path / "a.mp4")
        program.beginner.begin_with(path)
        await until(lambda: form.state.continue_from == path)
        assert form.state.mode is Mode.CONTINUE
        assert program.session.beginnings.clip.num_frames == 6
        (request,) = form.take_requests()
        assert request.continue_from == path  # type: ignore[union-attr]
        form.update(continue_from="", mode=Mode.PICTURES)
        form.update(continue_from=path, mode=Mode.CONTINUE)  # as an undone change does
        await until(lambda: program.session.beginnings.clip.num_frames == 6)

    run_async(story())


def test_a_clip_to_continue_brings_its_prompt_where_none_is_typed(
    make_program: Make, model_root: Path, run_async: RunAsync, tmp_path: Path
) -> None:
    async def story() -> None:
        motion_model(model_root)
        program = make_program(frames=4)
        form = program.session.form
        form.choose_model(next(one for one in program.session.library.usable if one.name == "Motion"))
        clips = [str(tmp_path / f"{number}.mp4") for number in range(2)]
        for number, path in enumerate(clips):
            request = GenerateRequest(model="motion", prompt=f"a red cube, rolling, take {number}")
            texts = text_chunks(embed(request, 0), width_px=16, height_px=16)
            write_clip(path, np.zeros((6, 16, 16, 3), np.uint8), 8, texts=texts)
        form.update(prompt=" ")
        program.beginner.begin_with(clips[0])
        await until(lambda: form.state.continue_from == clips[0])
        assert form.state.prompt == "a red cube, rolling, take 0"
        program.beginner.begin_with(clips[1])
        await until(lambda: form.state.continue_from == clips[1])
        assert form.state.prompt == "a red cube, rolling, take 0"
        form.update(prompt="")
        program.beginner.take_over()
        await until(lambda: not program.beginner._files._look.is_running)
        assert program.session.beginnings.clip.num_frames == 6
        assert form.state.prompt == ""  # emptied on purpose

    run_async(story())


def test_a_model_that_can_begin_with_the_file_is_offered(
    make_program: Make, model_root: Path, run_async: RunAsync, tmp_path: Path
) -> None:
    """A clip, while a model of pictures is chosen, and the other way round."""

    async def story() -> None:
        motion = motion_model(model_root)
        program = make_program(frames=4)
        form, board = program.session.form, program.session.notices
        form.choose_model(next(one for one in program.session.library.usable if one.path != str(motion)))
        assert form.model is not None
        of_pictures = form.model.path
        clip, picture = clip_file(tmp_path / "a.mp4"), picture_file(tmp_path / "a.png")
        program.beginner.begin_with(clip)
        await until(lambda: titles(program) == ["This model continues no clips"])
        (notice,) = board.notices
        assert [action.label for action in notice.actions] == ["Use Motion", "Compare it"]
        board.choose(notice, notice.actions[0].name, notice.actions[0].argument)
        await until(lambda: form.state.continue_from == clip)
        assert (form.model.path, form.state.mode) == (str(motion), Mode.CONTINUE)
        assert titles(program) == []
        program.beginner.begin_with(picture)
        await until(lambda: titles(program) == ["This model starts from no picture"])
        (notice,) = board.notices
        (offer,) = notice.actions
        assert offer.argument == of_pictures
        board.choose(notice, offer.name, offer.argument)
        await until(lambda: form.state.init_image == picture)
        assert form.model.path == of_pictures
        assert form.take_requests()[0].init_image == picture  # type: ignore[union-attr]

    run_async(story())


def test_an_offer_that_has_become_void_changes_no_model(
    make_program: Make, model_root: Path, run_async: RunAsync, tmp_path: Path
) -> None:
    """First the file is gone, then the model."""

    async def story() -> None:
        motion = motion_model(model_root)
        program = make_program(frames=4)
        form, board = program.session.form, program.session.notices
        form.choose_model(next(one for one in program.session.library.usable if one.path != str(motion)))
        chosen = form.model
        for gone in ("file", "model"):
            clip = clip_file(tmp_path / f"{gone}.mp4")
            program.beginner.begin_with(clip)
            await until(lambda: titles(program) == ["This model continues no clips"])
            (notice,) = board.notices
            if gone == "file":
                Path(clip).unlink()
            else:
                shutil.rmtree(motion)
            board.choose(notice, notice.actions[0].name, notice.actions[0].argument)
            title = {"file": "Not a picture or clip to begin with", "model": "This model cannot be used any more"}[gone]
            await until(lambda title=title: titles(program) == [title])
            assert form.model == chosen

    run_async(story())


def test_a_dropped_file_without_settings_can_be_begun_with(
    program: Program, run_async: RunAsync, tmp_path: Path
) -> None:
    async def story() -> None:
        path = picture_file(tmp_path / "photo.png")
        program.keeper.read_settings(path)
        await until(lambda: titles(program))
        (notice,) = program.session.notices.notices
        assert notice.actions[0].name == actions.BEGIN_WITH
        program.session.notices.choose(notice, actions.BEGIN_WITH, path)
        await until(lambda: program.session.form.state.init_image == path)

    run_async(story())


# ---- masks --------------------------------------------------------------------------------------------------------


def grey(pixels: Pixels, x: int, y: int) -> int:
    return pixels.data[(y * pixels.width_px + x) * 3]


def test_white_is_where_the_brush_was(qapp: Any) -> None:
    painting = MaskPainting(QSize(100, 60))
    assert painting.is_empty
    painting.begin_stroke(QPointF(20, 30), Brush(size=0.2))
    painting.go_on(QPointF(60, 30), Brush(size=0.2))
    painting.end_stroke()
    painting.go_on(QPointF(90, 50), Brush(size=0.2))  # the brush is up
    mask = painting.pixels()
    assert (mask.width_px, mask.height_px) == (100, 60)
    assert [grey(mask, x, 30) for x in (20, 40, 60)] == [255] * 3
    assert [grey(mask, x, 50) for x in (5, 40, 90)] == [0] * 3
    painting.begin_stroke(QPointF(40, 30), Brush(size=0.1, is_eraser=True))
    assert grey(painting.pixels(), 40, 30) == 0


def test_every_step_can_be_taken_back(qapp: Any) -> None:
    painting = MaskPainting(QSize(50, 50))
    painting.begin_stroke(QPointF(25, 25), Brush())
    before = painting.pixels()
    painting.invert()
    assert (grey(painting.pixels(), 25, 25), grey(painting.pixels(), 2, 2)) == (0, 255)
    painting.clear()
    assert painting.is_empty
    painting.undo()
    painting.undo()
    assert painting.pixels() == before
    painting.undo()
    assert painting.is_empty
    assert not painting.can_undo


def test_a_mask_of_a_large_picture_is_as_large_as_it(qapp: Any) -> None:
    painting = MaskPainting(QSize(3000, 1500))
    painting.begin_stroke(QPointF(1500, 750), Brush(size=0.1))
    mask = painting.pixels()
    assert (mask.width_px, mask.height_px) == (3000, 1500)
    assert (grey(mask, 1500, 750), grey(mask, 1500, 100)) == (255, 0)
    assert painting.overlay.width() <= 1024


def test_a_painted_mask_comes_into_the_request(program: Program, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        form = program.session.form
        program.beginner.begin_with(picture_file(tmp_path / "start.png"))
        await until(lambda: form.state.init_image)
        program.beginner.set_mask(Pixels(40, 30, bytes(40 * 30 * 3)))
        await until(lambda: form.state.mask_image)
        assert form.take_requests()[0].mask_image == form.state.mask_image  # type: ignore[union-attr]
        program.beginner.set_mask(None)
        assert form.state.mask_image == ""

    run_async(story())


# ---- presets, prompts ---------------------------------------------------------------------------------------------


def test_own_presets_survive_and_deleting_can_be_undone(
    program: Program, make_program: Make, run_async: RunAsync
) -> None:
    async def story() -> None:
        form, own = program.session.form, program.own_files
        form.update(base_steps=77)
        own.save_preset("  My  own ")
        assert form.preset == "My own"
        own.save_preset("Paper")
        assert "Paper" not in form.own_presets  # a preset of the model
        own.rename_preset("My own", "Slow")
        assert list(form.own_presets) == ["Slow"]
        await program.close()
        again = make_program()
        assert again.session.form.own_presets["Slow"].base.num_steps == 77
        again.own_files.delete_preset("Slow")
        assert again.session.form.own_presets == {}
        notice = again.session.notices.notices[0]
        again.session.notices.choose(notice, actions.UNDO_PRESET)
        assert list(again.session.form.own_presets) == ["Slow"]

    run_async(story())


def test_presets_that_cannot_be_read_are_put_aside(make_program: Make, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "presets.json").write_text('{"version": 1, "presets": {"x": {"base": 3}}}')
    program = make_program()
    assert titles(program) == ["Presets were put aside"]
    assert (tmp_path / "config" / "presets.aside-1.json").is_file()


def test_the_history_walks_and_survives(program: Program, make_program: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        for prompt in ("a red cube", "a blue cone", "a red cube"):
            program.session.form.update(prompt=prompt)
            assert program.runner.generate()
        assert program.session.history.prompts == ("a red cube", "a blue cone")
        await program.close()
        again = make_program()
        assert again.session.history.prompts == ("a red cube", "a blue cone")
        again.own_files.clear_history()
        assert again.session.history.prompts == ()
        again.session.notices.choose(again.session.notices.notices[0], actions.UNDO_HISTORY)
        assert again.session.history.prompts == ("a red cube", "a blue cone")

    run_async(story())


def test_older_and_newer(qapp: Any) -> None:
    history = PromptHistory()
    history.restore(("three", "two", "one"))
    assert history.older("something new") == "three"
    assert history.older("two") == "one"
    assert history.older("one") is None
    assert history.newer("two") == "three"
    assert history.newer("three") is None


@pytest.mark.parametrize(
    ("content", "prompts", "problem"),
    [
        ("a cube\n\n# a remark\n  a   cone \n", ("a cube", "a cone"), ""),
        ("\ufeffa cube\r\na cone\r\n", ("a cube", "a cone"), ""),
        ("\n# nothing\n", (), "holds no prompt"),
        ("x" * 3000, (), "more than 2000 characters"),
        ("a\n" * 1001, (), "1001 prompts"),
    ],
)
def test_prompts_of_a_file(tmp_path: Path, content: str, prompts: tuple[str, ...], problem: str) -> None:
    path = tmp_path / "list.txt"
    path.write_text(content, encoding="utf-8")
    read = read_prompts(str(path))
    assert read.prompts == prompts
    assert problem in read.problem
    assert bool(read.problem) == bool(problem)


def test_files_that_hold_no_text(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(b"\xff\xfe\x00\xd8")
    assert read_prompts(str(tmp_path / "x.txt")).problem == "is no plain text"
    assert "cannot be read" in read_prompts(str(tmp_path / "none.txt")).problem


def test_wildcards_of_a_folder_count_as_soon_as_they_are_there(program: Program, run_async: RunAsync) -> None:
    async def story() -> None:
        form, folder = program.session.form, program.own_files.wildcards_folder
        form.update(prompt="a __sub/colour__ cube")
        await until(lambda: "prompt" in form.errors)
        (folder / "sub").mkdir(parents=True)
        (folder / "sub" / "colour.txt").write_text("red\n")
        program.own_files.refresh_wildcards()
        await until(lambda: "prompt" not in form.errors)
        (folder / "sub" / "colour.txt").write_text("red\nblue\n")
        await until(lambda: form._wildcards.get("sub/colour") == ("red", "blue"))
        (folder / "sub" / "size.txt").write_text("large\n")
        await until(lambda: form._wildcards.get("sub/size") == ("large",))

    run_async(story())
    assert read_wildcards(Path("/nowhere")) == {}


# ---- results ------------------------------------------------------------------------------------------------------


GRID = GridRequest(
    request=GenerateRequest(model="m", prompt="a cube"),
    x=GridAxis(field="seed", values=(1, 2)),
    y=GridAxis(field="sampling.guidance.weight", values=(1.0, 2.5)),
)


@pytest.fixture
def grid(qapp: Any) -> ResultsModel:
    model = ResultsModel()
    model.add_job(Job("g", GRID, "Model", (4, 4)))
    return model


def kinds(model: ResultsModel) -> list[str]:
    return [type(model.entry(row)).__name__ for row in range(model.rowCount())]


def test_a_grid_has_its_labels_where_they_belong(grid: ResultsModel) -> None:
    assert kinds(grid) == ["Heading", "GridLabels", "GridLabels", "Tile", "Tile", "GridLabels", "Tile", "Tile"]
    labels = [entry.labels for row in range(8) if isinstance(entry := grid.entry(row), GridLabels)]
    assert labels == [("Seed 1", "Seed 2"), ("Guidance 1",), ("Guidance 2.5",)]
    assert [tile.num_columns for tile in grid.tiles_of("g")] == [2] * 4


def test_cells_that_were_not_made_keep_their_place(grid: ResultsModel) -> None:
    grid.finish_picture("g", 0, PICTURE)
    grid.end_job(Job("g", GRID, "Model", (4, 4), state=JobState.STOPPED, num_done=1))
    states = [tile.state for tile in grid.tiles_of("g")]
    assert states == [TileState.DONE, TileState.MISSING, TileState.MISSING, TileState.MISSING]


def test_a_grid_without_a_picture_leaves_nothing_behind(grid: ResultsModel) -> None:
    grid.end_job(Job("g", GRID, "Model", (4, 4), state=JobState.STOPPED))
    assert grid.rowCount() == 0


def test_variations_are_no_sheet(qapp: Any) -> None:
    model = ResultsModel()
    request = GenerateRequest(model="m", variation_seed=3, variation_strength=0.2)
    axis = GridAxis(field="variation_seed", values=(3, 4))
    model.add_job(Job("v", GridRequest(request=request, x=axis), "Model", (4, 4)))
    assert kinds(model) == ["Heading", "Tile", "Tile"]


def test_a_sheet_has_pictures_gaps_and_labels(qapp: Any) -> None:
    cells = (SheetCell(RED), SheetCell(), SheetCell(RED), SheetCell(RED))
    sheet = compose(Sheet(cells, ("Seed 1", "Seed 2"), ("Guidance 1", "Guidance 2"), (20, 20)))
    image = QImage(sheet.data, sheet.width_px, sheet.height_px, sheet.width_px * 3, QImage.Format.Format_RGB888)
    colours = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
    assert {"#ff0000", "#ffffff", "#e6e8ec"} <= colours
    right, bottom = image.width() - 8 - 10, image.height() - 8 - 10
    assert image.pixelColor(right, bottom).name() == "#ff0000"
    assert image.pixelColor(right, bottom - 28).name() == "#e6e8ec"  # the cell that is not there
    dark = [image.pixelColor(x, y).lightness() < 100 for x in range(60) for y in range(image.height())]
    assert any(dark)  # the labels of the rows


def test_the_frames_of_a_way_come_from_memory_or_from_their_files(qapp: Any, tmp_path: Path) -> None:
    path = picture_file(tmp_path / "a.png", 4, 4)
    made = frames((SheetCell(RED), SheetCell(path=path), SheetCell(path=str(tmp_path / "gone.png"))))
    assert [pixels.data[:3] for pixels in made] == [b"\xff\x00\x00", b"\x00\x80\x00"]


def test_only_clips_in_memory_play_under_the_pointer(qapp: Any, run_async: RunAsync) -> None:
    async def story() -> None:
        model = ResultsModel()
        model.add_job(Job("a", GenerateRequest(model="m", num_images=2), "Model", (4, 4)))
        model.finish_picture("a", 0, Clip((RED, RED, RED), 30.0))
        model.finish_picture("a", 1, PICTURE)
        play = HoverPlay()
        play.enter(model.index(1))
        assert play.key == ("a", 0)
        await until(lambda: play.frame > 0)
        play.enter(model.index(2))
        assert (play.key, play._timer.isActive()) == (None, False)
        play.enter(model.index(1))
        model.clear()
        await until(lambda: not play._timer.isActive())

    run_async(story())


def test_stars_are_kept_where_the_library_finds_them(program: Program, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        program.client.start()
        program.session.form.update(prompt="a red cube", num_images=1, base_steps=4, decoder_steps=4)
        assert program.runner.generate()
        await until(lambda: any(tile.path for tile in program.session.results.done_tiles()), timeout_s=30)
        (tile,) = program.session.results.done_tiles()
        stars = GalleryPlace(program.files.root, tmp_path).stars
        program.keeper.toggle_star(tile)
        assert program.session.results.done_tiles()[0].is_starred
        await until(lambda: read_stars(stars))
        assert read_stars(stars) == {Path(tile.path).relative_to(program.files.root).as_posix()}
        program.keeper.toggle_star(tile)
        await until(lambda: not read_stars(stars))

    run_async(story())


def test_making_pictures_like_one(program: Program) -> None:
    single = GenerateRequest(model=program.session.form.state.model, prompt="a red cube", num_images=1, seed=12)
    program.keeper.vary_tile(Tile("a", 0, single, single, "Whole", (64, 64)))
    state = program.session.form.state
    assert (state.seed, state.seed_mode, state.prompt) == ("12", SeedMode.FIXED, "a red cube")
    assert state.variation_strength > 0
    (request,) = program.session.form.take_requests()
    assert isinstance(request, GridRequest)
    assert {cell.seed for cell in request.cells()} == {12}


def test_the_menu_offers_what_fits_the_result(qapp: Any, owned: Callable[[Any], Any]) -> None:
    verbs = owned(PictureVerbs())

    def offered(tile: Tile) -> set[str]:
        menu = owned(PictureMenu(tile, verbs))
        return {action.text() for action in menu.actions() if action.text() and action.isEnabled()}

    single = GenerateRequest(model="m", num_images=1)
    picture = Tile("a", 0, single, single, "M", (4, 4), state=TileState.DONE, clip=PICTURE, path="/a.png")
    assert {"Start from this picture", "Make pictures like this", "Compare", "Star"} <= offered(picture)
    clip = Tile("a", 0, single, single, "M", (4, 4), state=TileState.DONE, is_moving=True, path="/a.mp4")
    assert "Continue this clip" in offered(clip)
    assert "Make pictures like this" not in offered(clip)
    cell = Tile("a", 0, GRID, single, "M", (4, 4), state=TileState.DONE, clip=PICTURE)
    assert "Save the labelled sheet…" in offered(cell)
    assert not {"Compare", "Star"} & offered(cell)  # there is no file yet
    step = Tile("a", 0, InterpolateRequest(model="m"), None, "M", (4, 4), state=TileState.DONE, clip=PICTURE)
    assert "Save the whole way as a clip…" in offered(step)


def test_a_wish_carries_its_picture(qapp: Any, owned: Callable[[Any], Any]) -> None:
    verbs, wishes = owned(PictureVerbs()), []
    verbs.vary_requested.connect(wishes.append)
    single = GenerateRequest(model="m", num_images=1)
    tile = Tile("a", 0, single, single, "M", (4, 4), state=TileState.DONE, clip=PICTURE)
    menu = owned(PictureMenu(tile, verbs))
    next(action for action in menu.actions() if action.text() == "Make pictures like this").trigger()
    assert wishes == [tile]


def test_tabs_show_what_the_model_offers(program: Program, owned: Callable[[Any], Any]) -> None:
    tabs = owned(ModeTabs(program.session.form))
    tabs.show()
    assert [mode for mode, button in tabs.buttons.items() if button.isVisible()] == [
        Mode.PICTURES,
        Mode.GRID,
        Mode.BETWEEN,
    ]
    tabs.buttons[Mode.GRID].click()
    assert program.session.form.state.mode is Mode.GRID
    assert manifest().can_generate


def test_a_step_between_prompts_brings_its_way_back(make_program: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        program = make_program()
        program.client.start()
        form = program.session.form
        form.update(prompt="a red cube", base_steps=4, decoder_steps=4, seed="5", seed_mode=SeedMode.FIXED)
        form.update(mode=Mode.BETWEEN, between=Between.PROMPTS, second_prompt="a blue cone", num_steps=3)
        assert program.runner.generate()
        await until(lambda: sum(bool(tile.path) for tile in program.session.results.done_tiles()) == 3, timeout_s=30)
        path = program.session.results.done_tiles()[1].path
        embedded = read_request(path)
        assert (embedded.step, embedded.way.num_steps, embedded.way.second_prompt) == (1, 3, "a blue cone")  # type: ignore[union-attr]
        assert "/" not in embedded.way.model  # type: ignore[union-attr]
        assert "Step: 2 of 3 between prompts" in read_texts(path)["parameters"]
        form.update(prompt="", mode=Mode.PICTURES, second_prompt="", num_steps=9)
        offers: list[Any] = []
        program.keeper.restore_offered.connect(offers.append)
        program.keeper.read_settings(path)
        await until(lambda: offers)
        program.keeper.apply(offers[0].changes)
        state = form.state
        assert (state.mode, state.between, state.num_steps) == (Mode.BETWEEN, Between.PROMPTS, 3)
        assert (state.prompt, state.second_prompt) == ("a red cube", "a blue cone")

    run_async(story())


def test_files_say_nothing_where_a_person_wants_that(make_program: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        program = make_program(frames=3)
        program.session.preferences.update(keeps_request=False)
        program.client.start()
        program.session.form.update(prompt="a red cube", num_images=1, base_steps=4, decoder_steps=4)
        assert program.runner.generate()
        await until(lambda: any(tile.path for tile in program.session.results.done_tiles()), timeout_s=30)
        (tile,) = program.session.results.done_tiles()
        assert "ul_studio" not in read_texts(tile.path)
        assert "parameters" not in read_texts(tile.path)

    run_async(story())


def test_a_continuation_and_what_it_continues_become_one_clip(qapp: Any, tmp_path: Path) -> None:
    path = clip_file(tmp_path / "a.mp4")
    new = Clip((Pixels(8, 8, bytes([200]) * 192),) * 3, 8.0)
    whole = joined(path, new)
    assert isinstance(whole, Joined)
    assert (len(whole.clip.frames), whole.clip.fps, whole.before) == (6 + 3, 8.0, None)
    assert {frame.shape for frame in whole.clip.frames} == {(8, 8, 3)}
    assert whole.clip.frames[6:] == new.frames
    assert max(whole.clip.frames[5].data) < 20  # the file is black
    assert isinstance(joined(str(tmp_path / "gone.mp4"), new), str)


def exported(groups: GroupExport, verb: Callable[[Tile], None], tile: Tile, path: Path) -> str:
    """The file that comes of a wish for several results in one."""
    (subject,) = wait_for_signal(groups.subject_ready, trigger=lambda: verb(tile))
    order = ExportOrder(
        str(path), clip=subject.clip, is_moving=subject.is_moving, fps=subject.fps or 8.0, embedded=subject.embedded
    )
    exporter = ClipExporter()
    wait_for_signal(exporter.exported, trigger=lambda: exporter.start(order))
    exporter.close()
    return str(path)


def test_sheets_ways_and_joined_clips_say_what_they_hold(
    qapp: Any, owned: Callable[[Any], Any], grid: ResultsModel, tmp_path: Path
) -> None:
    groups = owned(GroupExport(grid, grid))
    for index in range(4):
        grid.finish_picture("g", index, PICTURE)
    sheet = exported(groups, groups.make_sheet, grid.done_tiles()[0], tmp_path / "sheet.png")
    found = read_request(sheet)
    assert found.whole is not None
    assert found.whole.grid == GRID
    assert [value for name, value in request_rows(found.model_dump_json()) if name == "Holds"] == [
        "a sheet of 2 × 2 pictures"
    ]
    way = InterpolateRequest(model="m", num_steps=2, seed=4, second_seed=9)
    grid.add_job(Job("w", way, "Model", (4, 4)))
    for index in range(2):
        grid.finish_picture("w", index, PICTURE)
    step = next(tile for tile in grid.done_tiles() if tile.job_id == "w")
    assert read_request(exported(groups, groups.make_way, step, tmp_path / "way.gif")).way == way
    before = write_clip(
        tmp_path / "before.mp4",
        np.zeros((6, 16, 16, 3), np.uint8),
        8,
        texts=text_chunks(embed(GenerateRequest(model="m", num_images=1, seed=5), 0), width_px=16, height_px=16),
    ).path
    single = GenerateRequest(model="m", num_images=1, seed=6, continue_from=str(before))
    clip = Clip((Pixels(8, 8, bytes([200]) * 192),) * 3, 8.0)
    tile = Tile("c", 0, single, single, "Model", (8, 8), state=TileState.DONE, clip=clip, is_moving=True)
    found = read_request(exported(groups, groups.make_joined, tile, tmp_path / "whole.webm"))
    assert found.whole is not None
    assert found.whole.before is not None
    assert (found.request.seed, found.request.continue_from, found.whole.before.seed) == (6, "before.mp4", 5)


def test_a_dropped_sheet_brings_its_grid_back(program: Program, tmp_path: Path, run_async: RunAsync) -> None:
    async def story() -> None:
        form = program.session.form
        wished = {
            "mode": Mode.GRID,
            "prompt": "a red cube",
            "x_field": "sampling.base.name",
            "x_values": "DDIM, DPM++ 2M SDE",
            "y_field": "sampling.guidance.weight",
            "y_values": "1, 2.5",
        }
        form.update(**wished)
        (request,) = form.take_requests()
        assert isinstance(request, GridRequest)
        texts = text_chunks(embed_sheet(request, model_name="Whole"), width_px=4, height_px=4)
        (tmp_path / "sheet.png").write_bytes(encode_png(RED.data, width_px=4, height_px=4, texts=texts))
        form.update(mode=Mode.PICTURES, prompt="", x_field="seed", x_values="1, 2", y_field="", y_values="")
        offers: list[Any] = []
        program.keeper.restore_offered.connect(offers.append)
        program.keeper.read_settings(str(tmp_path / "sheet.png"))
        await until(lambda: offers)
        assert "a sheet of 4 pictures" in offers[0].note
        program.keeper.apply(offers[0].changes)
        assert {name: getattr(form.state, name) for name in wished} == wished
        (again,) = form.take_requests()
        assert again == request.model_copy(update={"request": again.request})

    run_async(story())


def test_large_pictures_do_not_fill_the_memory(
    qapp: Any, run_async: RunAsync, tmp_path: Path, owned: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late_images, "MAX_KEPT_BYTES", 10 * 40 * 30 * 4)
    paths = [picture_file(tmp_path / f"{number}.png") for number in range(20)]
    late = owned(late_images.LateImages())

    async def story() -> None:
        for path in paths:
            assert late.image(path) is None
        await until(lambda: not late._wanted and not late._is_loading)
        kept = [path for path in paths if late._kept.get(path) is not None]
        assert len(kept) == 10

    run_async(story())


def test_pictures_whose_pixels_were_dropped_are_decoded_in_a_thread(
    qapp: Any, run_async: RunAsync, tmp_path: Path
) -> None:
    async def story() -> None:
        cache, arrivals = PictureCache(), []
        cache.late.arrived.connect(lambda: arrivals.append(1))
        single = GenerateRequest(model="m", num_images=1)
        path = picture_file(tmp_path / "a.png", 8, 8)
        tile = Tile("a", 0, single, single, "M", (8, 8), state=TileState.DONE, path=path)
        gone = Tile("a", 1, single, single, "M", (8, 8), state=TileState.DONE, path=str(tmp_path / "gone.png"))
        for one in (tile, gone):
            assert cache.scaled(one, QSize(16, 16), 1.0, is_crisp=True) is None  # not yet
        await until(lambda: arrivals)
        shown = cache.scaled(tile, QSize(16, 16), 1.0, is_crisp=True)
        assert shown is not None
        assert shown.toImage().pixelColor(3, 3) == QColor("green")
        assert cache.scaled(gone, QSize(16, 16), 1.0, is_crisp=True) is None
        count = len(arrivals)
        await until(lambda: not cache.late._is_loading)
        assert len(arrivals) == count  # a file that is gone is not asked for again and again

    run_async(story())
