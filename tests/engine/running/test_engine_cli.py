"""``ul-engine``: pictures and figures on the disk, hashes checked, and every problem explained in one line."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers.tiny import save_tiny, simple_pictures, text_conditioning, tiny_config
from ul_engine.assets import assets_dir
from ul_engine.cli import main
from ul_engine.data.image_files import read_picture, write_picture
from ul_engine.metadata import read_request
from ul_engine.model_folder import read_manifest, user_models_dir

FAST = ["--base-steps", "2", "--decoder-steps", "3", "--device", "cpu"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save_tiny(folder, tiny_config(conditioning=text_conditioning()))
    return folder


@pytest.fixture(autouse=True)
def no_outputs_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UL_STUDIO_OUTPUTS", str(tmp_path / "default outputs"))


def pictures_in(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.png"))


def test_generate(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    arguments = ["generate", "a red cube", "--model", str(model), "-n", "3", "--seed", "7", "--out", str(out), *FAST]
    assert main([*arguments, "--width", "20", "--guidance", "3", "--sampler", "ddim"]) == 0
    printed = capsys.readouterr().out.split()
    files = pictures_in(out)
    assert sorted(printed) == [str(file) for file in files]
    assert len(files) == 3
    for index, file in enumerate(files):
        with Image.open(file) as picture:
            assert picture.size == (20, 16)
        request = read_request(file).request
        assert (request.prompt, request.seed, request.num_images) == ("a red cube", 7 + index, 1)
        assert request.sampling.base.num_steps == 2
        assert request.sampling.decoder.num_steps == 3
        assert request.sampling.guidance.weight == 3
        assert {request.sampling.base.name, request.sampling.decoder.name} == {"ddim"}


def test_default_place_and_preset(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "--model", str(model), "--preset", "preview", "--device", "cpu"]) == 0
    (file,) = pictures_in(tmp_path / "default outputs")
    assert read_request(file).request.sampling.decoder.num_steps == 8
    assert str(file) in capsys.readouterr().out


def test_unknown_words_are_mentioned(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["generate", "a mauve cube", "--model", str(model), "--out", str(tmp_path), *FAST])
    assert "never shown 'mauve'" in capsys.readouterr().err


def test_a_request_file_makes_the_same_picture(model: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    assert main(["generate", "a red cube", "--model", str(model), "--seed", "3", "--out", str(first), *FAST]) == 0
    (picture,) = pictures_in(first)
    data = read_request(picture).request.model_dump(mode="json") | {"model": str(model)}
    (tmp_path / "request.json").write_text(json.dumps(data))
    assert main(["generate", "--request", str(tmp_path / "request.json"), "--out", str(second), "--device", "cpu"]) == 0
    again = pictures_in(second)[0]
    assert np.array_equal(read_picture(picture), read_picture(again))


# Once: a picture holds its model's name without the path, and --model, which could say where it is, is ignored.
def test_a_picture_is_made_again_from_its_own_settings(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first, second = tmp_path / "1", tmp_path / "2"
    assert main(["generate", "a red cube", "--model", str(model), "--seed", "3", "--out", str(first), *FAST]) == 0
    (picture,) = pictures_in(first)
    arguments = ["generate", "--request", str(picture), "--model", str(model), "--out", str(second), "--device", "cpu"]
    assert main(arguments) == 0
    assert np.array_equal(read_picture(picture), read_picture(pictures_in(second)[0]))


def test_reconstruct(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, picture in zip("ab", simple_pictures(2), strict=True):
        write_picture(tmp_path / f"{name}.png", picture)
    out = tmp_path / "out"
    inputs = [str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    arguments = ["reconstruct", *inputs, "--model", str(model), "--out", str(out), "--preset", "Preview"]
    assert main([*arguments, "--latent-logsnr", "5,1,7", "--device", "cpu"]) == 0
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["model"] == "Tiny"
    assert metrics["native_logsnr"] == 5.0
    assert "upper bound" in metrics["bits_are"]
    assert metrics["sampling"]["decoder"]["num_steps"] == 8
    rows = metrics["results"]
    assert [(row["input"], row["latent_logsnr"]) for row in rows] == [
        (source, level) for source in inputs for level in (5.0, 1.0, 7.0)
    ]
    assert [row["is_trained_level"] for row in rows] == [True, True, False] * 2
    for row in rows:
        assert (out / row["file"]).is_file()
        assert 0 < row["psnr_db"] < 60
        assert -1 <= row["ssim"] <= 1
        assert row["bits_per_dim"] == pytest.approx(row["bits_per_pixel"] * 256 / 64)
    assert np.array_equal(read_picture(out / "00-a-original.png"), simple_pictures(2)[0])
    assert np.array_equal(read_picture(out / "01-b-original.png"), simple_pictures(2)[1])
    printed = capsys.readouterr().out
    assert printed.count("bits/pixel") == 6
    assert printed.count("untrained") == 2


def test_figures_that_do_not_exist_are_null(model: Path, tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", simple_pictures(1)[0][:6, :6])
    out = tmp_path / "out"
    assert (
        main(["reconstruct", str(tmp_path / "a.png"), "--model", str(model), "--out", str(out), "--preset", "preview"])
        == 0
    )
    (row,) = json.loads((out / "metrics.json").read_text())["results"]
    assert row["ssim"] is None
    assert row["psnr_db"] > 0


def test_verify_finds_a_flipped_bit(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_tiny(tmp_path / "m")
    (tmp_path / "m" / "weights.bin").write_bytes(b"a pickle")
    assert main(["models", "verify", str(tmp_path / "m")]) == 0
    printed = capsys.readouterr().out
    assert "every file as published" in printed
    assert "weights.bin belongs to no model" in printed
    path = tmp_path / "m" / "encoder.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 0x80
    path.write_bytes(content)
    assert main(["models", "verify", str(tmp_path / "m")]) == 1
    error = capsys.readouterr().err
    assert "encoder.safetensors" in error
    assert "SHA-256" in error


@pytest.fixture
def own_models(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the person's models, with one in it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "data"))
    shutil.copytree(model, user_models_dir() / "mine")
    return user_models_dir()


def test_listing_models(own_models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundled = sorted(folder.name for folder in (assets_dir() / "models").iterdir() if folder.is_dir())
    assert main(["models"]) == 0
    printed = capsys.readouterr().out
    assert "mine: Tiny, 16 px, text condition, can generate and reconstruct, 0.2 M parameters" in printed
    assert f"yours, {own_models / 'mine'}" in printed
    assert "scenes: Scenes, 64 px, text condition" in printed
    for words in (["models", "--json"], ["models", "list", "--json"], ["models", "--json", "list"]):
        assert main(words) == 0
        listed = json.loads(capsys.readouterr().out)
        assert [entry["folder"] for entry in listed] == [*bundled, "mine"]
    (own_models / "broken").mkdir()
    (own_models / "broken" / "config.json").write_text("{")
    assert main(["models", "list"]) == 1
    assert "broken: cannot be used" in capsys.readouterr().out


def test_all_that_a_model_says(own_models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (own_models / "mine" / "weights.bin").write_bytes(b"a pickle")
    assert main(["models", "info", "mine"]) == 0
    printed = capsys.readouterr().out
    manifest = read_manifest(own_models / "mine")
    for network in manifest.networks.values():
        assert network.sha256 in printed
        assert f"{network.num_parameters:,} parameters" in printed
    assert str(own_models / "mine") in printed
    assert "never read: weights.bin" in printed
    assert main(["models", "info", "scenes", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert 20 < found["manifest"]["calibration"]["psnr_db"] < 40
    assert (found["is_bundled"], found["image_px"], len(found["networks"])) == (True, 64, 4)


def test_importing_and_removing(
    own_models: Path, model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "import", str(model), "--name", "second"]) == 0
    assert str(own_models / "second") in capsys.readouterr().out
    assert main(["models", "import", str(model), "--name", "second"]) == 1
    assert "--replace" in capsys.readouterr().err
    assert main(["models", "remove", "second"]) == 1
    assert "--yes" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    for answer, is_there in (("n", True), ("", True), ("y", False)):
        monkeypatch.setattr("builtins.input", lambda question, answer=answer: answer)
        assert main(["models", "remove", "second"]) == 0
        assert (own_models / "second").exists() == is_there
    assert main(["models", "remove", "mine", "--yes"]) == 0
    assert list(own_models.iterdir()) == []
    assert main(["models", "remove", "scenes", "--yes"]) == 1
    assert "comes with the program" in capsys.readouterr().err


def test_an_unfinished_download_is_listed_and_removed(own_models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begun = own_models / ".downloads" / "some--model"
    begun.mkdir(parents=True)
    (begun / "base.safetensors.partial").write_bytes(bytes(2000))
    assert main(["models"]) == 0
    assert "unfinished: some/model, 2 kB so far" in capsys.readouterr().out
    assert main(["models", "remove", "some/model", "--yes"]) == 0
    assert not begun.exists()


PROBLEMS = {
    "no such model": (["generate", "--model", "nowhere"], "there are: "),
    "bad preset": (["generate", "--model", "MODEL", "--preset", "Best"], "it has Preview, Balanced, Paper"),
    "too many steps": (["generate", "--model", "MODEL", "--base-steps", "5000"], "base.num_steps"),
    "no pictures": (["generate", "--model", "MODEL", "-n", "0"], "num_images"),
    "too small": (["generate", "--model", "MODEL", "--width", "3"], "width_px"),
    "negative guidance": (["generate", "--model", "MODEL", "--guidance", "-1"], "guidance.weight"),
    "class": (["generate", "--model", "MODEL", "--class-label", "1"], "takes no class"),
    "no device": (["generate", "--model", "MODEL", "--device", "toaster"], "is no device"),
    "no CUDA": (["generate", "--model", "MODEL", "--device", "cuda:99"], "CUDA devices"),
    "no request": (["generate", "--request", "absent.json"], "absent.json"),
    "picture without settings": (["generate", "--request", "PICTURE"], "no settings"),
    "no input": (["reconstruct", "absent.png", "--model", "MODEL", "--out", "out"], "there is no such file"),
    "no picture": (["reconstruct", "TEXT", "--model", "MODEL", "--out", "out"], "no picture"),
    "bad ladder": (["reconstruct", "PICTURE", "--model", "MODEL", "--out", "out", "--latent-logsnr", "5,x"], "numbers"),
    "infinite ladder": (
        ["reconstruct", "PICTURE", "--model", "MODEL", "--out", "out", "--latent-logsnr", "inf"],
        "finite",
    ),
    "below the ladder": (
        ["reconstruct", "PICTURE", "--model", "MODEL", "--out", "out", "--latent-logsnr=-30"],
        "below",
    ),
    "out is a file": (["reconstruct", "PICTURE", "--model", "MODEL", "--out", "TEXT"], "cannot be written"),
    "verify nothing": (["models", "verify", "nowhere"], "no model is named so"),
    # Once: this one ends in torch's RuntimeError with a traceback.
    "negative threads": (["generate", "--model", "MODEL", "--threads", "-1"], "threads"),
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_problems_are_one_line_without_a_traceback(
    problem: str, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_picture(tmp_path / "plain.png", simple_pictures(1)[0])
    (tmp_path / "text.txt").write_text("text")
    places = {"MODEL": str(model), "PICTURE": "plain.png", "TEXT": "text.txt"}
    words, reason = PROBLEMS[problem]
    assert main([places.get(word, word) for word in words]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("ul-engine: ")
    assert captured.err.count("\n") == 1
    assert reason in captured.err
    assert not pictures_in(tmp_path / "default outputs")


def test_wrong_words_show_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["paint"], ["generate", "--sampler", "heun"]):
        with pytest.raises(SystemExit) as caught:
            main(words)
        assert caught.value.code == 2
        assert "usage" in capsys.readouterr().err


def test_interrupting(model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ul_engine.cli.generate.run_generate", interrupt)
    assert main(["generate", "--model", str(model), *FAST]) == 130
    assert capsys.readouterr().err == "ul-engine: stopped\n"
