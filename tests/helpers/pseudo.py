"""A made-up language, 40 % longer than English: it shows what cannot be translated, and what would be cut."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

OPEN, CLOSE = "«", "»"
_ACCENTS = str.maketrans("aeiouAEIOU", "äéîöüÄÉÎÖÜ")
_FILLER = "ländgerewördenesüberhangswörtchen"
_PLACEHOLDER = re.compile(r"(\{[^{}]*\})")


def pseudo(text: str) -> str:
    """The text in the made-up language; placeholders stay as they are."""
    parts = _PLACEHOLDER.split(text)
    words = "".join(part if _PLACEHOLDER.fullmatch(part) else part.translate(_ACCENTS) for part in parts)
    more = max(1, round(0.4 * len(text)) - 2)
    filler = " ".join(_FILLER[start : start + 9] for start in range(0, len(_FILLER), 9))
    padding = (filler * (1 + more // len(filler)))[:more].strip()
    glue = " " if len(text) > 12 else ""
    return f"{OPEN}{words}{glue}{padding}{CLOSE}"


@pytest.fixture
def long_words(qapp: Any) -> Iterator[None]:
    """While it lasts, every string that passes `tr` comes back in the made-up language."""
    from PySide6.QtCore import QTranslator

    class Pseudo(QTranslator):
        def isEmpty(self) -> bool:
            return False

        def translate(self, context: str, text: str, disambiguation: Any = None, n: int = -1) -> str:
            return pseudo(text)

    translator = Pseudo()
    qapp.installTranslator(translator)
    yield
    qapp.removeTranslator(translator)


def untranslated(root: "QWidget", allowed: str = r"(?!)") -> list[str]:
    """All words on show below `root`, tool tips and names for screen readers included, that did not pass `tr`.

    Numbers, file names with a suffix, paths and whatever matches `allowed` (as a whole) are no words.
    """
    found = []
    for kind, text in _texts(root):
        stripped = text
        while (less := re.sub(rf"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}", "", stripped)) != stripped:  # they may be nested
            stripped = less
        if re.search(r"[A-Za-z]{3}", stripped) and not _is_no_word(text, allowed):
            found.append(f"{kind}: {text!r}")
    return sorted(set(found))


def _is_no_word(text: str, allowed: str) -> bool:
    return bool(
        re.fullmatch(allowed, text, re.DOTALL)
        or re.fullmatch(r"[\w.:~\u200b-]*[/\\][\w./\\:~\u200b -]*", text)
        or re.fullmatch(r"\S+\.\w{2,5}", text)
        or re.fullmatch(r"\d[\w.\u202f\u2009 ×%-]*", text)
    )


def _texts(root: "QWidget") -> Iterator[tuple[str, str]]:
    from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit, QPlainTextEdit, QWidget

    for widget in [root, *root.findChildren(QWidget)]:
        if not widget.isVisibleTo(root) or widget.objectName().startswith("qt_"):
            continue
        name = type(widget).__name__
        yield f"{name} tool tip", widget.toolTip()
        yield f"{name} accessible name", widget.accessibleName()
        if isinstance(widget, QLabel | QAbstractButton):
            yield name, widget.text()
        if isinstance(widget, QLineEdit | QPlainTextEdit):
            yield f"{name} placeholder", widget.placeholderText()
        if isinstance(widget, QComboBox):
            for row in range(widget.count()):
                yield f"{name} entry", widget.itemText(row)


def clipped(root: "QWidget") -> list[str]:
    """Words below `root` that do not fit where they stand, and controls that stick out of their parents."""
    from PySide6.QtCore import QPoint, Qt
    from PySide6.QtWidgets import QAbstractButton, QAbstractScrollArea, QLabel, QScrollArea, QWidget

    from app.ui.widgets.elided_label import ElidedLabel

    found = []
    for widget in root.findChildren(QWidget):
        if not widget.isVisibleTo(root) or widget.width() <= 0 or widget.objectName().startswith("qt_"):
            continue
        name = f"{type(widget).__name__} {getattr(widget, 'text', str)()!r}" if _has_text(widget) else repr(widget)
        if isinstance(widget, QLabel) and widget.text() and not isinstance(widget, ElidedLabel):
            if widget.wordWrap():
                if widget.height() + 1 < widget.heightForWidth(widget.width()):
                    found.append(f"cut at its foot: {name}")
            elif widget.sizeHint().width() > widget.width() + 1:
                found.append(f"cut at its end: {name} ({widget.width()} of {widget.sizeHint().width()} px)")
        if isinstance(widget, QAbstractButton) and widget.text() and type(widget).__name__ != "Chip":
            icon_px = 0 if widget.icon().isNull() else widget.iconSize().width() + 4
            is_beside = getattr(widget, "toolButtonStyle", None) is None
            needed = widget.fontMetrics().horizontalAdvance(widget.text()) + (icon_px if is_beside else 0) + 6
            if needed > widget.width() + 1:
                found.append(f"cut: {name} ({widget.width()} of {needed} px)")
        if isinstance(widget, QScrollArea) and widget.widget() is not None:
            beyond = widget.widget().width() - widget.viewport().width()
            if beyond > 1 and widget.horizontalScrollBarPolicy() == Qt.ScrollBarPolicy.ScrollBarAlwaysOff:
                found.append(
                    f"{beyond} px that cannot be scrolled to: {name} of {type(widget.parentWidget()).__name__}"
                )
        parent = widget.parentWidget()
        if parent is not None and parent is not root and not isinstance(parent, QAbstractScrollArea):
            right = widget.mapTo(parent, QPoint(widget.width(), 0)).x()
            is_scrolled = isinstance(parent.parentWidget(), QAbstractScrollArea)
            if right > parent.width() + 1 and not is_scrolled and not widget.isWindow():
                found.append(f"sticks out by {right - parent.width()} px: {name} of {type(parent).__name__}")
    return found


def _has_text(widget: Any) -> bool:
    return callable(getattr(widget, "text", None))
