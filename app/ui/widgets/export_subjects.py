"""What results are as subjects of an export: from memory at once, from their files by a thread."""

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.models.export_form import ExportSubject
from app.models.results import Tile
from app.services.background import LatestTask
from app.services.file_facts import FileFacts, FileKind, FileProblem, look_at, sequence_facts


def subject_of(tile: Tile) -> ExportSubject | None:
    """A finished picture or clip with what made it; None if only its file still holds the frames."""
    clip = tile.clip
    if clip is None:
        return None
    name = Path(tile.path).stem if tile.path else str(tile.seed)
    size_px = clip.frames[0].width_px, clip.frames[0].height_px
    return ExportSubject(name, size_px, len(clip.frames), clip.fps, clip, tile.path, tile.embedded)


class SubjectFinder(QObject):
    """Looks into files; of several wishes the newest counts."""

    found = Signal(object)  # ExportSubject
    failed = Signal(object)  # FileProblem

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._task = LatestTask(self)
        self._task.finished.connect(self._on_finished)

    def find(self, path: str) -> None:
        """Ends in `found` or `failed`. `path` is a picture, a clip, or the pattern of a clip's pictures."""
        self._task.start(partial(_facts, path))

    def _on_finished(self, facts: Any) -> None:
        if isinstance(facts, FileProblem):
            self.failed.emit(facts)
        elif facts.kind is FileKind.FOLDER:
            self.failed.emit(FileProblem(facts.path, "is a folder, no single result"))
        else:
            place = Path(facts.path)
            name = place.parent.name if "%" in place.name else place.stem
            self.found.emit(ExportSubject(name, facts.size_px, facts.num_frames, facts.fps, path=facts.path))


def _facts(path: str) -> FileFacts | FileProblem:
    return sequence_facts(path) if "%" in Path(path).name else look_at(path)
