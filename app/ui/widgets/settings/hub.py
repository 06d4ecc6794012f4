"""The Hugging Face Hub: mirror, offline, and whether a token is stored."""

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from app.models.session import Session
from app.ui.widgets.labels import label
from app.ui.widgets.settings.section import Section, selectable
from app.ui.widgets.settings.switch import Switch

USUAL_ENDPOINT = "https://huggingface.co"


class HubSection(Section):
    """The page Models does the fetching; here is how."""

    token_requested = Signal()

    def __init__(self, title: str, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self._session = session
        self.offline = Switch(self)
        self.endpoint = QLineEdit(self)
        self.endpoint.setPlaceholderText(USUAL_ENDPOINT)
        self.endpoint.setMinimumWidth(260)
        self._problem = selectable("", "error")
        self._token = selectable()
        self.add_row(
            self.tr("Stay offline"), self.tr("Nothing is fetched; models already here go on working."), self.offline
        )
        self._mirror = label(
            self.tr("Another server with the same models, for where this one cannot be reached."),
            "muted",
            is_wrapped=True,
        )
        words = QWidget(self)
        column = QVBoxLayout(words)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._mirror)
        column.addWidget(self._problem)
        self.add_row(self.tr("Mirror"), words, self.endpoint)
        self.token_button = self.button(self.tr("Change…"), self.token_requested)
        self.token_button.setAccessibleName(self.tr("Change the access token"))
        self.add_row(self.tr("Access token"), self._token, self.token_button)
        self.offline.toggled.connect(self._on_offline_toggled)
        self.endpoint.editingFinished.connect(self._on_endpoint_edited)
        session.preferences.preferences_changed.connect(self._show)
        session.machine.machine_changed.connect(self._show)
        self._show()

    def _on_offline_toggled(self, is_offline: bool) -> None:
        self._session.preferences.update(is_hub_offline=is_offline)

    def _on_endpoint_edited(self) -> None:
        text = self.endpoint.text().strip().rstrip("/")
        is_address = not text or text.startswith(("https://", "http://"))
        self._problem.setText("" if is_address else self.tr("An address begins with https://"))
        self._problem.setVisible(not is_address)
        if is_address:
            self._session.preferences.update(hub_endpoint="" if text == USUAL_ENDPOINT else text)

    def _show(self, _news: Any = None) -> None:
        state = self._session.preferences.state
        self.offline.setChecked(state.is_hub_offline)
        if not self.endpoint.hasFocus():
            self.endpoint.setText(state.hub_endpoint)
        self._problem.setVisible(bool(self._problem.text()))
        self._token.setText(
            self.tr("One is stored on this computer; gated models can be fetched.")
            if self._session.machine.state.has_token
            else self.tr("None is stored. Gated models ask for one when you fetch them.")
        )
