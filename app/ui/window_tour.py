"""What the tour shows: from a prompt to a model of one's own, in four steps."""

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from app.ui.pages.generate import GeneratePage
from app.ui.widgets.navigation_rail import NavigationRail
from app.ui.widgets.overlay.tour import Tour, TourStep


def make_tour(page: GeneratePage, rail: NavigationRail, window: QWidget) -> Tour:
    """The tour over this window."""
    panel = page.panel
    prompt = panel if panel.prompt_field.isHidden() else panel.prompt_field
    steps = (
        TourStep(
            "generate",
            prompt,
            _tr("Say what you would like to see"),
            _tr(
                "The model that comes along is a small one and draws simple scenes. The words it knows stand below; "
                "a click puts one in. A word it does not know is underlined."
            ),
        ),
        TourStep(
            "generate",
            panel.bar.generate_button,
            _tr("Make pictures"),
            _tr(
                "They come into focus at the right, a few seconds each on a plain processor, and are saved by "
                "themselves with everything that made them. Esc stops."
            ),
        ),
        TourStep(
            "generate",
            rail.button("compare"),
            _tr("See what a latent keeps"),
            _tr(
                "Compare encodes pictures of your own, adds noise step by step, and decodes them again: what survives, "
                "what is made up, and how many bits it took."
            ),
        ),
        TourStep(
            "generate",
            rail.button("train"),
            _tr("Train a model of your own"),
            _tr(
                "Train looks at a folder of pictures, says what it would cost, and runs on while this window is "
                "closed. Ctrl+K finds everything else."
            ),
        ),
    )
    return Tour(steps, window)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Tour", text)
