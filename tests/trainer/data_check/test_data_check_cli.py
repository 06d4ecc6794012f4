"""``ul-train data check`` as it is typed: exit codes, text, JSON, the sheet, errors, the command that it names."""

import argparse
import json
from pathlib import Path

import pytest

from tests.helpers.clips import encode, marked
from tests.helpers.picture_sets import two_classes, write_folder
from trainer.cli import main, parser
from trainer.cli.data import data_from
from trainer.cli.train import stage1_config
from trainer.config import ClipsData, PicturesData, ScenesData
from trainer.config.data import FileData
from trainer.data.check.report import DataReport
from ul_engine.errors import ConfigError

Captured = pytest.CaptureFixture[str]


def parsed(*arguments: str) -> argparse.Namespace:
    return parser().parse_args(["data", "check", *arguments])


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "pictures", two_classes(12))


def test_text_sheet_and_json_of_usable_data(pictures: Path, tmp_path: Path, capsys: Captured) -> None:
    sheet, report = tmp_path / "sheet.png", tmp_path / "report.json"
    code = main(["data", "check", str(pictures), "--size-px", "24", "--sheet", str(sheet), "--json", str(report)])
    out = capsys.readouterr().out
    assert code == 0
    assert sheet.read_bytes().startswith(b"\x89PNG")
    found = DataReport.model_validate_json(report.read_text(encoding="utf-8"))
    assert found.sheet == str(sheet)
    for line in ("2: cat 6, dog 6", "verdict     usable", f"sheet       {sheet}", f"report      {report}"):
        assert line in out
    assert f"next        ul-train stage1 --data {pictures} --preset tiny --size-px 24" in out


def test_json_on_standard_output_stands_alone(pictures: Path, capsys: Captured) -> None:
    (pictures / "cat" / "none.png").write_bytes(b"")
    assert main(["data", "check", str(pictures), "--json", "-", "--progress", "json"]) == 1
    captured = capsys.readouterr()
    assert DataReport.model_validate_json(captured.out).verdict == "blocked"
    news = [json.loads(line) for line in captured.err.splitlines()]
    assert {"doing": "reading files", "done": 13, "total": 13} in news
    assert all(list(each) == ["doing", "done", "total"] for each in news)


def test_blocked_data_names_no_next_command(pictures: Path, capsys: Captured) -> None:
    (pictures / "cat" / "none.png").write_bytes(b"")
    assert main(["data", "check", str(pictures)]) == 1
    out = capsys.readouterr().out
    assert "cat/none.png: is empty" in out
    assert "ul-train stage1" not in out


def test_every_setting_arrives(pictures: Path) -> None:
    words = "--flip --size-px 40 --num-valid 3 --min-px 5 --crop-scale 0.5 --crop-position random --captions none"
    expected = {"flip": True, "size_px": 40, "num_valid": 3, "min_px": 5, "crop_scale": 0.5, "captions": "none"}
    data = data_from(parsed(str(pictures), *words.split(), "--fit", "buckets", "--bucket-step-px", "16"))
    assert data == PicturesData(
        path=str(pictures), crop_position="random", fit="buckets", bucket_step_px=16, **expected
    )
    data = data_from(parsed(str(pictures), *words.split(), "--num-frames", "5", "--fps", "12", "--frame-stride", "3"))
    assert data == ClipsData(
        path=str(pictures), crop_position="random", num_frames=5, fps=12, frame_stride=3, **expected
    )


def test_every_setting_has_an_option() -> None:
    names = {*PicturesData.model_fields, *ClipsData.model_fields} - {"kind", "path"}
    assert names <= set(vars(parsed("x"))), "a new setting of files needs an option"
    assert set(FileData.model_fields) <= names | {"path"}


def test_videos_are_recognised(tmp_path: Path) -> None:
    for number in range(2):
        encode(tmp_path / f"{number}.mp4", marked(4))
    assert isinstance(data_from(parsed(str(tmp_path))), ClipsData)
    write_folder(tmp_path, two_classes(2))
    assert isinstance(data_from(parsed(str(tmp_path))), PicturesData)
    assert isinstance(data_from(parsed(str(tmp_path), "--clips")), ClipsData)


def test_the_data_of_a_recipe(pictures: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(f"data: {{kind: pictures, path: {pictures}, size_px: 48, flip: true}}\n", encoding="utf-8")
    data = data_from(parsed("--config", str(recipe), "--size-px", "32"))
    assert data == PicturesData(path=str(pictures), size_px=32, flip=True)
    recipe.write_text("data: {kind: scenes, size_px: 32}\n", encoding="utf-8")
    assert data_from(parsed("--config", str(recipe))) == ScenesData(size_px=32)
    recipe.write_text("data: [1]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="mapping"):
        data_from(parsed("--config", str(recipe)))


def test_scenes_are_opened_and_read(tmp_path: Path, capsys: Captured) -> None:
    recipe = tmp_path / "recipe.yaml"
    section = f"kind: scenes, size_px: 16, num_train: 24, num_valid: 8, cache: {tmp_path / 'cache'}"
    recipe.write_text(f"data: {{{section}}}\n", encoding="utf-8")
    assert main(["data", "check", "--config", str(recipe), "--json", "-", "--progress", "off"]) == 0
    report = DataReport.model_validate_json(capsys.readouterr().out)
    assert (report.num_train, report.num_valid, report.captions.num_with, report.verdict) == (24, 8, 24, "ready")
    assert report.suggestion is not None
    assert report.suggestion.command[:4] == ("ul-train", "stage1", "--data", "scenes")


def test_scenes_in_motion_are_told_as_clips(tmp_path: Path, capsys: Captured) -> None:
    recipe = tmp_path / "recipe.yaml"
    frames = "num_frames: 8, fps: 10, motions: [orbit]"
    section = f"kind: scenes, size_px: 16, num_train: 4, num_valid: 2, {frames}, cache: {tmp_path / 'cache'}"
    recipe.write_text(f"data: {{{section}}}\n", encoding="utf-8")
    sheet = tmp_path / "sheet.png"
    words = ["data", "check", "--config", str(recipe), "--json", "-", "--progress", "off", "--sheet", str(sheet)]
    assert main(words) == 0
    assert sheet.is_file()
    suggestion = DataReport.model_validate_json(capsys.readouterr().out).suggestion
    assert suggestion is not None
    assert suggestion.preset == "motion-64"
    few = ("--set", "validation.num_images=2")
    config = stage1_config(parser().parse_args([*suggestion.command[1:], *few]))
    assert (config.data.num_frames, config.model.num_frames) == (8, 8)
    assert (config.data.fps, config.model.video.fps) == (10.0, 10.0)
    assert config.data.motions == ("orbit",)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "name what to check"),
        (("missing-folder",), "no such file or folder"),
        (("{pictures}", "--size-px", "3"), "size_px: Input should be greater than or equal to 8"),
        (("{pictures}", "--fit", "stretch"), "fit: Input should be 'crop', 'pad' or 'buckets'"),
        (("{pictures}", "--clips", "--fit", "pad"), "fit: is no setting of this kind of data"),
        (("{pictures}", "--json", "missing-folder/report.json"), "report.json: the folder is gone"),
    ],
)
def test_mistakes_are_explained(words: tuple[str, ...], message: str, pictures: Path, capsys: Captured) -> None:
    assert main(["data", "check", *(word.format(pictures=pictures) for word in words)]) == 1
    assert message in capsys.readouterr().err


def test_the_command_that_is_told_can_be_given(pictures: Path, capsys: Captured) -> None:
    assert main(["data", "check", str(pictures), "--json", "-", "--flip"]) == 0
    suggestion = DataReport.model_validate_json(capsys.readouterr().out).suggestion
    assert suggestion is not None
    arguments = parser().parse_args(suggestion.command[1:])
    assert (arguments.data, arguments.preset, arguments.size_px) == (str(pictures), "tiny", suggestion.size_px)
    assert arguments.set == ["data.flip=true"]


def test_only_the_sheet_for_other_settings_of_known_data(pictures: Path, tmp_path: Path, capsys: Captured) -> None:
    whole, alone, other = (tmp_path / f"{name}.png" for name in ("whole", "alone", "other"))
    assert main(["data", "check", str(pictures), "--size-px", "24", "--sheet", str(whole)]) == 0
    capsys.readouterr()
    assert main(["data", "sheet", str(pictures), "--size-px", "24", "--out", str(alone), "--progress", "json"]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{alone}\n"
    assert "reading files" not in captured.err
    assert alone.read_bytes() == whole.read_bytes()
    assert main(["data", "sheet", str(pictures), "--size-px", "16", "--flip", "--out", str(other)]) == 0
    assert other.read_bytes() != alone.read_bytes()


def test_the_report_says_which_graphics_card_its_suggestion_is_for(pictures: Path, tmp_path: Path) -> None:
    from trainer.data.check.checking import check_data

    data = PicturesData(path=str(pictures), size_px=24)
    for device_bytes in (None, 24 * 10**9):
        found = check_data(data, observe=lambda *_: None, num_processes=1, device_bytes=device_bytes)
        assert found.device_bytes == device_bytes
