"""Labels by role, a thin line, and a field with its title above and its error below."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.ui.theme.tokens import SPACING

_NARROWEST_PX = 100


class WrappedLabel(QLabel):
    """Text in as many lines as its width asks for.

    Qt's own wrapping label demands the height of a guessed width as its least, which tears holes into narrow columns.
    """

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setWordWrap(True)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def sizeHint(self) -> QSize:
        """As high as the text is at the present width."""
        width = self.width() if self.width() > _NARROWEST_PX else super().sizeHint().width()
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        """One line; `heightForWidth` tells the rest."""
        return QSize(_NARROWEST_PX, self.fontMetrics().height())


def label(text: str = "", role: str = "", *, is_wrapped: bool = False, parent: QWidget | None = None) -> QLabel:
    """A label whose look follows its role; see the style sheet. Its text is never read as HTML."""
    result = WrappedLabel(text, parent) if is_wrapped else QLabel(text, parent)
    result.setTextFormat(Qt.TextFormat.PlainText)
    if role:
        result.setProperty("role", role)
    return result


def selectable(words: QLabel) -> QLabel:
    """A label whose text can be marked and copied."""
    words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return words


def line(parent: QWidget | None = None) -> QFrame:
    """A thin horizontal line."""
    result = QFrame(parent)
    result.setProperty("role", "line")
    return result


def set_flag(widget: QWidget, name: str, value: object) -> None:
    """Set a dynamic property that the style sheet looks at, and have it looked at again."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


class Field(QWidget):
    """A control with its title above and, when something is wrong, a sentence below."""

    def __init__(self, title: str, control: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._control = control
        self._title = label(title, "field")
        self._title.setBuddy(control)
        self._error = label("", "error", is_wrapped=True)
        self._error.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.xs)
        self._head = QHBoxLayout()
        self._head.addWidget(self._title, 1)
        layout.addLayout(self._head)
        layout.addWidget(control)
        layout.addWidget(self._error)
        layout.addStretch(1)
        if not control.accessibleName():
            control.setAccessibleName(title)

    @property
    def error(self) -> str:
        """The sentence on show; empty if nothing is wrong."""
        return self._error.text()

    def set_error(self, sentence: str) -> None:
        """Show what is wrong, or nothing."""
        self._error.setText(sentence)
        self._error.setVisible(bool(sentence))
        self._control.setAccessibleDescription(sentence)
        set_flag(self._control, "wrong", "true" if sentence else "false")

    def add_to_title(self, widget: QWidget) -> None:
        """Put a button of the variant "title" at the end of the title's line."""
        self._head.addWidget(widget)

    def set_title(self, title: str) -> None:
        """Another title, where the control means something else now."""
        if self._title.text() != title:
            if self._control.accessibleName() == self._title.text():
                self._control.setAccessibleName(title)
            self._title.setText(title)

    def set_help(self, text: str) -> None:
        """A tool tip for title and control."""
        self._title.setToolTip(text)
        self._control.setToolTip(text)
