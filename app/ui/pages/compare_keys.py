"""The keys of the page Compare, which are also its entries in the palette and the list of shortcuts."""

from typing import TYPE_CHECKING

from app.models.commands import Command
from app.ui.widgets.shortcuts import bind

if TYPE_CHECKING:
    from app.ui.pages.compare import ComparePage


def bind_keys(page: "ComparePage") -> None:
    """Everything that the page can do, before its heavy parts are built."""
    group = page.tr("Compare")

    def command(name: str, title: str, *keys: str, words: str = "") -> Command:
        return Command(f"compare.{name}", title, group, keys, "compare", words)

    for entry, run in (
        (command("run", page.tr("Make what is missing"), "Ctrl+Return", "Ctrl+Enter"), page.run),
        (command("open", page.tr("Add pictures or videos…"), "Ctrl+O", words="files input"), page.choose_files),
        (command("paste", page.tr("Paste a picture"), "Ctrl+V", words="clipboard"), page.paste),
        (command("samples", page.tr("Use the sample pictures"), words="scenes demo"), page.add_samples),
        (command("mode", page.tr("Next view: grid, wipe, blink, side by side, difference"), "M"), page.next_mode),
        (command("mode-back", page.tr("View before"), "Shift+M"), page.previous_mode),
        (command("fit", page.tr("Fit the picture"), "0", words="zoom"), page.fit),
        (command("panels", page.tr("Hide everything but the pictures"), "F", words="full panels"), page.toggle_panels),
        (command("tab", page.tr("Next analysis: numbers, bits, invented, latent, codecs, clip"), "T"), page.next_tab),
        (command("ladder", page.tr("Other ladder"), "L", words="noise decoder"), page.other_ladder),
        (command("cleaner", page.tr("Along the ladder, towards less noise"), "PgUp"), page.ladder_back),
        (command("noisier", page.tr("Along the ladder, towards more noise"), "PgDown"), page.ladder_on),
        (command("next-input", page.tr("Next picture"), "Ctrl+Right"), page.next_input),
        (command("previous-input", page.tr("Previous picture"), "Ctrl+Left"), page.previous_input),
        (command("pin", page.tr("Keep this picture beside the others"), "P", words="candidate hold"), page.toggle_pin),
        (command("save", page.tr("Save what is seen…"), "Ctrl+S", words="export png view"), page.save_view),
        (command("copy", page.tr("Copy what is seen"), "Ctrl+Shift+C", words="clipboard"), page.copy_view),
        (command("report", page.tr("Report on a folder…"), words="evaluate csv html worst"), page.choose_report),
    ):
        bind(page, page.commands, entry, run)
    for entry in (
        command("blink", page.tr("Show the original while held"), "C"),
        command("numbers", page.tr("Choose a candidate by its number"), "1-9"),
        command("arrows", page.tr("Along the ladder (when the picture is fitted)"), "Left", "Right"),
        command("play", page.tr("Play or pause a clip"), "Space"),
        command("frames", page.tr("One frame back or on"), "A", "D"),
        command("zoom", page.tr("Larger, smaller"), "+", "-"),
    ):
        page.commands.add(entry)
