"""Ties the pictures and videos of the page Compare to their files: reads them, and says what cannot be read."""

from pathlib import Path

from PySide6.QtCore import QObject

from app.errors import Notice, NoticeAction, Severity
from app.models.compare.findings import Original, OriginalKey
from app.models.compare.inputs import InputItem
from app.models.notices import ActionChoice
from app.models.session import Session
from app.services.input_files import InputFailed, InputFiles, InputKept, InputRead
from app.studio import actions


class ComparePictures(QObject):
    """The go-between of inputs and files."""

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.files = InputFiles(self)
        inputs = session.compare.inputs
        inputs.reading_requested.connect(self.files.read)
        inputs.current_changed.connect(self._on_current_changed)
        self.files.input_read.connect(self._on_input_read)
        self.files.input_failed.connect(self._on_input_failed)
        self.files.input_kept.connect(self._on_input_kept)
        session.notices.action_chosen.connect(self._on_action_chosen)

    def close(self) -> None:
        """End the thread."""
        self.files.close()

    def _on_current_changed(self, item: InputItem | None) -> None:
        """The pixels of a picture that was looked at long ago may have given way to others."""
        if item is not None and item.size_px and self._session.compare.original(item.path) is None:
            (self.files.read_frames if Path(item.path).is_dir() else self.files.read)(item.path)

    def _on_input_read(self, news: InputRead) -> None:
        compare, facts, clip = self._session.compare, news.facts, news.clip
        path = facts.path
        if compare.inputs.by_path(path) is None:
            return
        is_seen = path == compare.source or path in compare.inputs.pinned
        if is_seen and compare.original(path) is None:
            compare.results.put(OriginalKey(path), Original(clip))
        size_px = (clip.poster.width_px, clip.poster.height_px)
        item = InputItem(path, size_px, facts.num_frames, facts.fps, news.thumbnail, notes=facts.notes)
        compare.inputs.note_read(item)
        if facts.is_large:
            self._offer_smaller(path, self.tr("It is compared in tiles, which takes long."))

    def _on_input_failed(self, news: InputFailed) -> None:
        self._session.compare.inputs.note_problem(news.path, news.sentence)
        name, sentence = Path(news.path).name, news.sentence.rstrip(".")
        if news.is_too_large:
            self._offer_smaller(news.path, f"{name} {sentence}.")
            return
        if news.is_folder:
            self._session.compare.inputs.remove(news.path)
            self._offer_report(news.path, is_sequence=news.is_sequence)
            return
        self._session.notices.post(
            Notice(
                Severity.WARNING,
                self.tr("{name} cannot be compared").format(name=name),
                self.tr("{name} {reason}. Pictures and the usual videos can be read.").format(
                    name=name, reason=sentence
                ),
                key=f"compare-input {news.path}",
                is_passing=True,
            )
        )

    def _offer_smaller(self, path: str, sentence: str) -> None:
        self._session.notices.post(
            Notice(
                Severity.INFO,
                self.tr("{name} is very large").format(name=Path(path).name),
                sentence,
                actions=(NoticeAction(actions.SMALLER_COPY, self.tr("Use a smaller copy"), path),),
                key=f"compare-input {path}",
                is_passing=True,
            )
        )

    def _offer_report(self, path: str, *, is_sequence: bool) -> None:
        """A folder may be a collection to be measured, or the frames of a clip."""
        frames = NoticeAction(actions.COMPARE_FRAMES, self.tr("Take it as a clip"), path)
        self._session.notices.post(
            Notice(
                Severity.INFO,
                self.tr("{name} is a folder").format(name=Path(path).name),
                self.tr("All its pictures can be measured in one go; the report lists the worst first."),
                actions=(
                    NoticeAction(actions.COMPARE_FOLDER, self.tr("Measure the folder…"), path),
                    *((frames,) if is_sequence else ()),
                ),
                key=f"compare-input {path}",
                is_passing=True,
            )
        )

    def _on_input_kept(self, news: InputKept) -> None:
        inputs = self._session.compare.inputs
        self._session.compare.add_files([news.path])
        if news.instead_of:
            inputs.remove(news.instead_of)
            self._session.notices.dismiss_key(f"compare-input {news.instead_of}")

    def _on_action_chosen(self, choice: ActionChoice) -> None:
        if choice.name == actions.SMALLER_COPY:
            self.files.keep_smaller(choice.argument)
        elif choice.name == actions.COMPARE_FRAMES:
            self._session.compare.inputs.add_known(choice.argument)
            self.files.read_frames(choice.argument)
