"""What a check of this machine finds, each fault with the command that mends it, ready to be copied."""

from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.models.machine import Finding, Machine
from app.ui.theme.icons import pixmap
from app.ui.theme.theme import colours
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.settings.section import Section, selectable

_SIGN_PX = 16


class CheckSection(Section):
    """Runs ``ul-engine doctor`` in a child process."""

    check_requested = Signal()

    def __init__(self, title: str, machine: Machine, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self._machine = machine
        self._words = selectable()
        self.start = self.button(self.tr("Check"), self.check_requested)
        self.start.setAccessibleName(self.tr("Check this machine"))
        self.copy = self.button(self.tr("Copy"), self._on_copy_clicked)
        self.copy.setAccessibleName(self.tr("Copy what was found"))
        self.add_row(self.tr("Check this machine"), self._words, self.copy, self.start)
        self._list = QWidget(self)
        self.add_whole(self._list)
        self._lines = QVBoxLayout(self._list)
        self._lines.setContentsMargins(SPACING.l, 0, SPACING.l, SPACING.m)
        self._lines.setSpacing(SPACING.xs)
        machine.machine_changed.connect(self._show)
        self._shown: tuple[Finding, ...] = ()
        self._show()

    def _show(self, _state: Any = None) -> None:
        state = self._machine.state
        self.start.setEnabled(not state.is_checking)
        self.copy.setVisible(bool(state.findings))
        num_bad = sum(not finding.is_good for finding in state.findings)
        if state.is_checking:
            self._words.setText(self.tr("Looking at Python, libraries, devices, models and disk…"))
        elif state.problem:
            self._words.setText(state.problem)
        elif not state.findings:
            self._words.setText(self.tr("Finds out what is missing here, and the exact command that mends it."))
        elif num_bad == 1:
            self._words.setText(self.tr("1 thing needs mending."))
        elif num_bad:
            self._words.setText(self.tr("{count} things need mending.").format(count=num_bad))
        else:
            self._words.setText(self.tr("All is well."))
        self._show_findings(state.findings)

    def _show_findings(self, findings: tuple[Finding, ...]) -> None:
        self._list.setVisible(bool(findings))
        if findings == self._shown:
            return
        self._shown = findings
        while (item := self._lines.takeAt(0)) is not None:
            old = item.widget()
            if old is not None:
                old.deleteLater()
        for finding in sorted(findings, key=lambda finding: finding.is_good):
            self._lines.addWidget(FindingLine(finding, self._list))

    def _on_copy_clicked(self) -> None:
        lines = []
        for finding in self._machine.state.findings:
            lines.append(f"{'ok  ' if finding.is_good else 'FAIL'} {finding.text}")
            lines += [f"     {finding.mend}"] if finding.mend else []
        QGuiApplication.clipboard().setText("\n".join(lines))


class FindingLine(QWidget):
    """A sign, the finding, and below it what helps."""

    def __init__(self, finding: Finding, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._finding = finding
        self._sign = QLabel(self)
        self._sign.setFixedSize(QSize(_SIGN_PX, _SIGN_PX + 2))
        self._sign.setAccessibleName(self.tr("Good") if finding.is_good else self.tr("Needs mending"))
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(selectable(finding.text, "muted" if finding.is_good else ""))
        if finding.mend:
            mend = QHBoxLayout()
            mend.setSpacing(SPACING.xs)
            mend.addWidget(selectable(finding.mend, "code"), 1)
            copy = IconButton("copy", self.tr("Copy this command"), "small", self)
            copy.clicked.connect(self._on_copy_clicked)
            mend.addWidget(copy, 0, Qt.AlignmentFlag.AlignTop)
            words.addLayout(mend)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING.s)
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        self._tint()

    def _on_copy_clicked(self) -> None:
        QGuiApplication.clipboard().setText(self._finding.mend)

    def _tint(self) -> None:
        c = colours()
        name, colour = ("tick", c.good) if self._finding.is_good else ("warning", c.warning)
        self._sign.setPixmap(pixmap(name, colour, _SIGN_PX))

    def changeEvent(self, event: Any) -> None:
        """The sign follows the palette."""
        super().changeEvent(event)
        if event.type() == event.Type.StyleChange and hasattr(self, "_sign"):
            self._tint()
