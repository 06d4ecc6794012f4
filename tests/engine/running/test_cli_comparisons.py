"""``ul-engine`` with clips, starts, ways, grids and ladders: the files it leaves, and its words where it cannot."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers.tiny import save_tiny, simple_pictures, text_conditioning, tiny_config
from tests.helpers.tiny_clips import clip_config
from ul_engine.cli import main
from ul_engine.data.image_files import read_picture, write_picture
from ul_engine.data.pixels import Uint8Array
from ul_engine.media.reading import probe, read_clip
from ul_engine.metadata import read_request
from ul_engine.outputs import write_clip

FAST = ["--base-steps", "2", "--decoder-steps", "3", "--device", "cpu"]
Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    save_tiny(folder / "pictures", tiny_config(conditioning=text_conditioning()))
    save_tiny(folder / "clips", clip_config(2, num_frames=8, context_frames=3))
    save_tiny(folder / "lower", tiny_config(latent={"channels": 4, "logsnr_max": 4.0}))
    return folder


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder to work in, with two pictures; outputs go below it."""
    monkeypatch.setenv("UL_STUDIO_OUTPUTS", str(tmp_path / "outputs"))
    monkeypatch.chdir(tmp_path)
    for name, picture in zip("ab", simple_pictures(2), strict=True):
        write_picture(tmp_path / f"{name}.png", picture)
    (tmp_path / "text.txt").write_text("text")
    return tmp_path


def ran(capsys: Captured, *words: object) -> list[str]:
    """What a command that succeeds prints, line by line."""
    code = main([str(word) for word in words])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    return captured.out.splitlines()


def picture_in(path: str | Path) -> Uint8Array:
    return read_picture(path)


# ---- clips ----------------------------------------------------------------------------------------------------------


def test_a_model_of_clips_writes_films_with_their_request(models: Path, here: Path, capsys: Captured) -> None:
    model = models / "clips"
    printed = ran(capsys, "generate", "--model", model, "-n", 2, "--num-frames", 11, "--seed", 4, "--width", 20, *FAST)
    assert len(printed) == 2
    for index, path in enumerate(printed):
        info = probe(path)
        assert (Path(path).suffix, info.codec) == (".mp4", "h264")
        assert (info.num_frames, info.fps, info.width_px, info.height_px) == (11, Fraction(8), 20, 16)
        request = read_request(path).request
        assert (request.model, request.seed, request.num_frames, request.num_images) == ("clips", 4 + index, 11, 1)
    again = ran(capsys, "generate", "--request", printed[1], "--model", model, "--device", "cpu")
    assert np.array_equal(read_clip(again[0]).frames, read_clip(printed[1]).frames)


@pytest.mark.parametrize("suffix", ["mp4", "webm", "mkv", "gif", "webp", "png"])
def test_every_format_of_clips(models: Path, capsys: Captured, suffix: str) -> None:
    (path,) = ran(capsys, "generate", "--model", models / "clips", "--num-frames", 3, "--format", suffix, *FAST)
    assert path.endswith(f".{suffix}")
    assert probe(path).num_frames == 3
    first = path % 0 if suffix == "png" else path
    assert read_request(first).request.num_frames == 3


def test_a_film_is_continued(models: Path, here: Path, capsys: Captured) -> None:
    write_clip(here / "a.mp4", simple_pictures(9), 8)
    (path,) = ran(capsys, "generate", "--model", models / "clips", "--continue-from", here / "a.mp4", *FAST)
    assert probe(path).num_frames == 5
    request = read_request(path).request
    assert request.continue_from == "a.mp4"
    assert str(here).encode() not in Path(path).read_bytes()


# ---- starts and variations --------------------------------------------------------------------------------------


def test_a_start_and_a_variation(models: Path, here: Path, capsys: Captured) -> None:
    command = ["generate", "a red cube", "--model", models / "pictures", *FAST]
    (plain,) = ran(capsys, *command)
    (started,) = ran(capsys, *command, "--start-from", here / "a.png", "--strength", 0.3)
    varied = ran(capsys, *command, "--variation-seed", 9, "--variation", 0.5, "-n", 2)
    pictures = {picture_in(path).tobytes() for path in (plain, started, *varied)}
    assert len(pictures) == 4
    request = read_request(started).request
    assert (request.init_image, request.strength) == ("a.png", 0.3)
    assert str(here).encode() not in Path(started).read_bytes()
    assert read_request(varied[1]).request.variation_seed == 10
    again = ran(capsys, "generate", "--request", varied[1], "--model", models / "pictures", "--device", "cpu")
    assert np.array_equal(picture_in(again[0]), picture_in(varied[1]))


def test_a_mask_keeps_a_part_of_the_start(models: Path, here: Path, capsys: Captured) -> None:
    mask = np.zeros((16, 16, 3), np.uint8)
    mask[:, 8:] = 255
    write_picture(here / "mask.png", mask)
    command = ["generate", "--model", models / "pictures", "--start-from", here / "a.png", "--strength", 1, *FAST]
    (path,) = ran(capsys, *command, "--mask", here / "mask.png")
    made, start = picture_in(path), picture_in(here / "a.png")
    assert np.array_equal(made[:, :8], start[:, :8])
    assert not np.array_equal(made[:, 8:], start[:, 8:])
    assert read_request(path).request.mask_image == "mask.png"
    assert str(here).encode() not in Path(path).read_bytes()


# ---- comparisons ----------------------------------------------------------------------------------------------------


def test_a_reconstruction_with_all_there_is_to_see(models: Path, here: Path, capsys: Captured) -> None:
    command = ["reconstruct", here / "a.png", "--model", models / "pictures", "--preset", "preview", "--device", "cpu"]
    options = ["--measures", "ssim,ms-ssim,flip", "--flip-map", "--bit-draws", 2, "--bits-under", "both", "--latent"]
    ran(capsys, *command, *options, "--out", here / "out")
    report = json.loads((here / "out" / "metrics.json").read_text())
    (found,), (row,) = report["inputs"], report["results"]
    assert all(row[name] is not None for name in ("psnr_db", "ssim", "ms_ssim", "flip"))
    assert row["lpips"] is None
    assert row["bits_per_pixel"] == row["bits_per_pixel_prior"] != row["bits_per_pixel_base"]
    assert row["bits_per_pixel"] == pytest.approx(found["bits_per_pixel"])
    assert found["num_bit_draws"] == 2
    assert found["bits_per_pixel_deviation"] > 0
    assert len(found["band_deviations"]) == len(found["band_bits"])
    flip_map = picture_in(here / "out" / row["flip_file"])
    assert flip_map.mean() / 255 == pytest.approx(row["flip"], abs=0.005)
    latent = np.load(here / "out" / found["latent_file"])
    assert latent["z_clean"].shape == latent["z_0"].shape == (4, 1, 4, 4)
    assert found["channel_means"] == pytest.approx(latent["z_clean"].mean((1, 2, 3)).tolist(), abs=1e-5)
    assert picture_in(here / "out" / found["latent_colours_file"]).shape == (4, 4, 3)


def test_a_latent_alone(models: Path, here: Path, capsys: Captured) -> None:
    command = ["reconstruct", here / "a.png", "--model", models / "pictures", "--device", "cpu"]
    ran(capsys, *command, "--latent-logsnr", "", "--latent", "--out", here / "out")
    report = json.loads((here / "out" / "metrics.json").read_text())
    assert report["results"] == []
    assert (here / "out" / report["inputs"][0]["latent_file"]).is_file()


def test_codecs_without_a_model(here: Path, capsys: Captured) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    write_picture(here / "noise.png", picture)
    command = ["codecs", here / "noise.png", "--codecs", "jpeg,webp", "--measures", "flip", "--flip-map"]
    printed = ran(capsys, *command, "--bits-per-pixel", "0.01,4", "--curve", "--out", here / "out")
    report = json.loads((here / "out" / "codecs.json").read_text())
    at_rates = [row for row in report["results"] if row["asked_bits_per_pixel"] is not None]
    assert [(row["codec"], row["is_floor"]) for row in at_rates] == [
        ("jpeg", True),
        ("jpeg", False),
        ("webp", True),
        ("webp", False),
    ]
    for row in at_rates:
        decoded = picture_in(here / "out" / row["file"])
        error = np.square(decoded.astype(float) - picture).mean()
        assert row["psnr_db"] == pytest.approx(10 * np.log10(255**2 / error), abs=1e-3)
        assert row["bits_per_pixel"] == pytest.approx(8 * row["num_bytes"] / (48 * 64))
        grey = picture_in(here / "out" / row["file"].replace(".png", "-flip.png"))
        assert grey.mean() / 255 == pytest.approx(row["flip"], abs=0.005)
    assert sum("its floor" in line for line in printed) == 2
    assert len(report["results"]) == 4 + 2 * 9
    assert (here / "out" / "codecs.csv").read_text().count("\n") == 1 + 4 + 2 * 9
    assert printed[-1] == str(here / "out" / "codecs.json")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ([], "at least one rate"),
        (["--curve", "--codecs", "bmp"], "codecs.0: Input should be"),
        (["--bits-per-pixel", "few"], "bits-per-pixel: write numbers"),
        (["--bits-per-pixel", "0"], "above 0 bits per pixel"),
    ],
)
def test_codecs_that_cannot_be_asked(here: Path, capsys: Captured, options: list[str], reason: str) -> None:
    assert main(["codecs", "a.png", "--out", "out", *options]) == 1
    error = capsys.readouterr().err
    assert reason in error
    assert error.count("\n") == 1
    assert not (here / "out").exists()


# ---- ways -----------------------------------------------------------------------------------------------------------


def test_from_seed_to_seed(models: Path, here: Path, capsys: Captured) -> None:
    command = ["interpolate", "--model", models / "pictures", "--prompt", "a red cube", "--seed", 2, "--to-seed", 7]
    printed = ran(capsys, *command, "-n", 4, "--clip", here / "new" / "way.mp4", "--fps", 10, *FAST)
    assert [Path(path).name for path in printed] == ["000.png", "001.png", "002.png", "003.png", "way.mp4"]
    info = probe(printed[-1])
    assert (info.num_frames, info.fps) == (4, Fraction(10))
    way = read_request(printed[-1]).way
    assert way is not None
    assert (way.num_steps, way.seed, way.second_seed) == (4, 2, 7)
    pictures = [picture_in(path) for path in printed[:-1]]
    for index, seed in ((0, 2), (3, 7)):
        (plain,) = ran(capsys, "generate", "a red cube", "--model", models / "pictures", "--seed", seed, *FAST)
        assert np.abs(picture_in(plain).astype(int) - pictures[index]).max() <= 1
    again = ran(capsys, "generate", "--request", printed[1], "--model", models / "pictures", "--device", "cpu")
    assert np.abs(picture_in(again[0]).astype(int) - pictures[1]).max() <= 1


# Once: the second way was written over the first.
def test_every_way_has_a_folder_of_its_own(models: Path, here: Path, capsys: Captured) -> None:
    command = ["interpolate", "--model", models / "pictures", "--to-seed", 7, "-n", 2, *FAST]
    first, second = ran(capsys, *command), ran(capsys, *command)
    assert Path(first[0]).parent != Path(second[0]).parent
    assert all((here / "outputs") in Path(path).parents for path in (*first, *second))
    assert Path(first[0]).is_file()
    third = ran(capsys, *command, "--out", here / "mine")
    assert third == [str(here / "mine" / "000.png"), str(here / "mine" / "001.png")]


def test_from_prompt_to_prompt_and_picture_to_picture(models: Path, here: Path, capsys: Captured) -> None:
    command = ["interpolate", "--model", models / "pictures", "-n", 3, *FAST]
    prompts = ran(capsys, *command, "--prompt", "a red cube", "--to-prompt", "blue sphere")
    pictures = ran(capsys, *command, "--pictures", here / "a.png", here / "b.png")
    restored = ran(capsys, *command, "--pictures", here / "a.png", here / "b.png", "--restore", "-1.5")
    assert len({picture_in(path).tobytes() for path in (*prompts, *pictures, *restored)}) == 9
    step = read_request(pictures[1])
    assert step.way is not None
    assert (step.step, step.way.between, step.way.pictures) == (1, "pictures", ("a.png", "b.png"))
    assert str(here).encode() not in Path(pictures[1]).read_bytes()
    between = read_request(prompts[2])
    assert between.way is not None
    assert (between.step, between.request.prompt, between.way.second_prompt) == (2, "a red cube", "blue sphere")


def test_a_way_of_clips_is_a_folder_of_films(models: Path, here: Path, capsys: Captured) -> None:
    printed = ran(capsys, "interpolate", "--model", models / "clips", "--to-seed", 1, "-n", 2, "--clip", "a.gif", *FAST)
    assert [Path(path).name for path in printed] == ["000.mp4", "001.mp4", "a.gif"]
    assert [probe(path).num_frames for path in printed] == [8, 8, 2]


# ---- grids ----------------------------------------------------------------------------------------------------------


def test_a_grid_is_one_labelled_sheet(models: Path, here: Path, capsys: Captured) -> None:
    command = ["grid", "a red cube", "--model", models / "pictures", *FAST]
    printed = ran(
        capsys, *command, "-x", "sampling.guidance.weight=1,6", "-y", "prompt=a red cube|2", "--sheet", here / "s.png"
    )
    assert printed == [str(here / "s.png")]
    kept = read_request(here / "s.png").whole
    assert kept is not None
    assert kept.grid is not None
    assert kept.grid.x.values == (1, 6)
    sheet = picture_in(here / "s.png")
    assert (sheet < 128).all(-1).any()
    (plain,) = ran(capsys, "generate", "a red cube", "--model", models / "pictures", "--guidance", 6, *FAST)
    single = picture_in(plain)
    found = [
        (top, left)
        for top in range(sheet.shape[0] - 15)
        for left in range(sheet.shape[1] - 15)
        if np.array_equal(sheet[top, left : left + 16], single[0])
        and np.array_equal(sheet[top : top + 16, left : left + 16], single)
    ]
    assert len(found) == 1


def test_pictures_of_several_sizes_in_one_sheet(models: Path, here: Path, capsys: Captured) -> None:
    ran(capsys, "grid", "--model", models / "pictures", "-x", "width_px=16,40", "--sheet", "s.webp", *FAST)
    with Image.open(here / "s.webp") as sheet:
        assert sheet.width > 80


def test_unknown_words_of_all_prompts(models: Path, here: Path, capsys: Captured) -> None:
    model = models / "pictures"
    main(["interpolate", "--model", str(model), "--prompt", "mauve", "--to-prompt", "a plaid mauve", "-n", "2", *FAST])
    assert capsys.readouterr().err == "note: this model was never shown 'mauve', 'plaid'\n"
    main(["grid", "--model", str(model), "-x", "prompt=red|tartan cube", "--sheet", "s.png", *FAST])
    assert capsys.readouterr().err == "note: this model was never shown 'tartan'\n"


# ---- reconstruction -------------------------------------------------------------------------------------------------


def rows_of(out: Path) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads((out / "metrics.json").read_text())["results"]
    return rows


def reconstruct(models: Path, *words: object, model: str = "pictures") -> list[str]:
    return ["reconstruct", *map(str, words), "--model", str(models / model), "--preset", "preview", "--out", "out"]


def test_both_ladders_and_several_decodes(models: Path, here: Path, capsys: Captured) -> None:
    command = reconstruct(models, "a.png", "--latent-logsnr", "5,-1", "--decoder-logsnr", "-4,-8", "--decodes", 2)
    printed = ran(capsys, *command)
    rows = rows_of(here / "out")
    levels = [(row["latent_logsnr"], row["decoder_logsnr"]) for row in rows]
    assert levels == [(5.0, None), (-1.0, None), (5.0, -4.0), (5.0, -8.0)]
    assert [row["file"] for row in rows] == [
        "00-a-logsnr+5.png",
        "00-a-logsnr-1.png",
        "00-a-logsnr+5-decoder-4.png",
        "00-a-logsnr+5-decoder-8.png",
    ]
    assert len(printed) == 5
    assert "2 decodes differ by" in printed[0]
    for row in rows:
        for name in ("file", "mean_file", "deviation_file"):
            assert picture_in(here / "out" / str(row[name])).shape == (16, 16, 3)
        assert row["num_decodes"] == 2
        assert isinstance(row["mean_psnr_db"], float)
        assert isinstance(row["mean_deviation_levels"], float)


@pytest.mark.parametrize(
    ("words", "levels"),
    [
        (["--decoder-logsnr", "-4,-8"], [-4.0, -8.0]),
        (["--decoder-logsnr=-4,-8"], [-4.0, -8.0]),
        (["--decoder-logsnr", "-4"], [-4.0]),
        (["--decoder-logsnr", "-.5,2"], [-0.5, 2.0]),
    ],
)
def test_lists_that_begin_with_a_minus(
    models: Path, here: Path, capsys: Captured, words: list[str], levels: list[float]
) -> None:
    ran(capsys, *reconstruct(models, "a.png", *words, "--latent-logsnr", ""))
    assert [row["decoder_logsnr"] for row in rows_of(here / "out")] == levels


# Once: the default was 5, above the native level of a model that was made for less.
def test_where_the_bits_went(models: Path, here: Path, capsys: Captured) -> None:
    """Once per input: a grey picture of its size, white at the dearest cell, and bits per band that add up."""
    ran(capsys, *reconstruct(models, "a.png", "b.png", "--latent-logsnr", "5,0"))
    report = json.loads((here / "out" / "metrics.json").read_text())
    assert len(report["inputs"]) == 2
    for row in report["inputs"]:
        original, bits = picture_in(here / "out" / row["original_file"]), picture_in(here / "out" / row["bit_map_file"])
        assert bits.shape == original.shape
        assert int(bits.max()) == 255
        assert (bits[:4, :4] == bits[0, 0]).all()  # cells of 4 pixels
        whole = row["bits_per_pixel"] * original[..., 0].size
        assert sum(band["bits"] for band in row["band_bits"]) == pytest.approx(whole, rel=0.05)
        assert 0 < row["bits_of_a_white_cell"] < whole


def test_by_default_the_models_own_native_level(models: Path, here: Path, capsys: Captured) -> None:
    ran(capsys, *reconstruct(models, "a.png", model="lower"))
    (row,) = rows_of(here / "out")
    assert row["latent_logsnr"] == 4.0
    assert row["is_trained_level"] is True


def test_what_was_done_stays_when_a_later_input_fails(models: Path, here: Path, capsys: Captured) -> None:
    assert main(reconstruct(models, "a.png", "text.txt", "b.png")) == 1
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert "text.txt" in captured.err
    (row,) = rows_of(here / "out")
    assert row["input"] == "a.png"
    assert (here / "out" / str(row["file"])).is_file()


def test_clips_are_written_frame_by_frame(models: Path, here: Path, capsys: Captured) -> None:
    write_clip(here / "a.mkv", simple_pictures(6), 8)
    ran(capsys, *reconstruct(models, "a.mkv", "--max-frames", 4, "--decodes", 2, model="clips"))
    (row,) = rows_of(here / "out")
    for name in (row["file"], row["mean_file"], row["deviation_file"], "00-a-original"):
        assert len(list((here / "out" / str(name)).iterdir())) == 4
    assert np.array_equal(picture_in(here / "out" / "00-a-original" / "00003.png"), simple_pictures(6)[3])


# ---- problems -------------------------------------------------------------------------------------------------------

GENERATE, WAY = ["generate", "--model", "PICTURES"], ["interpolate", "--model", "PICTURES"]
GRID = ["grid", "--model", "PICTURES", "--sheet", "s.png"]
RECONSTRUCT = ["reconstruct", "--model", "PICTURES", "--out", "out"]
PROBLEMS = {
    "frames of a picture": ([*GENERATE, "--num-frames", "4"], "makes pictures, not clips"),
    "continued picture": ([*GENERATE, "--continue-from", "a.png"], "continues no clips"),
    "started clip": (["generate", "--model", "CLIPS", "--start-from", "a.png"], "starts from no picture"),
    "no start": ([*GENERATE, "--start-from", "absent.png"], "absent.png: there is no such file"),
    "unknown measure": (
        ["reconstruct", "a.png", "--model", "PICTURES", "--measures", "beauty", "--out", "out"],
        "measures.0: Input should be",
    ),
    "mask of nothing": ([*GENERATE, "--mask", "a.png"], "mask: counts only together with --start-from"),
    "no mask": ([*GENERATE, "--start-from", "a.png", "--mask", "absent.png"], "absent.png: there is no such file"),
    "text as start": ([*GENERATE, "--start-from", "text.txt"], "text.txt: is no picture"),
    "no clip": (["generate", "--model", "CLIPS", "--continue-from", "absent.mp4"], "there is no such file"),
    "text as clip": (["generate", "--model", "CLIPS", "--continue-from", "text.txt"], "is no video"),
    "picture as clip": (["generate", "--model", "CLIPS", "--continue-from", "a.png"], "a single picture"),
    "cut clip": (["generate", "--model", "CLIPS", "--continue-from", "cut.mp4"], "cut.mp4: "),
    "strength": ([*GENERATE, "--start-from", "a.png", "--strength", "2"], "strength: Input should be less"),
    # Once: these were passed over without a word.
    "strength of nothing": ([*GENERATE, "--strength", "0.5"], "only together with --start-from"),
    "variation of nothing": ([*GENERATE, "--variation", "0.5"], "only together with --variation-seed"),
    "no end": (WAY, "name one end"),
    "two ends": ([*WAY, "--to-seed", "3", "--to-prompt", "red"], "name one end"),
    "same seeds": ([*WAY, "--seed", "3", "--to-seed", "3"], "both seeds are the same"),
    "same prompts": ([*WAY, "--prompt", "red", "--to-prompt", "red"], "both prompts are the same"),
    "one step": ([*WAY, "--to-seed", "3", "-n", "1"], "num_steps"),
    "restored seeds": ([*WAY, "--to-seed", "3", "--restore", "1"], "only between pictures"),
    "told pictures": ([*WAY, "--pictures", "a.png", "b.png", "--prompt", "red"], "no prompt counts"),
    "class": ([*WAY, "--to-seed", "3", "--class-label", "1"], "takes no class"),
    "no picture at the end": ([*WAY, "--pictures", "a.png", "absent.png"], "absent.png: there is no such file"),
    "text at the end": ([*WAY, "--pictures", "a.png", "text.txt"], "text.txt: is no picture"),
    "full folder": ([*WAY, "--to-seed", "3", "--out", "."], "already holds something"),
    "folder is a file": ([*WAY, "--to-seed", "3", "--out", "text.txt"], "text.txt"),
    # Once: these were found after all pictures had been made.
    "kind of clip": ([*WAY, "--to-seed", "3", "--clip", "a.xyz"], "cannot be written as .xyz"),
    "rate of clip": ([*WAY, "--to-seed", "3", "--clip", "a.mp4", "--fps", "0"], "fps: must be between"),
    "kind of sheet": ([*GRID[:-1], "s.xyz", "-x", "seed=1,2"], "name the sheet with one of .png"),
    "no values": ([*GRID, "-x", "seed"], "write it as field=value,value"),
    "no setting": ([*GRID, "-x", "sed=1,2"], "'sed' is no setting"),
    "capital": ([*GRID, "-x", "Seed=1,2"], "'Seed' is no setting"),
    "no number": ([*GRID, "-x", "seed=1,x"], "seed cannot be 'x'"),
    "not finite": ([*GRID, "-x", "sampling.guidance.weight=nan"], "weight cannot be 'nan'"),
    "model as axis": ([*GRID, "-x", "model=a,b"], "cannot be an axis"),
    "same axes": ([*GRID, "-x", "seed=1,2", "-y", "seed=3"], "both axes change the same"),
    "axis in vain": ([*GRID, "-x", "strength=0.1,0.2"], "nothing without init_image"),
    "no level": ([*RECONSTRUCT, "a.png", "--latent-logsnr", ""], "name at least one level"),
    "no decodes": ([*RECONSTRUCT, "a.png", "--decodes", "0"], "num_decodes"),
    "decoder below its levels": ([*RECONSTRUCT, "a.png", "--decoder-logsnr", "-30"], "below the noisiest level"),
    "level that is none": ([*RECONSTRUCT, "a.png", "--decoder-logsnr", "-4,x"], "write numbers"),
    "text as film": ([*RECONSTRUCT, "text.mp4"], "text.mp4: is no video"),
    "cut film": ([*RECONSTRUCT, "cut.mp4"], "cut.mp4: "),
    "no film": ([*RECONSTRUCT, "absent.mp4"], "there is no such file"),
    "empty folder": ([*RECONSTRUCT, "empty"], "no pictures"),
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_problems_are_one_line_and_leave_nothing_behind(
    problem: str, models: Path, here: Path, capsys: Captured
) -> None:
    (here / "text.mp4").write_text("text")
    (here / "empty").mkdir()
    write_clip(here / "whole.mp4", np.repeat(simple_pictures(12, size_px=32), 3, axis=0), 8)
    whole = (here / "whole.mp4").read_bytes()
    (here / "cut.mp4").write_bytes(whole[: len(whole) // 3])
    words, reason = PROBLEMS[problem]
    places = {"PICTURES": str(models / "pictures"), "CLIPS": str(models / "clips")}
    assert main([*(places.get(word, word) for word in words), "--device", "cpu"]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("ul-engine: ")
    assert captured.err.count("\n") == 1
    assert "Value error" not in captured.err
    assert reason in captured.err
    assert captured.out == ""
    assert not (here / "outputs").exists()
