"""The page of an evaluation: whole in itself, the worst first, true figures beside true pictures, bounded in size."""

import base64
import io
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.engine.evaluation.tasks import MakeTask
from tests.engine.evaluation.test_interrupted import stopped_after
from tests.helpers.tiny import save_tiny, simple_pictures
from tests.helpers.tiny_clips import clip_config
from ul_engine.data.image_files import write_picture
from ul_engine.evaluation import evaluate, page, thumbnails
from ul_engine.evaluation.thumbnails import Thumbnails, strip
from ul_engine.outputs import write_clip


class Page(HTMLParser):
    """What a browser would make of it: headings, figures and pictures of samples, everything it refers to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.names: list[str] = []
        self.figures: list[dict[str, str]] = []
        self.pictures: list[bytes] = []
        self.references: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self._term = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "img"):
            self._open.append(tag)
        if tag == "article":
            self.figures.append({})
        for name, value in attrs:
            if name in ("src", "href", "data", "action"):
                self.references.append(str(value)[:30])
        if tag == "img":
            assert dict(attrs)["alt"]
            self.pictures.append(base64.b64decode(str(dict(attrs)["src"]).partition(",")[2]))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        where = self._open[-1] if self._open else ""
        if where == "h3":
            self.names.append(data)
        elif where == "dt":
            self._term = data
        elif where == "dd":
            self.figures[-1][self._term] = data


@pytest.fixture
def names(pictures: Path) -> list[str]:
    return sorted(path.relative_to(pictures).as_posix() for path in pictures.rglob("*.png"))


def test_the_worst_first_with_figures_and_pictures(
    task: MakeTask, pictures: Path, tmp_path: Path, names: list[str]
) -> None:
    found = evaluate(task(pictures, "psnr,ssim,bits", batch_size=4), tmp_path / "out")
    shown = Page(tmp_path / "out" / "report.html")
    by_psnr = sorted(found.rows, key=lambda row: row["psnr_db"])
    assert shown.names == [row["file"] for row in by_psnr]
    assert sorted(shown.names) == names
    for row, figures, picture in zip(by_psnr, shown.figures, shown.pictures, strict=True):
        assert figures["PSNR"] == f"{row['psnr_db']:.2f} dB"
        assert set(figures) == {
            "PSNR",
            "SSIM",
            "Bits per pixel, prior (bound)",
            "Bits per pixel, base model (bound)",
        }
        with Image.open(io.BytesIO(picture)) as image:
            assert image.size == (3 * 192 + 8, 192)
            left = np.asarray(image)[:, :192].astype(int)
        with Image.open(pictures / row["file"]) as original:
            wanted = np.asarray(original.resize((192, 192), Image.Resampling.NEAREST)).astype(int)
        assert np.abs(left - wanted).mean() < 6
    assert "upper bound on the information" in shown.text


def test_it_refers_to_nothing_outside(task: MakeTask, pictures: Path, tmp_path: Path) -> None:
    evaluate(task(pictures, "psnr"), tmp_path / "out")
    shown = Page(tmp_path / "out" / "report.html")
    assert shown.references
    assert all(reference.startswith("data:image/jpeg;base64,") for reference in shown.references)
    assert "url(" not in (tmp_path / "out" / "report.html").read_text()
    assert "http" not in (tmp_path / "out" / "report.html").read_text()


def test_names_are_text_and_never_markup(task: MakeTask, tmp_path: Path) -> None:
    write_picture(tmp_path / "data" / '<b>&"x.png', simple_pictures(1)[0])
    write_picture(tmp_path / "data" / "b.png", simple_pictures(2)[1])
    (tmp_path / "data" / "<i>.png").write_text("broken")
    evaluate(task(tmp_path / "data", "psnr", skip_broken=True), tmp_path / "out")
    shown = Page(tmp_path / "out" / "report.html")
    assert '<b>&"x.png' in shown.names
    assert "<i>.png: " in shown.text


def test_a_run_that_was_stopped_ends_with_the_same_page(task: MakeTask, pictures: Path, tmp_path: Path) -> None:
    asked = task(pictures, "psnr", batch_size=2)
    evaluate(asked, tmp_path / "whole")
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            evaluate(asked, tmp_path / "parts", observe=stopped_after(1))
    evaluate(asked, tmp_path / "parts")
    first, second = ((tmp_path / name / "report.html").read_bytes() for name in ("whole", "parts"))
    assert first == second
    evaluate(asked, tmp_path / "parts", restart=True)
    assert (tmp_path / "parts" / "report.html").read_bytes() == first


def test_only_so_many_pictures_are_kept(
    task: MakeTask, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (thumbnails, page):
        monkeypatch.setattr(module, "NUM_KEPT", 2)
    found = evaluate(task(pictures, "psnr", batch_size=1), tmp_path / "out")
    shown = Page(tmp_path / "out" / "report.html")
    worst = sorted(found.rows, key=lambda row: row["psnr_db"])[:2]
    assert shown.names == [row["file"] for row in worst]
    assert len(shown.pictures) == 2
    assert "2 of 6 samples" in shown.text
    kept = {int(path.stem) for path in (tmp_path / "out" / "thumbnails").iterdir()}
    assert kept == {row["index"] for row in worst}


def test_bits_alone_have_no_pictures(task: MakeTask, pictures: Path, tmp_path: Path) -> None:
    evaluate(task(pictures, "bits"), tmp_path / "out")
    shown = Page(tmp_path / "out" / "report.html")
    assert len(shown.names) == 6
    assert shown.pictures == []
    assert "From left to right" not in shown.text


def test_clips_show_the_frame_that_differs_most(task: MakeTask, tmp_path: Path) -> None:
    save_tiny(tmp_path / "model", clip_config(2))
    (tmp_path / "data").mkdir()
    write_clip(tmp_path / "data" / "a.mkv", simple_pictures(8), 8)
    found = evaluate(task(tmp_path / "data", "psnr,frame-psnr,flicker", folder=tmp_path / "model"), tmp_path / "out")
    shown = Page(tmp_path / "out" / "report.html")
    assert len(shown.pictures) == len(found.rows)
    assert shown.names[0].startswith("a.mkv, from frame ")
    original = np.zeros((3, 8, 8, 3), np.uint8)
    decode = original.copy()
    decode[1] = 32
    with Image.open(io.BytesIO(strip(original, decode))) as image:
        pixels = np.asarray(image)
    assert np.abs(pixels[:, 200:380].astype(int) - 32).max() <= 2
    assert np.abs(pixels[:, -192:].astype(int) - 128).max() <= 2


def test_large_pictures_are_made_small() -> None:
    picture = np.zeros((1, 300, 500, 3), np.uint8)
    with Image.open(io.BytesIO(strip(picture, picture))) as image:
        assert image.size == (3 * 192 + 8, 115)


def test_samples_without_the_figure_are_passed_over(task: MakeTask, pictures: Path, tmp_path: Path) -> None:
    found = evaluate(task(pictures, "psnr"), tmp_path / "out")
    kept = Thumbnails(tmp_path / "kept", found.plan)
    picture = [simple_pictures(1)]
    kept.offer([], [{"index": 3, "psnr_db": None}], picture, picture)
    assert kept.of(3) is None
    kept.offer([], [{"index": 4, "psnr_db": "inf"}], picture, picture)
    assert kept.of(4) is not None
