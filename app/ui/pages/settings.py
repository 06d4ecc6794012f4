"""The page Settings: sections at the left, their rows at the right."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.models.commands import Command
from app.models.session import Session
from app.ui.pieces import Pieces, polish
from app.ui.theme.theme import Theme
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import label
from app.ui.widgets.settings.section import Section

WIDTH_PX = 700
NAMES_PX = 200


class SettingsPage(QFrame):
    """Every change is on at once; there is nothing to apply. Built when it is first shown."""

    folder_chosen = Signal(object)  # tuple[str, Path]: "outputs", "models" or "runs", and the folder
    folder_open_requested = Signal(object)  # Path
    restart_requested = Signal()
    release_requested = Signal()
    check_requested = Signal()
    look_requested = Signal()
    tour_requested = Signal()
    reports_requested = Signal()
    token_requested = Signal()

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._theme = theme
        self.setProperty("role", "stage")
        self._sections: dict[str, Section] = {}
        self._names: dict[str, TextButton] = {}
        self._area: QScrollArea | None = None
        self.pieces = Pieces(self._make, partial(polish, self))
        self._titles = {
            "appearance": self.tr("Appearance"),
            "folders": self.tr("Folders"),
            "files": self.tr("Files"),
            "engine": self.tr("Engine"),
            "hub": self.tr("Hugging Face"),
            "notifications": self.tr("Notifications"),
            "check": self.tr("Check"),
            "about": self.tr("About"),
        }
        self._register()

    def _register(self) -> None:
        commands, group = self._session.commands, self.tr("Settings")
        for name, title in self._titles.items():
            command = Command(
                f"settings.{name}", self.tr("Settings: {section}").format(section=title), group, page="settings"
            )
            commands.add(command, partial(self.show_section, name))
        deeds = (
            ("release", self.tr("Release the GPU: end the engine"), self.release_requested, self.tr("free memory")),
            ("restart", self.tr("Restart the engine"), self.restart_requested, self.tr("worker device")),
            ("doctor", self.tr("Check this machine"), self.check_requested, self.tr("doctor missing mend")),
        )
        for name, title, signal, words in deeds:
            page = "settings" if name == "doctor" else ""
            commands.add(Command(f"engine.{name}", title, group, page=page, words=words), signal.emit)

    # ---- building -------------------------------------------------------------------------------------------------

    def section(self, name: str) -> Any:
        """A section by its name."""
        self.ensure_built()
        return self._sections[name]

    def ensure_built(self) -> None:
        """Before the first time the page is shown."""
        self.pieces.finish()

    def _make(self) -> Iterator[None]:
        yield from self._make_sections()
        self._build()
        self._connect()

    def _make_sections(self) -> Iterator[None]:
        from app.ui.widgets.settings.about import AboutSection
        from app.ui.widgets.settings.appearance import AppearanceSection
        from app.ui.widgets.settings.check import CheckSection
        from app.ui.widgets.settings.engine import EngineSection
        from app.ui.widgets.settings.files import FilesSection
        from app.ui.widgets.settings.folders import FoldersSection
        from app.ui.widgets.settings.hub import HubSection
        from app.ui.widgets.settings.notifications import NotificationsSection

        session, titles = self._session, self._titles
        makers: dict[str, Callable[[str], Section]] = {
            "appearance": lambda title: AppearanceSection(title, session.preferences, self._theme, self),
            "folders": lambda title: FoldersSection(title, session.folders, self),
            "files": lambda title: FilesSection(title, session.preferences, self),
            "engine": lambda title: EngineSection(title, session, self),
            "hub": lambda title: HubSection(title, session, self),
            "notifications": lambda title: NotificationsSection(title, session.preferences, self),
            "check": lambda title: CheckSection(title, session.machine, self),
            "about": lambda title: AboutSection(title, self),
        }
        yield
        for name, make in makers.items():
            self._sections[name] = make(titles[name])
            yield

    def _build(self) -> None:
        body = self._body = QWidget(self)
        body.setProperty("role", "plain")
        column = QWidget(body)
        column.setMaximumWidth(WIDTH_PX)
        rows = QVBoxLayout(column)
        rows.setContentsMargins(SPACING.l, SPACING.xl, SPACING.xl, SPACING.xxl)
        rows.setSpacing(SPACING.xl)
        for section in self._sections.values():
            rows.addWidget(section)
        rows.addStretch(1)
        inner = self._column = QHBoxLayout(body)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(column, 1)
        inner.addStretch(0)
        self._area = QScrollArea(self)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setWidget(body)
        self._area.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addLayout(self._name_column())
        outer.addWidget(self._area, 1)

    def _name_column(self) -> QVBoxLayout:
        names = QVBoxLayout()
        names.setContentsMargins(SPACING.xl, SPACING.xl, SPACING.s, SPACING.l)
        names.setSpacing(SPACING.xs)
        names.addWidget(label(self.tr("Settings"), "title"))
        names.addSpacing(SPACING.s)
        for name, title in self._titles.items():
            button = TextButton(title, "list", parent=self)
            button.setProperty("section", name)
            button.setCheckable(True)
            button.setMinimumWidth(NAMES_PX - SPACING.xxl)
            button.clicked.connect(self._on_name_clicked)
            self._names[name] = button
            names.addWidget(button)
        names.addStretch(1)
        self._mark("appearance")
        return names

    def _connect(self) -> None:
        self.section("folders").folder_chosen.connect(self.folder_chosen)
        self.section("folders").folder_open_requested.connect(self.folder_open_requested)
        self.section("engine").restart_requested.connect(self.restart_requested)
        self.section("engine").release_requested.connect(self.release_requested)
        self.section("hub").token_requested.connect(self.token_requested)
        self.section("check").check_requested.connect(self.check_requested)
        self.section("about").tour_requested.connect(self.tour_requested)
        self.section("about").reports_requested.connect(self.reports_requested)

    # ---- showing --------------------------------------------------------------------------------------------------

    def showEvent(self, event: Any) -> None:
        """The first time builds it; every time looks at the devices again."""
        self.ensure_built()
        super().showEvent(event)
        self.look_requested.emit()

    def show_section(self, name: str) -> None:
        """Bring a section to the top."""
        section = self.section(name)
        assert self._area is not None
        self._column.activate()
        body = self._body
        self._area.verticalScrollBar().setValue(section.mapTo(body, section.rect().topLeft()).y() - SPACING.xl)
        self._mark(name)

    def choose_folder(self, kind: str) -> None:
        """Ask for another folder of "outputs", "models" or "runs"."""
        self.section("folders").choose(kind)

    def choose_outputs(self) -> None:
        """Ask for another folder of results."""
        self.choose_folder("outputs")

    def open_outputs(self) -> None:
        """Show the folder of results."""
        self.folder_open_requested.emit(Path(self._session.folders.places.outputs))

    def _on_name_clicked(self) -> None:
        button = self.sender()
        if button is not None:
            self.show_section(str(button.property("section")))

    def _on_scrolled(self, value: int) -> None:
        """The name of the section that is at the top."""
        assert self._area is not None
        body, bar = self._body, self._area.verticalScrollBar()
        tops = [(section.mapTo(body, section.rect().topLeft()).y(), name) for name, section in self._sections.items()]
        above = [name for top, name in tops if top <= value + SPACING.xxl]
        is_at_end = value == bar.maximum() and value > 0
        checked = next((name for name, button in self._names.items() if button.isChecked()), "")
        visible = [name for top, name in tops if top < value + self._area.viewport().height()]
        if not (is_at_end and checked in visible and checked not in above[:-1]):
            self._mark(above[-1] if above else "appearance")

    def _mark(self, name: str) -> None:
        for each, button in self._names.items():
            button.setChecked(each == name)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Page keys scroll wherever the focus is."""
        bar = self._area.verticalScrollBar() if self._area is not None else None
        steps = {Qt.Key.Key_PageDown: 1, Qt.Key.Key_PageUp: -1}
        if bar is not None and event.key() in steps:
            bar.setValue(bar.value() + steps[Qt.Key(event.key())] * bar.pageStep())
            return
        super().keyPressEvent(event)
