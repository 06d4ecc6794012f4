"""LPIPS with random weights against a formula written otherwise, and what happens to weight files that do not fit."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from ul_engine.errors import CheckpointError, ShapeError
from ul_engine.metrics.lpips import RECIPES, Lpips, LpipsNetwork, load_lpips, lpips_problem

ALEX = "alexnet-owt-7be5be79"
VGG_CONVOLUTIONS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
VGG_WIDTHS = (3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)


def random(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def alexnet_weights() -> dict[str, Tensor]:
    """With the names and shapes of torchvision's file, the unused classifier included."""
    shapes = {0: (64, 3, 11, 11), 3: (192, 64, 5, 5), 6: (384, 192, 3, 3), 8: (256, 384, 3, 3), 10: (256, 256, 3, 3)}
    weights = {"classifier.6.bias": torch.zeros(10)}
    for i, shape in shapes.items():
        weights[f"features.{i}.weight"] = random(*shape, seed=i) * (shape[1] * shape[2] * shape[3]) ** -0.5
        weights[f"features.{i}.bias"] = 0.1 * random(shape[0], seed=100 + i)
    return weights


def vgg_weights() -> dict[str, Tensor]:
    weights = {}
    sizes = zip(VGG_CONVOLUTIONS, VGG_WIDTHS[:-1], VGG_WIDTHS[1:], strict=True)
    for index, (i, channels, width) in enumerate(sizes):
        weights[f"features.{i}.weight"] = random(width, channels, 3, 3, seed=index) * (channels * 4.5) ** -0.5
        weights[f"features.{i}.bias"] = 0.1 * random(width, seed=100 + index)
    return weights


def linear_weights(network: LpipsNetwork) -> dict[str, Tensor]:
    widths = RECIPES[network].widths
    return {f"lin{i}.model.1.weight": random(1, w, 1, 1, seed=50 + i).abs() for i, w in enumerate(widths)}


def put(folder: Path, network: LpipsNetwork, suffix: str = ".pth") -> None:
    recipe = RECIPES[network]
    backbone = alexnet_weights() if network == "alex" else vgg_weights()
    for stem, weights in ((recipe.backbone_stem, backbone), (recipe.linear_stem, linear_weights(network))):
        path = folder / f"{stem}{suffix}"
        torch.save(weights, path) if suffix == ".pth" else save_file(weights, path)


def convolved(x: Tensor, weight: Tensor, bias: Tensor, *, stride: int, padding: int) -> Tensor:
    """A convolution and ReLU as one matrix product over unfolded patches."""
    side = weight.shape[-1]
    rows = (x.shape[-2] + 2 * padding - side) // stride + 1
    columns = torch.nn.functional.unfold(x, side, padding=padding, stride=stride)
    return (weight.flatten(1) @ columns + bias[:, None]).clamp_min(0).unflatten(-1, (rows, -1))


def pooled(x: Tensor, side: int) -> Tensor:
    return x.unfold(2, side, 2).unfold(3, side, 2).amax((-2, -1))


def alexnet_features(x: Tensor) -> list[Tensor]:
    w = {key: value.double() for key, value in alexnet_weights().items()}
    mean, deviation = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]]).double().view(2, 1, 3, 1, 1)
    found = [((x.double() + 1) / 2 - mean) / deviation]
    for i, stride, padding, pool in ((0, 4, 2, 0), (3, 1, 2, 3), (6, 1, 1, 3), (8, 1, 1, 0), (10, 1, 1, 0)):
        before = pooled(found[-1], pool) if pool else found[-1]
        found.append(
            convolved(before, w[f"features.{i}.weight"], w[f"features.{i}.bias"], stride=stride, padding=padding)
        )
    return found[1:]


def test_alexnet_by_another_road(tmp_path: Path) -> None:
    """Cosines instead of differences of unit vectors: w . (u - v)^2 = w . u^2 + w . v^2 - 2 w . u v."""
    put(tmp_path, "alex")
    x, x_hat = random(2, 3, 1, 47, 40, seed=1).tanh(), random(2, 3, 1, 47, 40, seed=2).tanh()
    expected = torch.zeros(2, dtype=torch.float64)
    linear = linear_weights("alex").values()
    for f, g, weight in zip(alexnet_features(x[:, :, 0]), alexnet_features(x_hat[:, :, 0]), linear, strict=True):
        u, v = f / f.norm(dim=1, keepdim=True), g / g.norm(dim=1, keepdim=True)
        expected += (weight.double() * (u.square() + v.square() - 2 * u * v)).sum(1).mean((1, 2))
    found = load_lpips("alex", tmp_path)(x, x_hat)
    # The scaling layer's constants have three digits: shift = 2 mean - 1, scale = 2 deviation.
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=0)


def test_vgg16(tmp_path: Path) -> None:
    put(tmp_path, "vgg", ".safetensors")
    model = load_lpips("vgg", tmp_path)
    layers = [type(layer).__name__[0] for layer in model.features]  # Conv2d, ReLU, MaxPool2d
    assert "".join(layers) == "CRCRM" * 2 + "CRCRCRM" * 2 + "CRCRCR"
    x = random(1, 3, 1, 32, 32, seed=1).tanh()
    with torch.no_grad():
        hidden = (x[:, :, 0] - model.shift) / model.scale
        taps = []
        for count in (4, 5, 7, 7, 7):  # convolutions and ReLUs of each stage, and the pooling before it
            start = sum((4, 5, 7, 7, 7)[: len(taps)])
            hidden = model.features[start : start + count](hidden)
            taps.append(hidden)
    assert [tap.shape[1:] for tap in taps] == [(64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4), (512, 2, 2)]
    for found, tap in zip(model._unit_features(x), taps, strict=True):
        torch.testing.assert_close(found, torch.nn.functional.normalize(tap, dim=1))
    assert float(model(x, x)) == 0.0
    assert float(model(x, -x)) > 0.0


def test_frames_are_averaged_and_autocast_changes_nothing(tmp_path: Path) -> None:
    put(tmp_path, "alex")
    model = load_lpips("alex", tmp_path)
    x, x_hat = random(2, 3, 2, 32, 32, seed=1).tanh(), random(2, 3, 2, 32, 32, seed=2).tanh()
    frames = torch.stack([model(x[:, :, t : t + 1], x_hat[:, :, t : t + 1]) for t in range(2)])
    torch.testing.assert_close(model(x, x_hat), frames.mean(0))
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(model(x, x_hat), frames.mean(0))


@pytest.mark.parametrize(("network", "side"), [("alex", 31), ("vgg", 16)])
def test_smallest_pictures(network: LpipsNetwork, side: int) -> None:
    model = Lpips(network)
    x = torch.zeros(1, 3, 1, side, side + 3)
    assert float(model(x, x).detach()) == 0.0
    with pytest.raises(ShapeError, match=f"at least {side} pixels a side; the picture has 99 x {side - 1}"):
        model(torch.zeros(1, 3, 1, side - 1, 99), torch.zeros(1, 3, 1, side - 1, 99))


# ---- files --------------------------------------------------------------------------------------------------------


def test_missing_classifier(tmp_path: Path) -> None:
    problem = lpips_problem("vgg", tmp_path)
    assert problem is not None
    assert problem.startswith(str(tmp_path))
    with pytest.raises(
        CheckpointError, match=r"needs vgg16-397923af\.pth or vgg16-397923af\.safetensors here"
    ) as caught:
        load_lpips("vgg", tmp_path)
    assert str(caught.value) == problem
    put(tmp_path, "vgg")
    assert lpips_problem("vgg", tmp_path) is None


@pytest.mark.parametrize("network", ["alex", "vgg"])
def test_the_published_linear_weights_are_at_hand(tmp_path: Path, network: LpipsNetwork) -> None:
    """torchmetrics carries them, in the authors' old format; all are positive, so that it is a distance."""
    put(tmp_path, network)
    (tmp_path / f"{network}.pth").unlink()
    model = load_lpips(network, tmp_path)
    weights = torch.cat([layer.weight.flatten() for layer in model.linear])
    assert weights.min() >= 0
    assert weights.max() > 0


def test_foreign_classifier(tmp_path: Path) -> None:
    torch.save(vgg_weights(), tmp_path / f"{ALEX}.pth")
    with pytest.raises(CheckpointError, match="another network"):
        load_lpips("alex", tmp_path)


def test_foreign_linear_weights(tmp_path: Path) -> None:
    put(tmp_path, "alex")
    torch.save(linear_weights("vgg"), tmp_path / "alex.pth")
    with pytest.raises(CheckpointError, match=r"1\.weight is \(1, 128, 1, 1\)") as caught:
        load_lpips("alex", tmp_path)
    assert caught.value.path == str(tmp_path / "alex.pth")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("kept", [0.0, 0.001, 0.6, 0.9999])
def test_truncated_classifier(tmp_path: Path, suffix: str, kept: float) -> None:
    put(tmp_path, "alex", suffix)
    path = tmp_path / f"{ALEX}{suffix}"
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(CheckpointError) as caught:
        load_lpips("alex", tmp_path)
    assert caught.value.path == str(path)


def test_truncated_linear_weights_in_the_old_format(tmp_path: Path) -> None:
    put(tmp_path, "alex")
    path = tmp_path / "alex.pth"
    torch.save(linear_weights("alex"), path, _use_new_zipfile_serialization=False)
    load_lpips("alex", tmp_path)
    content = path.read_bytes()
    for kept in (0, 1, 40, 130, 500, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:kept])
        with pytest.raises(CheckpointError) as caught:
            load_lpips("alex", tmp_path)
        assert caught.value.path == str(path)
