"""What a model can be asked for, as the page Generate offers it."""

from dataclasses import dataclass

from app.models.form_state import Mode
from ul_engine.model_folder import ModelEntry


@dataclass(frozen=True)
class Offers:
    """Nothing is offered that the engine would refuse."""

    makes_clips: bool = False
    modes: tuple[Mode, ...] = (Mode.PICTURES, Mode.GRID, Mode.BETWEEN)
    has_start_picture: bool = False
    condition: str = "none"
    """``text``, ``class`` or ``none``."""
    num_frames: int = 1
    """Frames of a clip as trained."""
    fps: float = 0.0
    context_frames: int = 0
    """Frames that a continuation is given of the clip before it."""


def offers_of(model: ModelEntry | None) -> Offers:
    """What this model offers; without a model, what most do."""
    if model is None or model.manifest is None:
        return Offers()
    config = model.manifest.model
    video = config.video
    can_continue = video is not None and video.context_frames > 0 and model.manifest.can_reconstruct
    modes = (Mode.PICTURES, Mode.CONTINUE, Mode.GRID, Mode.BETWEEN)
    return Offers(
        makes_clips=video is not None,
        modes=modes if can_continue else tuple(mode for mode in modes if mode is not Mode.CONTINUE),
        has_start_picture=video is None and model.manifest.can_reconstruct,
        condition=config.conditioning.kind,
        num_frames=config.num_frames,
        fps=video.fps if video is not None else 0.0,
        context_frames=config.context_frames if can_continue else 0,
    )
