"""The real window drives the real engine: typed prompt, real model, pictures on the disk."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from PIL import Image

from tests.helpers.tiny import WORDS, text_conditioning, tiny_config
from ul_engine.checkpoint import save_model
from ul_engine.config import VideoConfig
from ul_engine.media.reading import probe
from ul_engine.metadata import read_request
from ul_engine.model_folder import Manifest, PromptGrammar, PromptSlot
from ul_engine.models.unified import UnifiedLatents

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    config = tiny_config(conditioning=text_conditioning())
    grammar = PromptGrammar(
        templates=("a {color} {shape} on a floor",),
        slots=(
            PromptSlot(name="color", words=("red", "green", "blue")),
            PromptSlot(name="shape", words=("cube", "sphere")),
        ),
        examples=("a red cube on a floor",),
    )
    assert {word for example in grammar.examples for word in example.split()} <= set(WORDS)
    save_model(folder, UnifiedLatents(config), Manifest(model=config, prompt_grammar=grammar), card="# Tiny")
    return folder


@pytest.fixture
def clips_beside(model: Path, tmp_path: Path) -> Path:
    """A folder of the model of pictures and one of clips."""
    root = tmp_path / "models"
    shutil.copytree(model, root / "tiny")
    video = VideoConfig(num_frames=4, temporal_downsampling=2, fps=8.0)
    config = tiny_config(name="Tiny clips", conditioning=text_conditioning(), video=video)
    grammar = PromptGrammar(examples=("a blue cube",))
    manifest = Manifest(model=config, prompt_grammar=grammar)
    save_model(root / "tiny-clips", UnifiedLatents(config), manifest, card="# Tiny clips")
    return root


def smoke(folder: Path, model: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app.main", "--smoke", str(folder), "--model", str(model), *more],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_window_makes_pictures_by_itself(model: Path, tmp_path: Path) -> None:
    result = smoke(tmp_path / "out", model)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stderr == ""
    pictures = sorted((tmp_path / "out").glob("????-??-??/*.png"))
    assert len(pictures) == 4
    assert all(str(path) in result.stdout for path in pictures)
    requests = [read_request(path).request for path in pictures]
    assert {request.prompt for request in requests} == {"a red cube on a floor"}
    assert len({request.seed for request in requests}) == 4
    for name in ("dark", "light"):
        with Image.open(tmp_path / "out" / f"window-{name}.png") as window:
            assert window.width >= 1280
            assert len(window.convert("RGB").getcolors(2**24) or ()) > 50
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(model) in " ".join(p.info["cmdline"] or ())]


def test_a_model_of_clips_beside_it_makes_one(clips_beside: Path, tmp_path: Path) -> None:
    result = smoke(tmp_path / "out", clips_beside / "tiny")
    assert result.returncode == 0, result.stdout + result.stderr
    assert len(list((tmp_path / "out").glob("????-??-??/*.png"))) == 4
    (clip,) = (tmp_path / "out").glob("????-??-??/*.mp4")
    assert str(clip) in result.stdout
    assert read_request(clip).request.prompt == "a blue cube"
    assert probe(clip).num_frames == 4


def test_a_clip_that_fails_is_told(clips_beside: Path, tmp_path: Path) -> None:
    weights = clips_beside / "tiny-clips" / "base.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    result = smoke(tmp_path / "out", clips_beside / "tiny")
    assert result.returncode == 1
    assert "Failed: Tiny clips made no clip." in result.stdout


def test_a_run_that_takes_too_long_says_so(model: Path, tmp_path: Path) -> None:
    result = smoke(tmp_path / "out", model, "--smoke-timeout", "0.01")
    assert result.returncode == 1
    assert "Failed: " in result.stdout


def test_a_model_without_its_weights_is_explained(model: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_bytes((model / "config.json").read_bytes())
    result = smoke(tmp_path / "out", broken)
    assert result.returncode == 1
    assert "error: The model cannot be used." in result.stdout
