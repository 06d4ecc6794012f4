"""The training of the small feature network: damage of known strength, photographs from a zip, a step, a table."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from trainer.features.__main__ import main
from trainer.features.damage import as_bytes, blurred, compressed, noised, randomly_damaged
from trainer.features.pictures import MARGIN_PX, SIZE_PX, cropped, read_clothes
from trainer.features.table import Row, as_markdown
from ul_engine.errors import DataError
from ul_engine.metrics.features.small import load_small_features


def textured(num: int = 2) -> Tensor:
    return torch.rand(num, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 255.0


def test_blur_keeps_flat_pictures_and_spreads_a_point_by_its_sigma() -> None:
    flat = torch.full((2, 3, 64, 64), 77.0)
    torch.testing.assert_close(blurred(flat, torch.tensor([0.0, 3.0])), flat)
    point = torch.zeros(1, 3, 64, 64)
    point[:, :, 32, 32] = 1.0
    spread = blurred(point, torch.tensor([2.0]))[0, 0]
    place = torch.arange(64.0) - 32.0
    assert float(spread.sum()) == pytest.approx(1.0, abs=1e-5)
    assert float((spread.sum(0) * place.square()).sum()) == pytest.approx(4.0, rel=1e-3)
    torch.testing.assert_close(blurred(point, torch.tensor([0.0])), point)


def test_noise_has_its_deviation() -> None:
    noisy = noised(torch.zeros(2, 3, 64, 64), torch.tensor([0.0, 20.0]), torch.Generator().manual_seed(0))
    assert not noisy[0].any()
    assert float(noisy[1].std()) == pytest.approx(20.0, rel=0.03)


def test_jpeg_loses_more_at_lower_quality_and_nothing_at_none() -> None:
    pictures = textured(3).round()
    found = compressed(pictures, torch.tensor([0.0, 90.0, 10.0]))
    errors = (found - pictures).abs().mean((1, 2, 3))
    assert float(errors[0]) == 0.0
    assert 0.0 < float(errors[1]) < float(errors[2])


def test_random_damage_is_a_function_of_its_generator_and_named_rightly() -> None:
    pictures = textured(64).round()
    damaged, strength = randomly_damaged(pictures, torch.Generator().manual_seed(1))
    again, _ = randomly_damaged(pictures, torch.Generator().manual_seed(1))
    assert torch.equal(damaged, again)
    is_whole = (damaged == pictures).flatten(1).all(1)
    assert torch.equal(is_whole, ~strength.any(1))
    assert bool(((strength == 0.0) | (strength >= 0.2)).all())
    assert torch.equal(as_bytes(damaged).float(), damaged)


def archive_of_two_classes(path: Path, num: int = 40) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("LICENSE", "CC0")
        for index in range(num):
            name = ("shirt", "hat")[index % 2]
            color = (200, 30, 30) if name == "shirt" else (30, 30, 200)
            stream = io.BytesIO()
            Image.fromarray(np.full((50, 40, 3), color, np.uint8)).save(stream, "JPEG")
            archive.writestr(f"train/{name}/{index}.jpg", stream.getvalue())
    return path


def test_photographs_are_split_by_name_and_labelled_by_folder(tmp_path: Path) -> None:
    training, held_out = read_clothes(archive_of_two_classes(tmp_path / "a.zip"))
    assert training.names == ("hat", "shirt")
    assert len(training.pictures) + len(held_out.pictures) == 40
    assert 2 <= len(held_out.pictures) <= 16
    assert training.pictures.shape[1:] == (3, SIZE_PX + 2 * MARGIN_PX, SIZE_PX + 2 * MARGIN_PX)
    assert held_out.pictures.shape[1:] == (3, SIZE_PX, SIZE_PX)
    for clothes in (training, held_out):
        reddish = clothes.pictures[:, 0, 0, 0] > 128
        assert torch.equal(reddish, clothes.labels == 1)
    crops = cropped(training.pictures, torch.Generator().manual_seed(0))
    assert crops.shape[1:] == (3, SIZE_PX, SIZE_PX)


def test_archives_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_text("no zip")
    with pytest.raises(DataError, match=r"a\.zip: cannot be read"):
        read_clothes(tmp_path / "a.zip")
    zipfile.ZipFile(tmp_path / "b.zip", "w").close()
    with pytest.raises(DataError, match="no photographs"):
        read_clothes(tmp_path / "b.zip")


def test_a_step_and_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = archive_of_two_classes(tmp_path / "a.zip", num=80)
    options = ["--clothes", str(archive), "--scenes", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main([*options, "--steps", "1", "--num-scenes", "12", "--num-held-out", "24"]) == 0
    assert capsys.readouterr().out.count("\n| ") >= 8
    assert load_small_features(tmp_path / "out").num_features == 128
    assert main(["--clothes", str(tmp_path / "none.zip")]) == 1
    assert "none.zip" in capsys.readouterr().err


def test_a_row_knows_whether_it_rises() -> None:
    rows = [Row("a", (1.0, 2.0), (0.5, 0.7)), Row("b", (1.0, 2.0), (0.5, 0.4))]
    assert [row.is_rising for row in rows] == [True, False]
    assert "| a | 1: **0.5**, 2: **0.7** | yes |" in as_markdown(rows)
