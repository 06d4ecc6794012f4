"""Every word on show can be translated, and a language 40 % longer than English is cut nowhere."""

from pathlib import Path

import pytest

from app.ui.widgets.settings.section import Section
from tests.app.conftest import ROOT
from tests.app.driving import Make
from tests.helpers.pseudo import clipped, pseudo, untranslated
from tests.helpers.qt import spin

PAGES = ["generate", "compare", "train", "models", "library", "settings"]
NAMES = (
    r"UL Studio|Scenes|https://huggingface\.co|.*SIL Open Font.*|UL Studio \d.*|AVIF|JPEG|JPEG XL|WebP|"
    r"Preview|Balanced|Paper|Preview, Balanced, Paper|weights\.safetensors|"
    r"Color|Floor color|Floor pattern|Material|Shape|Size|Sky|"
    r"(a|an) .* (floor|sky)|Small scenes: .*"
)
"""Names of models, codecs, presets and licences; prompts, slots and descriptions, which come from the test's model."""


def test_the_made_up_language_keeps_placeholders() -> None:
    assert pseudo("{count} jobs wait").startswith("«{count} jöbs")
    assert len(pseudo("Generate pictures")) >= 1.4 * len("Generate pictures")


@pytest.mark.parametrize("name", PAGES)
def test_every_word_passes_through_translation(make_shell: Make, long_words: None, name: str) -> None:
    shell = make_shell()
    shell.window.show_page(name)
    spin(30)
    words = [text for section in WORDS_OF_MODELS for text in section]
    found = untranslated(shell.window._pages[name], NAMES)
    assert "\n".join(text for text in found if text.split("'")[1] not in words) == ""


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)], ids=["small", "large"])
def test_long_words_are_cut_nowhere(make_shell: Make, long_words: None, name: str, size: tuple[int, int]) -> None:
    shell = make_shell()
    shell.window.show_page(name)
    shell.window.resize(*size)
    spin(60)
    assert (shell.window.width(), shell.window.height()) == size
    assert clipped(shell.window._pages[name]) == []


def test_the_chrome_holds_long_words(make_shell: Make, long_words: None) -> None:
    shell = make_shell()
    shell.window.open_palette()
    shell.window.open_shortcuts()
    spin(30)
    assert shell.window.sheet_overlay is not None
    assert clipped(shell.window.sheet_overlay) == []
    assert clipped(shell.window.status) == []
    assert clipped(shell.window.rail) == []
    shell.window.open_tour()
    spin(30)
    assert shell.window.tour is not None
    assert clipped(shell.window.tour) == []
    shell.window.tour.dismiss()


def test_what_is_cut_is_found(make_shell: Make, long_words: None) -> None:
    shell = make_shell()
    shell.window.show_page("settings")
    section: Section = shell.window.settings_page.section("engine")
    section.release.setFixedWidth(30)
    spin(30)
    assert any("cut" in line for line in clipped(section))


def test_no_module_of_the_window_hides_words_in_plain_strings() -> None:
    """Text given straight to a label or button, without `tr`, is found by reading the source."""
    import ast

    takers = {"label", "TextButton", "IconButton", "setToolTip", "setText", "setPlaceholderText", "setWindowTitle"}
    found = []
    for path in sorted((ROOT / "app" / "ui").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            first = node.args[0] if node.args else None
            if name in takers and isinstance(first, ast.Constant) and isinstance(first.value, str):
                is_icon = name == "IconButton"
                if not is_icon and any(part.isalpha() and len(part) > 2 for part in first.value.split()):
                    found.append(f"{Path(path).relative_to(ROOT)}:{node.lineno}: {first.value!r}")
    assert [line for line in found if "'UL Studio'" not in line and "↵" not in line] == []


WORDS_OF_MODELS = __import__("tests.app.model_folders", fromlist=["SLOTS"]).SLOTS.values()


def test_the_button_says_less_where_there_is_no_room_for_all(make_shell: Make, long_words: None) -> None:
    shell = make_shell()
    bar = shell.window.generate_page.panel.bar
    shell.program.session.form.update(num_images=4)
    spin(10)
    assert bar.generate_button.text() == pseudo("Generate")
    assert "4" in bar.generate_button.accessibleName()
    assert bar.generate_button.sizeHint().width() <= bar.generate_button.width()
