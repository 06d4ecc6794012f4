"""The bundled feature network: its files, what FD-Small answers to on renders it never saw, and its form for clips."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from ul_engine.data.pixels import to_signed
from ul_engine.data.scenes.layout import scene_spec
from ul_engine.data.scenes.render import render_scenes
from ul_engine.errors import CheckpointError, DataError, NumericsError, ShapeError
from ul_engine.metrics.distribution import (
    collected,
    generation_distance,
    kernel_generation_distance,
    measured,
    reconstruction_distance,
)
from ul_engine.metrics.features.network import extracted
from ul_engine.metrics.features.small import SmallClipFeatures, SmallFeatures, bundled_folder, load_small_features
from ul_engine.metrics.frechet import FeatureStatistics

SEED = 99
NUM = 160


def renders(shape: str, start: int, count: int = NUM // 2) -> Tensor:
    specs = [scene_spec(SEED, index, pinned={"shape": shape}) for index in range(start, start + count)]
    return render_scenes(specs, size_px=64)[:, :, 0]


@pytest.fixture(scope="module")
def network() -> SmallFeatures:
    return load_small_features()


@pytest.fixture(scope="module")
def pictures() -> Tensor:
    """uint8: spheres, then pyramids."""
    return torch.cat([renders("sphere", 0), renders("pyramid", 1000)])


# ---- the network --------------------------------------------------------------------------------------------------


def test_it_is_small_and_whole(network: SmallFeatures) -> None:
    folder = bundled_folder()
    assert sum(file.stat().st_size for file in folder.iterdir()) < 2_000_000
    assert {file.name for file in folder.iterdir()} == {"config.json", "small-features.safetensors", "README.md"}
    assert 500_000 < sum(parameter.numel() for parameter in network.parameters()) < 1_000_000
    assert network.identity.startswith("small-features-")
    assert network.remarks == ()
    assert "FID" not in network.distance
    assert not network.training


def test_features_do_not_depend_on_batch_or_number_format(network: SmallFeatures, pictures: Tensor) -> None:
    features = collected([pictures[:10]], network)
    assert features.shape == (10, 128)
    one_by_one = collected(pictures[:10].split(3), network, batch_size=1)
    torch.testing.assert_close(one_by_one, features, rtol=1e-4, atol=1e-5)
    as_clips_of_one_frame = collected([to_signed(pictures[:10]).unsqueeze(2)], network)
    torch.testing.assert_close(as_clips_of_one_frame, features, rtol=1e-4, atol=1e-5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(collected([pictures[:10]], network), features, rtol=1e-4, atol=1e-5)


def test_other_sizes_are_brought_to_its_own(network: SmallFeatures, pictures: Tensor) -> None:
    larger = F.interpolate(pictures[:20].float(), scale_factor=3.0, mode="bilinear").round().to(torch.uint8)
    near = (collected([larger], network) - collected([pictures[:20]], network)).norm(dim=1)
    apart = torch.pdist(collected([pictures[:20]], network))
    assert float(near.mean()) < 0.5 * float(apart.mean())


# ---- FD-Small -----------------------------------------------------------------------------------------------------


def test_the_same_pictures_are_at_no_distance(network: SmallFeatures, pictures: Tensor) -> None:
    distance = reconstruction_distance([(part, part) for part in pictures.split(50)], network)
    assert abs(distance.value) < 1e-9
    assert (distance.name, distance.num_samples) == ("rFD-Small", (NUM, NUM))
    assert any("biased" in warning for warning in distance.warnings)


def test_it_rises_with_blur_and_with_noise(network: SmallFeatures, pictures: Tensor) -> None:
    pictures = pictures[::2]
    noise = torch.randn(pictures.shape, generator=torch.Generator().manual_seed(0))
    noisy = [(pictures + strength * noise).round().clamp(0, 255).to(torch.uint8) for strength in (5, 15, 45)]
    soft = [_box_blurred(pictures, size) for size in (3, 5, 9)]
    for damaged in (noisy, soft):
        distances = [reconstruction_distance([(pictures, changed)], network).value for changed in damaged]
        assert 0.0 < distances[0] < distances[1] < distances[2]


def _box_blurred(pictures: Tensor, size: int) -> Tensor:
    blurred = F.avg_pool2d(pictures.float(), size, stride=1, padding=size // 2, count_include_pad=False)
    return blurred.round().to(torch.uint8)


def test_it_tells_contents_apart(network: SmallFeatures, pictures: Tensor) -> None:
    spheres, pyramids = pictures.chunk(2)
    other_spheres = renders("sphere", 2000)
    reference = measured([other_spheres], network)
    same = generation_distance([spheres], reference, network)
    assert same.name == "gFD-Small"
    assert generation_distance([pyramids], reference, network).value > 2.0 * same.value
    kernel = kernel_generation_distance([pyramids], [other_spheres], network)
    assert kernel.name == "KD-Small"
    assert kernel.value > kernel_generation_distance([spheres], [other_spheres], network).value


def test_a_reference_from_a_file_gives_the_same(network: SmallFeatures, pictures: Tensor, tmp_path: Path) -> None:
    spheres, pyramids = pictures.chunk(2)
    measured([spheres], network).save(tmp_path / "reference.safetensors")
    reference = FeatureStatistics.load(tmp_path / "reference.safetensors", network=network.identity)
    found = generation_distance(pyramids.split(30), reference, network)
    assert found.value == pytest.approx(generation_distance([pyramids], [spheres], network).value, rel=1e-6)


# ---- clips --------------------------------------------------------------------------------------------------------


def test_clips_have_a_still_and_a_moving_half(network: SmallFeatures) -> None:
    specs = [scene_spec(SEED, index, pinned={"motion": "orbit"}) for index in range(4)]
    clips = render_scenes(specs, size_px=64, num_frames=5)
    for_clips = SmallClipFeatures(network)
    features = for_clips(clips)
    assert features.shape == (4, 256)
    still = for_clips(clips[:, :, :1].expand(-1, -1, 5, -1, -1))
    torch.testing.assert_close(still[:, :128], network(clips[:, :, 0]), rtol=1e-4, atol=1e-5)
    assert not still[:, 128:].any()
    shuffled = for_clips(clips[:, :, [0, 3, 1, 4, 2]])
    torch.testing.assert_close(shuffled[:, :128], features[:, :128], rtol=1e-4, atol=1e-5)
    assert float(shuffled[:, 128:].mean()) > 1.2 * float(features[:, 128:].mean())
    torch.testing.assert_close(for_clips(clips.flip(2)), features, rtol=1e-4, atol=1e-5)  # time has no arrow here
    assert reconstruction_distance([(clips, clips)], for_clips).name == "rFD-Small-clip"
    assert generation_distance([clips], [clips], for_clips).name == "FD-Small-clip"


# ---- guards -------------------------------------------------------------------------------------------------------


def test_what_cannot_be_measured(network: SmallFeatures, pictures: Tensor) -> None:
    with pytest.raises(ShapeError, match="FD-Small is for pictures; these are clips of 4 frames"):
        network(torch.zeros(1, 3, 4, 64, 64))
    with pytest.raises(ShapeError, match="at least 2 frames"):
        SmallClipFeatures(network)(pictures[:1])
    with pytest.raises(ShapeError, match="3 originals cannot be paired with 2"):
        reconstruction_distance([(pictures[:3], pictures[:2])], network)
    with pytest.raises(DataError, match="no picture"):
        collected([], network)
    with pytest.raises(ShapeError, match="at least 2 samples"):
        generation_distance([], [pictures], network)


def test_a_network_gone_wrong_is_told(pictures: Tensor) -> None:
    broken = SmallFeatures().eval()
    torch.nn.init.constant_(next(broken.parameters()), float("inf"))
    with pytest.raises(NumericsError, match="FD-Small"):
        list(extracted([pictures[:2]], broken))
    assert "no trained weights" in broken.remarks[0]


def test_broken_folders(tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    with pytest.raises(CheckpointError, match=r"config\.json: is missing"):
        load_small_features(folder)
    shutil.copytree(bundled_folder(), folder)
    (folder / "small-features.safetensors").write_bytes(b"short")
    with pytest.raises(CheckpointError, match="truncated"):
        load_small_features(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"widths": [8]}))
    shutil.copy(bundled_folder() / "small-features.safetensors", folder)
    with pytest.raises(CheckpointError, match="another network"):
        load_small_features(folder)
    for text in ("{", json.dumps(config | {"input_px": 3}), "[]"):
        (folder / "config.json").write_text(text)
        with pytest.raises(CheckpointError, match="not the configuration"):
            load_small_features(folder)
