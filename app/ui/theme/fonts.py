"""The bundled font."""

from PySide6.QtGui import QFont, QFontDatabase

from app.ui.theme.tokens import TYPE
from ul_engine.assets import assets_dir

FAMILY = "Inter"


def load_fonts() -> bool:
    """Make the bundled font known to Qt; False if a file of it cannot be used."""
    files = sorted((assets_dir() / "fonts").glob("*.ttf"))
    return bool(files) and all(QFontDatabase.addApplicationFont(str(file)) >= 0 for file in files)


def font(
    size_px: int = TYPE.body, weight: QFont.Weight = QFont.Weight.Normal, *, has_even_digits: bool = False
) -> QFont:
    """The bundled font; with `has_even_digits` numbers do not jitter while they count."""
    result = QFont(FAMILY)
    result.setPixelSize(size_px)
    result.setWeight(weight)
    if has_even_digits:
        result.setFeature(QFont.Tag("tnum"), 1)
    return result
