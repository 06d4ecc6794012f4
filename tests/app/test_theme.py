"""Every word can be read: contrast by WCAG 2 AA, in both palettes; and the style sheet holds what the tokens say."""

import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from app.ui.theme.style_sheet import style_sheet
from app.ui.theme.tokens import DARK, LIGHT, Colours, contrast

SURFACES = ("rail", "window", "panel", "raised", "hover", "field", "canvas")
TEXTS = ("text", "muted", "accent_text", "warning", "error")
both = pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])


def test_the_ratio_is_wcags() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#336699", "#336699") == 1.0


@both
@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("text", TEXTS)
def test_words_on_every_surface(palette: Colours, surface: str, text: str) -> None:
    assert contrast(getattr(palette, text), getattr(palette, surface)) >= 4.5


@both
def test_words_on_colour(palette: Colours) -> None:
    for name in ("accent", "accent_hover", "accent_pressed"):
        assert contrast(palette.on_accent, getattr(palette, name)) >= 4.5
    for tint, text in (("accent_tint", "accent_text"), ("warning_tint", "warning"), ("error_tint", "error")):
        assert contrast(getattr(palette, text), getattr(palette, tint)) >= 4.5
        assert contrast(palette.text, getattr(palette, tint)) >= 4.5


@both
def test_controls_and_focus_can_be_seen(palette: Colours) -> None:
    for surface in ("panel", "window"):
        assert contrast(palette.field_line, getattr(palette, surface)) >= 3.0
        assert contrast(palette.focus, getattr(palette, surface)) >= 3.0
        assert contrast(palette.good, getattr(palette, surface)) >= 3.0


@both
def test_all_colours_are_of_one_form(palette: Colours) -> None:
    for field in fields(palette):
        if field.name != "name":
            assert re.fullmatch(r"#[0-9a-f]{6}", getattr(palette, field.name)), field.name


@both
def test_the_style_sheet_uses_only_the_palette(palette: Colours) -> None:
    sheet = style_sheet(palette, Path("/icons"))
    allowed = {getattr(palette, field.name) for field in fields(palette)}
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b", sheet)) <= allowed
    assert sheet.count("{") == sheet.count("}")


def test_the_theme_can_be_changed_while_running(qapp: Any, owned: Callable[[Any], Any]) -> None:
    from app.ui.theme.theme import Theme, colours

    theme, seen = owned(Theme(qapp)), []
    theme.theme_changed.connect(lambda palette: seen.append(palette.name))
    theme.set_wish("light")
    assert colours() is LIGHT
    theme.toggle()
    theme.set_wish("dark")
    assert (theme.wish, seen) == ("dark", ["light", "dark"])
    assert qapp.palette().window().color().name() == DARK.window
    theme.set_wish("system")
    assert seen[2] in ("dark", "light")
    theme.set_wish("dark")


def test_the_bundled_font_is_used(qapp: Any) -> None:
    from PySide6.QtGui import QFont, QFontInfo

    from app.ui.theme.fonts import FAMILY, font, load_fonts

    assert load_fonts()
    assert QFontInfo(font(weight=QFont.Weight.DemiBold)).family() == FAMILY


def test_every_icon_draws_something(qapp: Any) -> None:
    from app.ui.theme.icons import app_icon, pixmap
    from ul_engine.assets import assets_dir

    for path in (assets_dir() / "icons").glob("*.svg"):
        image = pixmap(path.stem, "#ff0000", 24).toImage()
        assert any(image.pixelColor(x, y).alpha() for x in range(24) for y in range(24)), path.name
    assert not app_icon().isNull()
