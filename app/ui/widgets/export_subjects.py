"""What the results of Generate are as subjects of an export."""

from pathlib import Path

from app.models.export_form import ExportSubject
from app.models.results import Tile


def subject_of(tile: Tile) -> ExportSubject:
    """A finished picture or clip, with what made it."""
    clip = tile.clip
    name = Path(tile.path).stem if tile.path else str(tile.seed)
    embedded = tile.embedded
    if clip is None:
        num_frames, fps = getattr(tile.request, "num_frames", None) or 1, 24.0 if tile.is_moving else None
        return ExportSubject(name, tile.size_px, num_frames, fps, path=tile.path, embedded=embedded)
    size_px = clip.frames[0].width_px, clip.frames[0].height_px
    return ExportSubject(name, size_px, len(clip.frames), clip.fps, clip, tile.path, embedded)
