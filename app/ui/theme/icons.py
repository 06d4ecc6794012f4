"""Icons drawn from the SVG files of assets/icons, tinted with a colour of the palette."""

from functools import cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from app.ui.theme.tokens import Colours
from ul_engine.assets import assets_dir

ICON_PX = 18


@cache
def icon(name: str, colour: str, disabled: str = "", size_px: int = ICON_PX) -> QIcon:
    """The named icon in `colour`, and in `disabled` where its button is disabled.

    Kept: every button asks anew with every change of style, some four times each before the first paint.
    """
    result = QIcon(pixmap(name, colour, size_px))
    if disabled:
        result.addPixmap(pixmap(name, disabled, size_px), QIcon.Mode.Disabled)
    return result


def palette_icon(name: str, colours: Colours) -> QIcon:
    """The named icon in the palette's text colour."""
    return icon(name, colours.text, colours.disabled)


@cache
def _folder() -> Path:
    return assets_dir() / "icons"


@cache
def _svg(name: str) -> bytes:
    return (_folder() / f"{name}.svg").read_bytes()


@cache
def pixmap(name: str, colour: str, size_px: int = ICON_PX) -> QPixmap:
    """The named icon as a picture, sharp on every screen in use."""
    app = QGuiApplication.instance()
    ratio = app.devicePixelRatio() if isinstance(app, QGuiApplication) else 1.0
    side = round(size_px * ratio)
    renderer = QSvgRenderer(QByteArray(_svg(name).replace(b"#000", colour.encode())))
    result = QPixmap(QSize(side, side))
    result.fill(Qt.GlobalColor.transparent)
    painter = QPainter(result)
    renderer.render(painter, QRectF(0, 0, side, side))
    painter.end()
    result.setDevicePixelRatio(ratio)
    return result


def app_icon() -> QIcon:
    """The program's own icon."""
    return QIcon(str(assets_dir() / "icons" / "ul-studio.svg"))
