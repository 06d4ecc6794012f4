"""What this is, in which version, under which licences, and where its papers are."""

import platform

from PySide6.QtCore import Signal, qVersion
from PySide6.QtWidgets import QWidget

from app.ui.widgets.settings.section import Section, selectable

_PACKAGES = ("torch", "PySide6-Essentials", "numpy", "safetensors", "huggingface-hub")


class AboutSection(Section):
    """Versions are read when the section is first shown; reading them costs some milliseconds."""

    tour_requested = Signal()
    reports_requested = Signal()

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self._versions = selectable()
        self.add_row(
            "UL Studio",
            selectable(
                self.tr(
                    "Generate, compare, train and keep Unified Latents (arXiv 2602.17270). An independent "
                    "implementation, written from the paper. Licence: Apache 2.0. Font: Inter, SIL Open Font Licence. "
                    "Qt and PySide6: LGPL 3."
                )
            ),
        )
        self.add_row(self.tr("Versions"), self._versions)
        self.add_row(
            self.tr("What to expect"),
            selectable(
                self.tr(
                    "Nobody has released general text-to-image weights for Unified Latents yet. What there is: the "
                    "models that come with this program, and those you train."
                )
            ),
        )
        tour = self.button(self.tr("Start the tour"), self.tour_requested)
        self.add_row(self.tr("A first look around"), self.tr("Four steps, from a prompt to training."), tour)
        reports = self.button(self.tr("Open the folder"), self.reports_requested)
        self.add_row(
            self.tr("Crash reports"),
            self.tr("Written on this computer, and sent nowhere. Read one before you pass it on."),
            reports,
        )

    def showEvent(self, event: object) -> None:
        """Now the versions are wanted."""
        super().showEvent(event)  # type: ignore[arg-type]
        if not self._versions.text():
            self._versions.setText(versions_text())


def versions_text() -> str:
    """One line that helps whoever reads a report."""
    parts = [f"UL Studio {_version('ul-studio')}", f"Python {platform.python_version()}", f"Qt {qVersion()}"]
    parts += [f"{package} {_version(package)}" for package in _PACKAGES]
    return ", ".join([*parts, f"{platform.system()} {platform.release()}"])


def _version(package: str) -> str:
    from importlib import metadata  # reads slowly, and only this needs it

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "?"
