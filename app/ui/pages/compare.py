"""The page Compare: reconstructions across noise levels, candidates and codecs."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QGuiApplication,
    QHideEvent,
    QImage,
    QKeyEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QSplitter, QWidget

from app.errors import Notice, Severity
from app.models.commands import Commands
from app.models.compare.form import CODECS
from app.models.compare.levels import Ladder
from app.models.compare.samples import sample_pictures
from app.models.session import Session
from app.services.dropped import Dropped, dropped, may_be_dropped
from app.ui.pages.compare_keys import bind_keys
from app.ui.pieces import Pieces, polish
from app.ui.widgets.drop_hint import DropHint

if TYPE_CHECKING:
    from app.ui.widgets.compare.center import CompareCenter
    from app.ui.widgets.compare.inspector import Inspector
    from app.ui.widgets.compare.panel import ComparePanel

_DIGITS = {Qt.Key(Qt.Key.Key_1.value + place): place for place in range(9)}


class ComparePage(QWidget):
    """Emits wishes; shows what the models hold. Its insides are built when it is shown first."""

    pasted = Signal(object)  # QImage
    view_save_requested = Signal(object)  # tuple[str, QImage]
    csv_save_requested = Signal(object)  # tuple[str, str]
    file_open_requested = Signal(object)  # str
    folder_requested = Signal(object)  # str

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._compare = session.compare
        self.panel: ComparePanel | None = None
        self.center: CompareCenter | None = None
        self.inspector: Inspector | None = None
        self.pieces = Pieces(self._make, partial(polish, self))
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._hint = DropHint(
            self, self.tr("Drop to compare"), self.tr("Pictures, videos, or a folder to be measured.")
        )
        bind_keys(self)

    @property
    def commands(self) -> Commands:
        """Where its keys are registered."""
        return self._session.commands

    # ---- building -------------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """Build what the first paint of the window need not wait for; its keys work at once."""
        self.build()
        super().showEvent(event)
        self.setFocus()

    def build(self) -> None:
        """Make the insides, once."""
        self.pieces.finish()

    def _make(self) -> Iterator[None]:
        from app.ui.widgets.compare.center import CompareCenter
        from app.ui.widgets.compare.inspector import WIDTH_PX, Inspector
        from app.ui.widgets.compare.panel import ComparePanel

        self.panel = ComparePanel(self._session, self)
        yield
        self.center = CompareCenter(self._session, self)
        yield
        self.inspector = Inspector(self._session, self.center.stage, self)
        yield
        splitter = QSplitter(Qt.Orientation.Horizontal, self)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.center)
        splitter.addWidget(self.inspector)
        splitter.setStretchFactor(0, 1)
        splitter.setStretchFactor(1, 0)
        self.inspector.resize(WIDTH_PX, self.height())
        splitter.setSizes([max(self.window().width() - WIDTH_PX - 344, 400), WIDTH_PX])
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.panel)
        layout.addWidget(splitter, 1)
        self._connect(self.panel, self.center, self.inspector)
        self._on_view_changed()

    def _connect(self, panel: "ComparePanel", center: "CompareCenter", inspector: "Inspector") -> None:
        panel.files_requested.connect(self.choose_files)
        panel.run_requested.connect(self.run)
        panel.all_requested.connect(self._on_all_requested)
        panel.report_requested.connect(self.choose_report)
        panel.stop_requested.connect(self._compare.stop)
        center.run_requested.connect(self.run)
        center.empty.files_requested.connect(self.choose_files)
        center.empty.paste_requested.connect(self.paste)
        center.empty.samples_requested.connect(self.add_samples)
        center.tools.save_requested.connect(self.save_view)
        inspector.run_requested.connect(self.run)
        inspector.spread_requested.connect(self._on_spread_requested)
        inspector.bench_requested.connect(self._on_bench_requested)
        inspector.numbers.csv_chosen.connect(self.csv_save_requested)
        inspector.clip.frame_chosen.connect(center.play.seek)
        self._compare.view.view_changed.connect(self._on_view_changed)
        self._compare.inputs.inputs_changed.connect(self._on_view_changed)

    def _on_view_changed(self, _payload: Any = None) -> None:
        if self.panel is None or self.inspector is None:
            return
        is_bare = self._compare.view.view.are_panels_hidden and bool(self._compare.inputs.items)
        self.panel.setVisible(not is_bare)
        self.inspector.setVisible(not is_bare and bool(self._compare.inputs.items))

    # ---- what a person does ---------------------------------------------------------------------------------------

    def run(self) -> None:
        """Make what is missing of the ladder on show; say so if nothing is."""
        if not self._compare.run() and self._compare.inputs.current is not None and self._compare.form.chosen:
            sentence = self.tr(
                "Every level of this ladder is made or on its way. Choose other levels or the other ladder."
            )
            self._tell(self.tr("Nothing is missing"), sentence)

    def _tell(self, title: str, sentence: str) -> None:
        notice = Notice(Severity.INFO, title, sentence, key="compare-page", is_passing=True)
        self._session.notices.post(notice)

    def _on_all_requested(self) -> None:
        self._compare.run(is_everything=True)

    def _on_spread_requested(self) -> None:
        self._compare.run_spread()

    def _on_bench_requested(self) -> None:
        self._compare.run_bench(CODECS)

    def choose_files(self) -> None:
        """Ask for files."""
        dialog = QFileDialog(self, self.tr("Pictures or videos to compare"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setNameFilters(
            [
                self.tr("Pictures and videos")
                + " (*.png *.jpg *.jpeg *.webp *.bmp *.tif *.tiff *.gif *.avif *.mp4 *.m4v *.mov *.mkv *.webm *.avi)",
                self.tr("All files (*)"),
            ]
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(self._compare.add_files)
        dialog.open()

    def add_samples(self) -> None:
        """Pictures of our own, and the first comparison at once."""
        self._compare.add_files(sample_pictures(self._compare.form.chosen))
        self._compare.run()

    def paste(self) -> None:
        """Files or a picture from the clipboard."""
        self._take(dropped(QGuiApplication.clipboard().mimeData()))

    def _take(self, found: Dropped) -> None:
        """What was dropped or pasted."""
        if found.paths:
            self._compare.add_files(found.paths)
        elif found.image is not None:
            self.pasted.emit(found.image)
        else:
            self._tell(self.tr("Nothing to compare"), found.problem)

    def next_mode(self) -> None:
        """The next way of laying candidates beside each other."""
        self._compare.view.cycle_mode()

    def previous_mode(self) -> None:
        """The one before."""
        self._compare.view.cycle_mode(-1)

    def fit(self) -> None:
        """Show all of the picture."""
        if self.center is not None:
            self.center.stage.fit()

    def toggle_panels(self) -> None:
        """Only the pictures, or everything."""
        self._compare.view.update(are_panels_hidden=not self._compare.view.view.are_panels_hidden)

    def next_tab(self) -> None:
        """The next analysis."""
        if self.inspector is not None:
            self.inspector.step_tab(1)

    def other_ladder(self) -> None:
        """From the latent's ladder to the decoder's, or back."""
        is_latent = self._compare.view.view.ladder is Ladder.LATENT
        self._compare.view.update(ladder=Ladder.DECODER if is_latent else Ladder.LATENT)

    def ladder_back(self) -> None:
        """To the left along the ladder."""
        self._compare.step_rung(-1)

    def ladder_on(self) -> None:
        """To the right along the ladder."""
        self._compare.step_rung(1)

    def scrub_to(self, place: int) -> None:
        """Go to a rung of the ladder by its place, and paint it before this returns; for measuring."""
        rungs = self._compare.rungs
        if rungs and self.center is not None:
            self._compare.view.set_rung(rungs[place % len(rungs)])
            self.center.stage.repaint_now()

    def toggle_pin(self) -> None:
        """Keep the present picture beside the others, or let it go."""
        if self._compare.source:
            self._compare.inputs.toggle_pin(self._compare.source)

    def next_input(self) -> None:
        """The next picture of the list."""
        self._compare.inputs.step(1)

    def previous_input(self) -> None:
        """The one before it."""
        self._compare.inputs.step(-1)

    def choose_report(self) -> None:
        """Measure a whole folder."""
        self.open_report()

    def open_report(self, folder: str = "") -> None:
        """Ask which folder is to be measured, or show how far it is."""
        from app.ui.widgets.compare.report_dialog import ReportDialog

        open_already: ReportDialog | None = self.findChild(ReportDialog)
        if open_already is not None:
            if folder:
                open_already.set_folder(folder)
            open_already.raise_()
            open_already.activateWindow()
            return
        wish = self._compare.report.wish
        dialog = ReportDialog(self._compare, folder or (wish.folder if wish else ""), self)
        dialog.open_requested.connect(self.file_open_requested)
        dialog.folder_requested.connect(self.folder_requested)
        dialog.show()

    # ---- saving ---------------------------------------------------------------------------------------------------

    def copy_view(self) -> None:
        """What is seen, into the clipboard."""
        if self.center is not None and self._compare.inputs.items:
            QGuiApplication.clipboard().setImage(self.center.stage.snapshot())

    def save_view(self) -> None:
        """Ask where what is seen is to be kept."""
        from app.models.compare.keeping import file_stem

        if self.center is None or not self._compare.inputs.items:
            return
        dialog = QFileDialog(self, self.tr("Save what is seen as"), f"{file_stem(self._compare)}.png")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(self.tr("PNG picture (*.png)"))
        dialog.setDefaultSuffix("png")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._on_view_place_chosen)
        dialog.open()

    def _on_view_place_chosen(self, path: str) -> None:
        if self.center is not None:
            snapshot: QImage = self.center.stage.snapshot()
            self.view_save_requested.emit((path, snapshot))

    # ---- keys that are held or repeated ---------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """C shows the original while it is held; numbers choose; arrows move along the ladder; Space, A and D play."""
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier or not self._on_key(Qt.Key(event.key()), event):
            super().keyPressEvent(event)

    def _on_key(self, key: Qt.Key, event: QKeyEvent) -> bool:
        if self.center is None:
            return False
        play = self.center.play
        if key == Qt.Key.Key_C:
            if not event.isAutoRepeat():
                self.center.stage.set_blinking(True)
        elif key in _DIGITS:
            self._compare.choose(_DIGITS[key])
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self._compare.step_rung(1 if key == Qt.Key.Key_Right else -1)
        elif key == Qt.Key.Key_Space and play.count > 1:
            play.toggle()
        elif key in (Qt.Key.Key_A, Qt.Key.Key_D) and play.count > 1:
            play.step(1 if key == Qt.Key.Key_D else -1)
        else:
            return False
        return True

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """The candidate again."""
        if event.key() == Qt.Key.Key_C and self.center is not None:
            if not event.isAutoRepeat():
                self.center.stage.set_blinking(False)
        else:
            super().keyReleaseEvent(event)

    def event(self, event: QEvent) -> bool:
        """Whoever leaves for another window with C held down lets it go there."""
        if event.type() == QEvent.Type.WindowDeactivate:
            self._let_go()
        return super().event(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """The same for another page."""
        super().hideEvent(event)
        self._let_go()

    def _let_go(self) -> None:
        if self.center is not None:
            self.center.stage.set_blinking(False)

    def handle_escape(self) -> bool:
        """Esc brings the panels back, else it stops what this page has asked for."""
        if self._compare.view.view.are_panels_hidden:
            self.toggle_panels()
            return True
        view = self._session.queue.view
        jobs = (*view.waiting, *([view.running] if view.running else []))
        if any(job.page == "compare" for job in jobs):
            self._compare.stop()
            return True
        return False

    # ---- drops ----------------------------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files and pictures may come in."""
        if may_be_dropped(event.mimeData()):
            event.acceptProposedAction()
            self._hint.cover()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """It went away again."""
        self._hint.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        """Take them in."""
        self._hint.hide()
        event.acceptProposedAction()
        self._take(dropped(event.mimeData()))
