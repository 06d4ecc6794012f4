"""Asks for an access token of the Hub; what is typed is never shown."""

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.models.desk.desk import ModelDesk
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import Field, label

WIDTH_PX = 480


class TokenDialog(QDialog):
    """Stays open until the server has taken the token."""

    token_entered = Signal(object)  # str
    forget_requested = Signal()

    def __init__(self, desk: ModelDesk, repo: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._repo = repo
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Access token"))
        self.edit = QLineEdit(self)
        self.edit.setEchoMode(QLineEdit.EchoMode.Password)
        self.edit.setPlaceholderText("hf_…")
        self.field = Field(self.tr("Token"), self.edit, self)
        self.ok_button = TextButton(self.tr("Keep it"), "primary", parent=self)
        self.ok_button.setDefault(True)
        self.forget_button = TextButton(self.tr("Remove the stored one"), parent=self)
        self.forget_button.setVisible(desk.account.has_token)
        self._build()
        self.edit.textChanged.connect(self._on_edited)
        self.ok_button.clicked.connect(self._on_ok)
        self.forget_button.clicked.connect(self._on_forget)
        desk.token_judged.connect(self._on_judged)
        self._on_edited()

    def _build(self) -> None:
        server = self._desk.account.endpoint or "https://huggingface.co"
        self._pages = {"tokens": f"{server}/settings/tokens", "repo": f"{server}/{self._repo}"}
        links = QHBoxLayout()
        for name, text in (("repo", self.tr("Open the model's page")), ("tokens", self.tr("Make a token"))):
            if name == "tokens" or self._repo:
                link = TextButton(text, "link", parent=self)
                link.setProperty("page", name)
                link.clicked.connect(self._on_link)
                links.addWidget(link)
        links.addStretch(1)
        cancel = TextButton(self.tr("Cancel"), parent=self)
        cancel.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.setSpacing(SPACING.s)
        row.addWidget(self.forget_button)
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(self.ok_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.xl, SPACING.xl, SPACING.xl, SPACING.l)
        layout.setSpacing(SPACING.m)
        layout.addWidget(label(self.windowTitle(), "title"))
        layout.addWidget(label(self._words(server), "muted", is_wrapped=True))
        layout.addLayout(links)
        layout.addWidget(self.field)
        layout.addLayout(row)
        self.resize(WIDTH_PX, layout.totalHeightForWidth(WIDTH_PX))

    def _words(self, server: str) -> str:
        kept = self.tr("It is kept on this computer, readable by you alone, and shown only to {server}.")
        if not self._repo:
            purpose = self.tr("For models with terms to accept, and for publishing your own.")
            return f"{purpose} {kept.format(server=server)}"
        steps = self.tr(
            "{repo} is not open to everyone: accept its terms on its page, make a token of that account, paste it."
        )
        return f"{steps.format(repo=self._repo)} {kept.format(server=server)}"

    def _on_link(self) -> None:
        link = self.sender()
        if link is not None:
            QDesktopServices.openUrl(QUrl(self._pages[str(link.property("page"))]))

    def _on_edited(self, _text: str = "") -> None:
        self.field.set_error("")
        self.ok_button.setText(self.tr("Keep it"))
        self.ok_button.setEnabled(bool(self.edit.text().strip()))

    def _on_ok(self) -> None:
        self.ok_button.setEnabled(False)
        self.ok_button.setText(self.tr("Trying it…"))
        self.token_entered.emit(self.edit.text().strip())

    def _on_forget(self) -> None:
        self.forget_requested.emit()
        self.accept()

    def _on_judged(self, problem: str) -> None:
        if not problem:
            self.accept()
            return
        self.ok_button.setText(self.tr("Keep it"))
        self.ok_button.setEnabled(True)
        self.field.set_error(problem)
        self.edit.setFocus()
