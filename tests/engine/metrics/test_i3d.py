"""The I3D of FVD with random weights: its names, sizes, padding and time, and the loading of files.

Its weights cannot be shipped; once, with random weights, the logits were compared with those of the public port for 9,
16 and 17 frames and were equal.
"""

import math
import zipfile
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tests.helpers.tiny import randomised
from ul_engine.errors import CheckpointError, ShapeError
from ul_engine.metrics.features.i3d import I3D, load_i3d, same_padding


def numbered_weights() -> dict[str, Tensor]:
    """A state dict of the right sizes whose tensors hold a number of their own; takes no room in a file."""
    with torch.device("meta"):
        network = I3D()
    shapes = {name: value.shape for name, value in network.state_dict().items() if "num_batches" not in name}
    return {name: torch.tensor(number / 8).expand(shape) for number, (name, shape) in enumerate(shapes.items())}


def test_names_and_sizes_are_those_of_the_public_port() -> None:
    with torch.device("meta"):
        network = I3D()
    state = {name: tuple(value.shape) for name, value in network.state_dict().items() if "num_batches" not in name}
    assert len(state) == 57 * 5 + 2
    known = {
        "Conv3d_1a_7x7.conv3d.weight": (64, 3, 7, 7, 7),
        "Conv3d_2c_3x3.bn.running_mean": (192,),
        "Mixed_3b.b0.conv3d.weight": (64, 192, 1, 1, 1),
        "Mixed_4b.b1b.conv3d.weight": (208, 96, 3, 3, 3),
        "Mixed_4e.b2b.bn.weight": (64,),
        "Mixed_5c.b3b.conv3d.weight": (128, 832, 1, 1, 1),
        "logits.conv3d.weight": (400, 1024, 1, 1, 1),
        "logits.conv3d.bias": (400,),
    }
    assert known.items() <= state.items()
    assert sum(parameter.numel() for parameter in network.parameters()) == 12_697_264


def test_padding_keeps_one_place_per_stride() -> None:
    for length in range(1, 40):
        for kernel, stride in ((7, 2), (3, 2), (3, 1), (2, 2), (1, 1), (1, 2)):
            before, after = same_padding(length, kernel, stride)
            assert (length + before + after - kernel) // stride + 1 == math.ceil(length / stride)
            assert after - before in (0, 1)


@torch.inference_mode()
def test_logits_are_averaged_over_time() -> None:
    network = randomised(I3D(), gain=1.4).eval()
    seen: list[Tensor] = []
    network.get_submodule("logits").register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    clips = torch.randint(256, (1, 3, 17, 8, 10), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    features = network(clips)
    assert features.shape == (1, 400)
    assert seen[0].shape == (1, 400, 2, 1, 1)
    assert float(seen[0].std()) > 0.0
    torch.testing.assert_close(features, seen[0][..., 0, 0].mean(2))


def test_clips_that_are_too_short() -> None:
    with torch.device("meta"):
        network = I3D()
    with pytest.raises(ShapeError, match="FVD needs clips of at least 9 frames; these have 8"):
        network(torch.zeros(1, 3, 8, 16, 16, dtype=torch.uint8))
    with pytest.raises(ShapeError, match="these have 1"):
        network(torch.zeros(1, 3, 16, 16, dtype=torch.uint8))


def test_a_state_dict_fits_in_either_format(tmp_path: Path) -> None:
    weights = numbered_weights()
    for is_zip in (True, False):
        torch.save(weights, tmp_path / "rgb_imagenet.pt", _use_new_zipfile_serialization=is_zip)
        loaded = load_i3d(tmp_path / "rgb_imagenet.pt")
        state = loaded.state_dict()
        assert all(torch.equal(state[name], value) for name, value in weights.items())
        assert all(not value.any() for name, value in state.items() if "num_batches" in name)
        assert not loaded.training
        assert "rgb_imagenet.pt" in loaded.remarks[0]


def test_torchscript_is_refused_and_explained(tmp_path: Path) -> None:
    file = tmp_path / "i3d_torchscript.pt"
    with zipfile.ZipFile(file, "w") as archive:  # the layout that torch.jit.save writes
        archive.writestr("i3d_torchscript/data.pkl", b"")
        archive.writestr("i3d_torchscript/code/__torch__.py", "print('run')")
        archive.writestr("i3d_torchscript/constants.pkl", b"")
    with pytest.raises(CheckpointError, match=r"TorchScript program.*state dict.*rgb_imagenet\.pt") as caught:
        load_i3d(file)
    assert caught.value.path == str(file)


def test_other_sizes_are_refused(tmp_path: Path) -> None:
    state = numbered_weights()
    torch.save(state | {"logits.conv3d.weight": torch.zeros(600, 1024, 1, 1, 1)}, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match=r"logits.conv3d.weight is \(600, 1024, 1, 1, 1\) instead of"):
        load_i3d(tmp_path / "a.pt")
    torch.save(state | {"logits.conv3d.bias": torch.full((400,), float("nan"))}, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="not finite"):
        load_i3d(tmp_path / "a.pt")
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="another network"):
        load_i3d(tmp_path / "a.pt")
