"""Writes what the page Compare shows, in a thread, and says where it is or why not."""

from pathlib import Path

from PySide6.QtCore import QBuffer, QObject
from PySide6.QtGui import QImage

from app.errors import Notice, NoticeAction, Severity
from app.models.notices import NoticeBoard
from app.services.in_order import InOrder
from app.studio import actions
from ul_engine.errors import OutputError
from ul_engine.outputs import write_file


class CompareSaver(QObject):
    """One file after the other."""

    def __init__(self, notices: NoticeBoard, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notices = notices
        self._work = InOrder("compare-saving", self)
        self._work.finished.connect(self._on_finished)

    def close(self) -> None:
        """End the thread."""
        self._work.close()

    def save_view(self, wish: tuple[str, QImage]) -> None:
        """A picture of what is seen."""
        path, image = wish
        self._work.start(_save_image, path, image.copy())

    def save_csv(self, wish: tuple[str, str]) -> None:
        """A table."""
        self._work.start(_save_text, *wish)

    def _on_finished(self, outcome: tuple[str, str]) -> None:
        path, problem = outcome
        if problem:
            self._notices.post(
                Notice(Severity.ERROR, self.tr("It was not saved"), problem, key="compare-save", is_passing=True)
            )
            return
        self._notices.post(
            Notice(
                Severity.INFO,
                self.tr("Saved"),
                path,
                actions=(NoticeAction(actions.SHOW_FILE, self.tr("Show in folder"), path),),
                key="compare-save",
                is_passing=True,
            )
        )


def _save_image(path: str, image: QImage) -> tuple[str, str]:
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    if not image.save(buffer, Path(path).suffix[1:] or "png"):  # type: ignore[call-overload]
        return path, f"{path}: pictures of this kind cannot be written; take .png"
    try:
        write_file(path, bytes(buffer.data().data()))
    except OutputError as error:
        return path, str(error)
    return path, ""


def _save_text(path: str, text: str) -> tuple[str, str]:
    try:
        write_file(path, text.encode())
    except OutputError as error:
        return path, str(error)
    return path, ""
