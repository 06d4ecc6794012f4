"""The check on real files: every kind of problem is found, told and weighed."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.helpers.clips import encode, marked
from tests.helpers.picture_sets import encoded, two_classes, write_folder, write_tar, write_zip
from trainer.config import ClipsData, PicturesData
from trainer.data.check.checking import check_data
from trainer.data.check.report import DataReport, Level, Problem, ProblemKind, Verdict
from trainer.data.check.text import WIDTH, report_text
from ul_engine.errors import DataError

PICTURES = {"size_px": 24, "fit": "crop"}


def silent(_doing: str, _done: int, _total: int) -> None:
    """Nobody watches."""


def scene(number: int, width: int = 48, height: int = 36) -> Image.Image:
    """A picture of large soft shapes, another for every number."""
    small = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def good(count: int = 12) -> dict[str, bytes]:
    """Pictures of two classes that nothing is wrong with but that they are few."""
    return {f"{'ab'[number % 2]}/{number:02d}.png": encoded(scene(number)) for number in range(count)}


def checked(root: Path, files: dict[str, bytes], **settings: Any) -> DataReport:
    return check_data(PicturesData(path=str(write_folder(root, files)), **(PICTURES | settings)), observe=silent)


def problem(report: DataReport, kind: ProblemKind) -> Problem:
    found = report.of_kind(kind)
    assert found is not None, f"{kind} was not found"
    assert found.what.endswith(".")
    return found


def names(found: Problem) -> list[str]:
    return [file.name for file in found.files]


def test_good_pictures_have_no_other_fault_than_to_be_few(tmp_path: Path) -> None:
    report = checked(tmp_path, good())
    assert [each.kind for each in report.problems] == [ProblemKind.TOO_FEW, ProblemKind.CUT_OFF]
    assert report.verdict is Verdict.USABLE
    assert (report.num_train, report.num_valid) == (10, 2)
    assert report.files is not None
    assert report.sizes is not None
    assert (report.files.num_files, report.files.num_readable, report.files.num_used) == (12, 12, 12)
    assert [(each.name, each.count) for each in report.files.formats] == [("PNG", 12)]
    assert (report.sizes.shorter_px.median, report.sizes.longer_px.greatest) == (36, 48)
    assert {bar.label: bar.count for bar in report.sizes.aspects if bar.count} == {"4:3": 12}
    assert {bar.label: bar.count for bar in report.sizes.shorter if bar.count} == {"32 - 63": 12}
    assert [(each.name, each.count) for each in report.classes.counts] == [("a", 6), ("b", 6)]
    assert report.classes.imbalance == 1


def test_files_that_cannot_be_read_block_a_run(tmp_path: Path) -> None:
    whole = encoded(scene(1, 200, 200), "JPEG")
    broken = {"a/half.jpg": whole[: len(whole) // 2], "a/none.jpg": b"", "b/words.png": b"no picture"}
    found = problem(report := checked(tmp_path, good() | broken), ProblemKind.UNREADABLE)
    assert (found.level, found.count, names(found)) == (Level.BLOCKS, 3, sorted(broken))
    assert all(file.note and str(tmp_path) not in file.note for file in found.files)
    assert report.verdict is Verdict.BLOCKED
    assert report.files is not None
    assert report.files.num_readable == 12


def test_copies_are_found_in_bytes_and_in_looks_and_across_classes(tmp_path: Path) -> None:
    files = good()
    files["a/again.png"] = files["a/00.png"]
    files["b/other.png"] = files["a/02.png"]
    files["a/small.jpg"] = encoded(scene(4).resize((40, 30)), "JPEG", quality=70)
    report = checked(tmp_path, files)
    exact, near = problem(report, ProblemKind.EXACT_DUPLICATES), problem(report, ProblemKind.NEAR_DUPLICATES)
    assert exact.groups == (("a/00.png", "a/again.png"), ("a/02.png", "b/other.png"))
    assert near.groups == (("a/04.png", "a/small.jpg"),)
    assert problem(report, ProblemKind.SEVERAL_CLASSES).groups == (("a/02.png", "b/other.png"),)


def test_small_pictures_are_told_or_left_out(tmp_path: Path) -> None:
    files = good() | {"a/small.png": encoded(scene(50, 20, 22)), "b/tiny.png": encoded(scene(51, 9, 9))}
    report = checked(tmp_path, files)
    found = problem(report, ProblemKind.ENLARGED)
    assert [(file.name, file.note) for file in found.files] == [("a/small.png", "20 x 22"), ("b/tiny.png", "9 x 9")]
    assert "min_px=24" in found.remedy
    report = checked(tmp_path, files, min_px=24)
    assert report.of_kind(ProblemKind.ENLARGED) is None
    assert names(problem(report, ProblemKind.LEFT_OUT)) == ["a/small.png", "b/tiny.png"]
    assert report.num_train + report.num_valid == 12


def test_size_and_fit_are_chosen_where_they_are_not_set(tmp_path: Path) -> None:
    files = {f"{number}.png": encoded(scene(number, 300, 70)) for number in range(6)}
    report = check_data(PicturesData(path=str(write_folder(tmp_path, files))), observe=silent)
    assert isinstance(report.data, PicturesData)
    assert (report.data.size_px, report.data.fit, report.data.bucket_step_px) == (64, "buckets", 8)
    assert report.suggestion is not None
    assert "--size-px 64" in " ".join(report.suggestion.command)
    assert "data.fit=buckets" in report.suggestion.command
    assert "57 %" in problem(report, ProblemKind.CUT_OFF).what  # of 30:7, where the widest shape is 11:6
    found = problem(checked(tmp_path, {}), ProblemKind.CUT_OFF)
    assert found.level is Level.WARNS
    assert "77 %" in found.what


def test_odd_files_are_told(tmp_path: Path) -> None:
    moving = encoded(scene(60), "WEBP", save_all=True, append_images=[scene(61), scene(62)])
    odd = {"a/moving.webp": moving, "b/jpeg.png": encoded(scene(63), "JPEG"), "read me.md": b"", "b/list.json5": b"{}"}
    report = checked(tmp_path, good() | odd)
    assert [(file.name, file.note) for file in problem(report, ProblemKind.MOVING).files] == [
        ("a/moving.webp", "3 pictures")
    ]
    assert [(file.name, file.note) for file in problem(report, ProblemKind.MISNAMED).files] == [
        ("b/jpeg.png", "is JPEG")
    ]
    assert names(problem(report, ProblemKind.IGNORED)) == ["b/list.json5", "read me.md"]


@pytest.mark.parametrize(
    "picture",
    [scene(70).convert("CMYK"), scene(70).convert("RGBA"), scene(70).convert("L"), scene(70).convert("P")],
    ids=["CMYK", "alpha", "grey", "palette"],
)
def test_all_kinds_of_colour_can_be_read(picture: Image.Image, tmp_path: Path) -> None:
    kind = "TIFF" if picture.mode == "CMYK" else "PNG"
    report = checked(tmp_path, good() | {f"a/kind.{kind.lower()}": encoded(picture, kind)})
    assert report.of_kind(ProblemKind.UNREADABLE) is None
    assert report.files is not None
    assert report.files.num_used == 13


def test_classes_of_very_different_size(tmp_path: Path) -> None:
    files = {f"many/{number}.png": encoded(scene(number)) for number in range(20)} | {"one/x.png": encoded(scene(99))}
    report = checked(tmp_path, files)
    assert "20" in problem(report, ProblemKind.IMBALANCE).what
    assert report.classes.imbalance == 20


def test_captions_are_counted_and_missing_and_broken_ones_named(tmp_path: Path) -> None:
    files = two_classes(12)
    report = checked(tmp_path, files)
    assert (report.captions.num_with, report.captions.num_missing, report.captions.longest_words) == (12, 0, 3)
    assert report.captions.num_words == 14
    assert {each.name: each.count for each in report.captions.frequent}["picture"] == 12
    assert report.of_kind(ProblemKind.IGNORED) is None
    (tmp_path / "cat/00.txt").unlink()
    (tmp_path / "dog/01.txt").write_bytes(b"caf\xe9")
    report = checked(tmp_path, {})
    assert "cat/00.png" in names(problem(report, ProblemKind.MISSING_CAPTIONS))
    assert names(problem(report, ProblemKind.WORDS)) == ["dog/01.txt"]
    assert report.verdict is Verdict.BLOCKED
    assert checked(tmp_path, {}, captions="none").of_kind(ProblemKind.WORDS) is None


def test_a_broken_table_of_captions_is_a_problem_of_the_report(tmp_path: Path) -> None:
    report = checked(tmp_path, good() | {"captions.csv": b"one,two\n1,2\n"})
    assert "captions.csv" in problem(report, ProblemKind.WORDS).files[0].name
    assert report.verdict is Verdict.BLOCKED


def test_nothing_of_the_wanted_kind(tmp_path: Path) -> None:
    report = checked(tmp_path, {"a.txt": b"x", "b.csv": b"y"})
    assert "2 files of other kinds" in problem(report, ProblemKind.EMPTY).what
    assert report.verdict is Verdict.BLOCKED
    assert report.suggestion is None
    assert problem(checked(tmp_path, good(3)), ProblemKind.TOO_FEW).level is Level.BLOCKS
    with pytest.raises(DataError, match="no such file"):
        check_data(PicturesData(path=str(tmp_path / "missing")), observe=silent)


def test_archives_and_processes_change_nothing(tmp_path: Path) -> None:
    files = good() | {"a/none.jpg": b"", "a/again.png": good()["a/00.png"]}
    places = [
        write_folder(tmp_path / "f", files),
        write_zip(tmp_path / "z.zip", files),
        write_tar(tmp_path / "t.tar", files),
    ]
    reports = [
        check_data(PicturesData(path=str(place), **PICTURES), observe=silent, num_processes=count)
        for place, count in zip(places, (1, 2, 2), strict=True)
    ]
    ours = [report.model_dump(exclude={"data", "elapsed_s", "num_processes", "suggestion"}) for report in reports]
    assert ours[0] == ours[1] == ours[2]


def test_progress_counts_every_file_and_can_stop_the_check(tmp_path: Path) -> None:
    data = PicturesData(path=str(write_folder(tmp_path, good(70))), **PICTURES)
    news: list[tuple[str, int, int]] = []
    check_data(data, observe=lambda *each: news.append(each))
    reading = [(done, total) for doing, done, total in news if doing == "reading files"]
    assert (reading[0], reading[-1]) == ((0, 70), (70, 70))

    def stop(doing: str, done: int, _total: int) -> None:
        if doing == "reading files" and done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_data(data, observe=stop, num_processes=2)


def test_videos(tmp_path: Path) -> None:
    for number, count in enumerate((20, 24, 30, 40)):
        encode(tmp_path / f"{number}.mp4", marked(count), fps=10)
    encode(tmp_path / "short.mp4", marked(6), fps=10)
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    data = ClipsData(path=str(tmp_path), size_px=16, num_frames=8, frame_stride=2)
    report = check_data(data, observe=silent)
    assert names(problem(report, ProblemKind.UNREADABLE)) == ["broken.mp4"]
    found = problem(report, ProblemKind.SHORT_CLIPS)
    assert [(file.name, file.note) for file in found.files] == [("short.mp4", "3 frames")]
    assert report.clips is not None
    assert (report.clips.num_frames.least, report.clips.num_frames.greatest, report.clips.num_long_enough) == (6, 40, 4)
    assert report.clips.total_s == pytest.approx(12.0)
    assert report.num_train + report.num_valid == 4
    assert "with a stride of 2." in found.what
    data = data.model_copy(update={"num_frames": 100})
    assert problem(check_data(data, observe=silent), ProblemKind.SHORT_CLIPS).level is Level.BLOCKS


def test_a_report_survives_json_and_fits_a_terminal(tmp_path: Path) -> None:
    report = checked(tmp_path, two_classes(12) | {"cat/none.jpg": b""})
    assert DataReport.model_validate_json(report.model_dump_json()) == report
    text = report_text(report)
    assert all(len(line) <= WIDTH + 20 for line in text.splitlines() if "ul-train" not in line)
    assert all(line == line.rstrip() for line in text.splitlines())
    assert "cat/none.jpg: is empty" in text


def test_the_window_can_read_reports_without_torch() -> None:
    program = "import sys, trainer.data.check.report, trainer.data.check.text; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
    program = "import sys, trainer.data.check.scan; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"  # processes that read files start quickly
