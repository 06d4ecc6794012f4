"""What can be measured here and what is missing, in words; and that asking loads no torch."""

import subprocess
import sys
from pathlib import Path

import pytest

from ul_engine.errors import CheckpointError, ConfigError
from ul_engine.metrics.feature_networks import NAMES, available, load_feature_network, metrics_dir
from ul_engine.metrics.features.small import SmallClipFeatures, SmallFeatures


def test_what_is_missing_is_said_with_file_and_folder(tmp_path: Path) -> None:
    entries = {entry.name: entry for entry in available(tmp_path)}
    assert tuple(entries) == NAMES
    assert entries["inception"].advice.startswith(
        "rFID, gFID, KID need weights: put pt_inception-2015-12-05-6726825d.pth or"
    )
    assert entries["i3d"].advice.startswith("FVD needs weights: put i3d_pretrained_400.pt or rgb_imagenet.pt")
    for name in ("inception", "i3d"):
        assert str(tmp_path) in entries[name].advice
        assert entries[name].found is None
        assert not entries[name].is_bundled
        with pytest.raises(CheckpointError, match="put"):
            load_feature_network(name, folder=tmp_path)


def test_what_is_there_is_found(tmp_path: Path) -> None:
    for name in ("weights-inception-2015-12-05-6726825d.pth", "rgb_imagenet.safetensors"):
        (tmp_path / name).touch()
    entries = {entry.name: entry for entry in available(tmp_path)}
    assert entries["inception"].found == tmp_path / "weights-inception-2015-12-05-6726825d.pth"
    assert entries["i3d"].found == tmp_path / "rgb_imagenet.safetensors"
    assert entries["i3d"].advice == f"found at {tmp_path / 'rgb_imagenet.safetensors'}"
    with pytest.raises(CheckpointError, match=r"rgb_imagenet\.safetensors: is truncated"):
        load_feature_network("i3d", folder=tmp_path)


def test_the_small_networks_always_load(tmp_path: Path) -> None:
    for entry in available(tmp_path):
        if entry.is_bundled:
            assert entry.found is not None
            assert entry.advice == "comes with the program"
    assert isinstance(load_feature_network("small"), SmallFeatures)
    clips = load_feature_network("small-clip")
    assert isinstance(clips, SmallClipFeatures)
    assert not clips.training


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="known are inception, i3d, small, small-clip"):
        load_feature_network("vgg")


def test_the_folder_is_the_users() -> None:
    assert metrics_dir().parts[-2:] == ("UL Studio", "metrics")
    assert str(metrics_dir()) in available()[0].advice or available()[0].found is not None


def test_asking_loads_no_torch() -> None:
    program = "import sys, ul_engine.metrics.feature_networks as f; f.available(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
