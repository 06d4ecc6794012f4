"""The Inception of FID with random weights: its names, sizes, quirks and resize, and the loading of files.

The published weights cannot be shipped; once, with random weights, the features were compared with those of
torch-fidelity's network and agreed to 1e-5 of 48.
"""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.helpers.tiny import randomised
from ul_engine.errors import CheckpointError, NumericsError, ShapeError
from ul_engine.metrics.features.inception import FidInception, load_inception
from ul_engine.metrics.features.network import picture_levels, resized_as_tensorflow_1


@pytest.fixture(scope="module")
def inception() -> FidInception:
    network = randomised(FidInception(), gain=1.4).eval()
    assert isinstance(network, FidInception)
    return network


def test_names_and_sizes_are_those_of_the_published_file(inception: FidInception) -> None:
    state = {name: tuple(value.shape) for name, value in inception.state_dict().items() if "num_batches" not in name}
    assert len(state) == 94 * 5 + 2  # 94 convolutions with four rows of batch normalisation each, and the classifier
    known = {
        "Conv2d_1a_3x3.conv.weight": (32, 3, 3, 3),
        "Conv2d_4a_3x3.bn.running_var": (192,),
        "Mixed_5b.branch1x1.bn.weight": (64,),
        "Mixed_5b.branch5x5_2.conv.weight": (64, 48, 5, 5),
        "Mixed_5d.branch_pool.conv.weight": (64, 288, 1, 1),
        "Mixed_6a.branch3x3dbl_3.conv.weight": (96, 96, 3, 3),
        "Mixed_6b.branch7x7_2.conv.weight": (128, 128, 1, 7),
        "Mixed_6e.branch7x7dbl_2.conv.weight": (192, 192, 7, 1),
        "Mixed_7a.branch7x7x3_4.conv.weight": (192, 192, 3, 3),
        "Mixed_7b.branch3x3_2a.conv.weight": (384, 384, 1, 3),
        "Mixed_7c.branch3x3dbl_3b.conv.weight": (384, 384, 3, 1),
        "fc.weight": (1008, 2048),
        "fc.bias": (1008,),
    }
    assert known.items() <= state.items()


def test_number_of_parameters() -> None:
    """Torchvision documents 27 161 264 with 1000 classes and an auxiliary classifier of 3 326 696; FID's has 1008
    classes and no auxiliary one."""
    with torch.device("meta"):
        network = FidInception()
    assert sum(parameter.numel() for parameter in network.parameters()) == 27_161_264 - 3_326_696 + 8 * 2049


@torch.inference_mode()
def test_averages_leave_padding_out_of_the_count(inception: FidInception) -> None:
    """A constant map stays constant up to its border, behind every averaging block."""
    for name in ("Mixed_5b", "Mixed_5d", "Mixed_6b", "Mixed_6e", "Mixed_7b"):
        block = inception.get_submodule(name)
        width = next(block.children()).get_submodule("conv").in_channels
        pooled = block.get_submodule("branch_pool").get_submodule("conv").out_channels
        assert isinstance(width, int)
        assert isinstance(pooled, int)
        maps = block(torch.ones(1, width, 5, 5))[:, -pooled:]
        torch.testing.assert_close(maps, maps[:, :, 2:3, 2:3].expand_as(maps), rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def test_the_last_block_takes_the_maximum(inception: FidInception) -> None:
    x = torch.randn(1, 2048, 8, 8, generator=torch.Generator().manual_seed(0))
    expected = inception.Mixed_7c.branch_pool(F.max_pool2d(x, 3, 1, 1))
    torch.testing.assert_close(inception.Mixed_7c(x)[:, -192:], expected)


@torch.inference_mode()
def test_one_row_per_picture_from_bytes_or_floats(inception: FidInception) -> None:
    pictures = torch.randint(256, (2, 3, 20, 31), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    features = inception(pictures)
    assert features.shape == (2, 2048)
    assert features.dtype == torch.float32
    assert float(features.std()) > 0.0
    as_floats = inception((pictures[1:].float() / 127.5 - 1.0).unsqueeze(2))
    torch.testing.assert_close(as_floats, features[1:], rtol=1e-4, atol=1e-5)


# ---- pictures -----------------------------------------------------------------------------------------------------


def test_the_resize_of_the_first_tensorflow() -> None:
    row = torch.tensor([[0.0, 1.0]])
    assert resized_as_tensorflow_1(row.T @ row, 4)[3].tolist() == [0.0, 0.5, 1.0, 1.0]
    picture = torch.rand(7, 5, generator=torch.Generator().manual_seed(0))
    for size in (3, 5, 11):
        torch.testing.assert_close(resized_as_tensorflow_1(picture, size), _looped(picture, size), rtol=0, atol=1e-6)


def _looped(picture: Tensor, size: int) -> Tensor:
    """Pixel by pixel, as the formula says it."""
    height, width = picture.shape
    result = torch.empty(size, size)
    for i in range(size):
        for j in range(size):
            y, x = i * height / size, j * width / size
            y0, x0 = int(y), int(x)
            y1, x1 = min(y0 + 1, height - 1), min(x0 + 1, width - 1)
            top = picture[y0, x0] + (picture[y0, x1] - picture[y0, x0]) * (x - x0)
            bottom = picture[y1, x0] + (picture[y1, x1] - picture[y1, x0]) * (x - x0)
            result[i, j] = top + (bottom - top) * (y - y0)
    return result


def test_floats_are_rounded_to_bytes_as_a_file_would() -> None:
    assert picture_levels(torch.tensor([-2.0, -1.0, 0.003, 0.5, 1.0])).tolist() == [0.0, 0.0, 128.0, 191.0, 255.0]
    assert picture_levels(torch.tensor([7], dtype=torch.uint8)).dtype == torch.float32
    with pytest.raises(NumericsError):
        picture_levels(torch.tensor([float("nan")]))
    with pytest.raises(ShapeError, match="int64"):
        picture_levels(torch.tensor([1]))


def test_other_shapes_are_refused(inception: FidInception) -> None:
    for shape in ((2, 1, 8, 8), (3, 8, 8), (1, 3, 2, 8, 8)):
        with pytest.raises(ShapeError, match="FID"):
            inception(torch.zeros(shape, dtype=torch.uint8))


# ---- files --------------------------------------------------------------------------------------------------------


def test_a_state_dict_without_counters_fits(inception: FidInception, tmp_path: Path) -> None:
    file = tmp_path / "pt_inception-2015-12-05-6726825d.pth"
    shapes = {name: value.shape for name, value in inception.state_dict().items() if "num_batches" not in name}
    # a number for every tensor takes no room in the file
    torch.save({name: torch.tensor(number / 8).expand(shapes[name]) for number, name in enumerate(shapes)}, file)
    loaded = load_inception(file)
    assert not loaded.training
    state = loaded.state_dict()
    assert all(bool((state[name] == number / 8).all()) for number, name in enumerate(shapes))
    assert all(not value.any() for name, value in state.items() if "num_batches" in name)
    assert loaded.identity.startswith("inception-2015-12-05-")
    assert "is not the published file" in loaded.remarks[0]  # its SHA-256 begins otherwise, whatever its name says


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.pth"
    torch.save(nn.Linear(3, 1).state_dict(), file)
    with pytest.raises(CheckpointError, match=r"a\.pth: belongs to another network: 472 tensors are missing and 2"):
        load_inception(file)
    with pytest.raises(CheckpointError, match="no such file"):
        load_inception(tmp_path / "b.pth")


def test_files_that_are_no_state_dicts(tmp_path: Path) -> None:
    file = tmp_path / "a.pth"
    for content in (b"", b"PK broken", b"not a pickle"):
        file.write_bytes(content)
        with pytest.raises(CheckpointError, match=r"a\.pth"):
            load_inception(file)
    torch.save([1, 2, 3], file)
    with pytest.raises(CheckpointError, match="no state dict"):
        load_inception(file)


class Careless:
    """Would write a file when unpickled."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.place,)


def test_nothing_in_a_file_is_executed(tmp_path: Path) -> None:
    torch.save({"a": Careless(tmp_path / "executed")}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="more than tensors"):
        load_inception(tmp_path / "a.pth")
    assert not (tmp_path / "executed").exists()
