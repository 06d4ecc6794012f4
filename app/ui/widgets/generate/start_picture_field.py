"""The picture to start from: chosen, dropped, pasted or taken from the results; how much changes, and where."""

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.models.beginnings import BeginningView
from app.models.form_state import Mode
from app.models.session import Session
from app.services.dropped import dropped, may_be_dropped
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import IconButton, TextButton
from app.ui.widgets.elided_label import ElidedLabel
from app.ui.widgets.generate.form_share import FormShare
from app.ui.widgets.generate.thumbnail import Thumbnail
from app.ui.widgets.labels import label


class StartPictureField(QFrame):
    """Hidden for models that start from no picture. Folded to one quiet line until there is one."""

    choose_requested = Signal()
    file_dropped = Signal(object)  # str
    image_dropped = Signal(object)  # QImage
    mask_requested = Signal()
    forget_requested = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setAcceptDrops(True)
        self.choose = TextButton(self.tr("Start from a picture…"), "fold", "picture", self)
        self.choose.setToolTip(self.tr("Choose one, drop it here, or paste it with Ctrl+V"))
        self.forget = IconButton("close", self.tr("Start from nothing again"), "small", self)
        self.mask_button = TextButton(self.tr("Paint what changes…"), "link", "brush", self)
        self.whole = TextButton(self.tr("Change all of it"), "link", parent=self)
        self.strength = FormShare(session.form, "strength", self.tr("How much changes"), lowest=0.01, parent=self)
        self.strength.set_help(
            self.tr("Near 0 keeps the picture, 1 forgets it. 0.5 keeps shapes and colours and makes details anew.")
        )
        self._thumbnail = Thumbnail(self)
        self._name = ElidedLabel("", parent=self)
        self._facts = label("", "caption", is_wrapped=True)
        self._card = QFrame(self)
        self._build()
        self.choose.clicked.connect(self.choose_requested)
        self.forget.clicked.connect(self.forget_requested)
        self.mask_button.clicked.connect(self.mask_requested)
        self.whole.clicked.connect(self._on_whole)
        session.beginnings.picture_changed.connect(self._refresh)
        session.form.form_changed.connect(self._refresh)
        session.form.model_changed.connect(self._refresh)
        self._refresh()

    def _build(self) -> None:
        self._card.setProperty("role", "inset")
        texts = QVBoxLayout()
        texts.setSpacing(2)
        head = QHBoxLayout()
        head.setSpacing(SPACING.xs)
        head.addWidget(self._name, 1)
        head.addWidget(self.forget)
        texts.addLayout(head)
        texts.addWidget(self._facts)
        for link in (self.mask_button, self.whole):
            texts.addWidget(link, 0, Qt.AlignmentFlag.AlignLeft)
        row = QHBoxLayout()
        row.setSpacing(SPACING.m)
        row.addWidget(self._thumbnail, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(texts, 1)
        card = QVBoxLayout(self._card)
        card.setContentsMargins(SPACING.s, SPACING.s, SPACING.s, SPACING.s)
        card.setSpacing(SPACING.s)
        card.addLayout(row)
        card.addWidget(self.strength)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.choose)
        layout.addWidget(self._card)

    def _refresh(self, _payload: Any = None) -> None:
        state, offers = self._session.form.state, self._session.form.offers
        self.setVisible(offers.has_start_picture and state.mode is not Mode.BETWEEN)
        has_picture = bool(state.init_image)
        self.choose.setVisible(not has_picture)
        self._card.setVisible(has_picture)
        self.whole.setVisible(bool(state.mask_image))
        self._show(self._session.beginnings.picture, has_mask=bool(state.mask_image))

    def _show(self, view: BeginningView, *, has_mask: bool) -> None:
        self._name.setText(view.name)
        self._name.setToolTip(view.path)
        width_px, height_px = view.size_px
        facts = f"{width_px} × {height_px} px" if width_px else ""
        self._facts.setText(
            self.tr("{facts} · only the painted parts change").format(facts=facts) if has_mask else facts
        )
        self._thumbnail.set_image(view.thumbnail)

    def _on_whole(self) -> None:
        self._session.form.update(mask_image="")

    # ---- dropping -------------------------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """A file of this computer, or a picture from another program."""
        if may_be_dropped(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Start from it."""
        event.acceptProposedAction()
        found = dropped(event.mimeData())
        if found.paths:
            self.file_dropped.emit(found.paths[0])
        elif found.image is not None:
            self.image_dropped.emit(found.image)
