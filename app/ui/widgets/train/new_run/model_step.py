"""Step 2: which model. What suits data and computer is chosen already."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QButtonGroup, QVBoxLayout, QWidget

from app.models.new_run.base_settings import Goal
from app.models.new_run.new_run import NewRun
from app.models.new_run.recipes import RecipeCard
from app.models.new_run.state import NewRunState
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import label
from app.ui.widgets.train.new_run.recipe_tile import RecipeTile


class ModelStep(QWidget):
    """Tiles to choose from for a new model; for the other goals the model is given, and said."""

    def __init__(self, model: NewRun, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._cards: tuple[RecipeCard, ...] = ()
        self.tiles: list[RecipeTile] = []
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._words = label("", "muted", is_wrapped=True)
        self._given = label("", is_wrapped=True)
        self._given.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._fitting = QVBoxLayout()
        self._fitting.setSpacing(SPACING.s)
        self._large = QWidget(self)
        self._large_column = QVBoxLayout(self._large)
        self._large_column.setContentsMargins(0, 0, 0, 0)
        self._large_column.setSpacing(SPACING.s)
        self.large_fold = TextButton("", "fold", "chevron-right", self)
        self.large_fold.setCheckable(True)
        self._build()
        self._group.buttonClicked.connect(self._on_clicked)
        self.large_fold.toggled.connect(self._on_fold_toggled)
        model.state_changed.connect(self._on_state_changed)
        self._on_state_changed(model.state)

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.m)
        layout.addWidget(label(self.tr("Model"), "strong"))
        layout.addWidget(self._words)
        layout.addWidget(self._given)
        layout.addLayout(self._fitting)
        layout.addWidget(self.large_fold)
        layout.addWidget(self._large)
        layout.addStretch(1)
        self._large.hide()

    def _on_state_changed(self, state: Any) -> None:
        is_fresh = state.goal is Goal.FRESH
        self._given.setVisible(not is_fresh)
        self._given.setText(self._given_words(state))
        cards = state.cards if is_fresh else ()
        if cards != self._cards:
            self._show(cards)
        for tile in self.tiles:
            tile.setChecked(tile.card.name == state.recipe)
        self._words.setText(self._fresh_words(state) if is_fresh else "")
        self._words.setVisible(is_fresh)

    def _show(self, cards: tuple[RecipeCard, ...]) -> None:
        self._cards = cards
        for tile in self.tiles:
            self._group.removeButton(tile)
            tile.hide()
            tile.deleteLater()
        self.tiles = []
        for card in cards:
            if card.fits:
                self._add_tile(card, self._fitting)
        count = sum(not card.fits for card in cards)
        self.large_fold.setText(self.tr("{count} that need a larger graphics card").format(count=count))
        self.large_fold.setVisible(count > 0)
        self._on_fold_toggled(self.large_fold.isChecked())

    def _add_tile(self, card: RecipeCard, column: QVBoxLayout) -> None:
        tile = RecipeTile(card, self)
        tile.setChecked(card.name == self._model.state.recipe)
        self.tiles.append(tile)
        self._group.addButton(tile)
        column.addWidget(tile)

    def _on_fold_toggled(self, is_open: bool) -> None:
        """What does not fit is made when somebody wants to see it."""
        made = {tile.card.name for tile in self.tiles}
        for card in self._cards if is_open else ():
            if card.name not in made:
                self._add_tile(card, self._large_column)
        self.large_fold.set_icon("chevron-down" if is_open else "chevron-right")
        self._large.setVisible(is_open and self.large_fold.isVisibleTo(self))

    def _on_clicked(self, tile: Any) -> None:
        self._model.choose_recipe(tile.card.name)

    def _fresh_words(self, state: NewRunState) -> str:
        device_bytes = state.report.device_bytes if state.report is not None else None
        if device_bytes is None:
            return self.tr("This computer has no graphics card that can train, so small models are proposed.")
        return self.tr("This computer's graphics card has {memory} GB.").format(memory=f"{device_bytes / 1e9:.0f}")

    def _given_words(self, state: NewRunState) -> str:
        start = state.start
        if start is None:
            return self.tr("Choose what to start from in step 1.")
        words = self.tr("The model is that of {name}: pictures of {side} px, {channels} latent channels.").format(
            name=start.name, side=start.model.image_px, channels=start.model.latent.channels
        )
        if state.goal is Goal.STAGE2:
            words += " " + self.tr("Its encoder and decoder stay as they are; a base model is trained on its latents.")
        else:
            words += " " + self.tr("All its weights that fit are taken over, and go on learning.")
        return words
