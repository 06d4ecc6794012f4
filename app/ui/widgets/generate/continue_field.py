"""The clip to continue, and how many frames to add."""

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.models.form_state import Mode
from app.models.session import Session
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.elided_label import ElidedLabel
from app.ui.widgets.generate.thumbnail import Thumbnail
from app.ui.widgets.labels import label


class ContinueField(QFrame):
    """Shown in the mode Continue. The picture is the clip's last frame: the new ones go on from there."""

    choose_requested = Signal()
    file_dropped = Signal(object)  # str

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setProperty("role", "inset")
        self.setAcceptDrops(True)
        self.choose = TextButton("", "", "film", self)
        self._thumbnail = Thumbnail(self)
        self._name = ElidedLabel("", parent=self)
        self._facts = label("", "caption", is_wrapped=True)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        for part in (self._name, self._facts, self.choose):
            texts.addWidget(part)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACING.s, SPACING.s, SPACING.s, SPACING.s)
        row.setSpacing(SPACING.m)
        row.addWidget(self._thumbnail, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(texts, 1)
        self.choose.clicked.connect(self.choose_requested)
        session.beginnings.clip_changed.connect(self._refresh)
        session.form.form_changed.connect(self._refresh)
        session.form.errors_changed.connect(self._refresh)
        session.form.model_changed.connect(self._refresh)
        self._refresh()

    def _refresh(self, _payload: Any = None) -> None:
        form, view = self._session.form, self._session.beginnings.clip
        self.setVisible(form.state.mode is Mode.CONTINUE and Mode.CONTINUE in form.offers.modes)
        has_clip = bool(form.state.continue_from)
        self.choose.setText(self.tr("Choose another…") if has_clip else self.tr("Choose a clip…"))
        self._name.setText(view.name if has_clip else self.tr("No clip yet"))
        self._name.setToolTip(view.path)
        width_px, height_px = view.size_px
        facts = self.tr("{count} frames · {width} × {height} px").format(
            count=view.num_frames, width=width_px, height=height_px
        )
        hint = self.tr("Choose one, drop it here, or use “Continue this clip” on a result.")
        self._facts.setText(facts if has_clip and width_px else "" if has_clip else hint)
        self._thumbnail.set_image(view.thumbnail if has_clip else None)

    # ---- dropping -------------------------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """One file of this computer."""
        urls = event.mimeData().urls()
        if len(urls) == 1 and urls[0].isLocalFile():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Continue it."""
        event.acceptProposedAction()
        self.file_dropped.emit(event.mimeData().urls()[0].toLocalFile())
