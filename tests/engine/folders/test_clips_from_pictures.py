"""A model of clips that starts from a picture model's folder treats every frame as that model does."""

from pathlib import Path

import pytest
import torch

from tests.helpers.tiny import save_tiny, tiny_config, tiny_model
from ul_engine.checkpoint import load_model, load_network
from ul_engine.config import VideoConfig
from ul_engine.errors import CheckpointError
from ul_engine.models.unified import UnifiedLatents

CLIPS = tiny_config(video=VideoConfig(num_frames=4, temporal_downsampling=2, context_frames=2))


def test_a_still_clip_is_encoded_as_its_picture(tmp_path: Path) -> None:
    save_tiny(tmp_path / "pictures")
    pictures, _ = load_model(tmp_path / "pictures")
    clips = UnifiedLatents(CLIPS)
    for name in ("encoder", "prior", "decoder", "base"):
        load_network(getattr(clips, name), tmp_path / "pictures", name, starts_clips=True)
    x = torch.rand(1, 3, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        still, single = clips.encoder(x.expand(-1, -1, 4, -1, -1)), pictures.encoder(x)
    torch.testing.assert_close(still, single.expand(-1, -1, 2, -1, -1), atol=1e-5, rtol=1e-5)


def test_without_being_asked_the_difference_is_an_error(tmp_path: Path) -> None:
    save_tiny(tmp_path / "pictures")
    with pytest.raises(CheckpointError, match="are missing"):
        load_network(UnifiedLatents(CLIPS).encoder, tmp_path / "pictures", "encoder")


def test_parts_that_are_not_of_clips_are_still_missed(tmp_path: Path) -> None:
    save_tiny(tmp_path / "pictures", tiny_config(latent={"channels": 6}))
    with pytest.raises(CheckpointError, match="expected"):
        load_network(UnifiedLatents(CLIPS).encoder, tmp_path / "pictures", "encoder", starts_clips=True)


def test_the_names_cover_exactly_what_clips_add(tmp_path: Path) -> None:
    more = tiny_model(CLIPS).state_dict().keys() - tiny_model().state_dict().keys()
    parts = ("temporal", "time_down", "time_up", "frame_mark")
    assert more
    assert all(any(part in key for part in parts) for key in more)
