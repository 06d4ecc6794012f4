"""The choice of a model, with what it is for and what it cannot do."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.models.generate_form import GenerateForm
from app.models.model_library import ModelLibrary, titles_of
from app.models.progress import grouped
from app.ui.theme.icons import pixmap
from app.ui.theme.theme import colours
from app.ui.theme.tokens import SPACING
from app.ui.widgets.labels import label
from app.ui.widgets.quiet_inputs import QuietComboBox
from ul_engine.model_folder import Manifest

_PATH_ROLE = Qt.ItemDataRole.UserRole


class ModelChooser(QWidget):
    """Lists usable models first; broken ones stay visible, with their problem, but cannot be chosen."""

    def __init__(self, form: GenerateForm, library: ModelLibrary, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self._library = library
        self._combo = QuietComboBox(self)
        self._combo.setAccessibleName(self.tr("Model"))
        self._combo.setPlaceholderText(self.tr("None found"))
        self._description = label("", "muted", is_wrapped=True)
        self._facts = label("", "caption", is_wrapped=True)
        self._problem = label("", "error", is_wrapped=True)
        self._build()
        self._combo.activated.connect(self._on_activated)
        library.models_changed.connect(self._on_models_changed)
        form.model_changed.connect(self._on_model_changed)
        self._on_models_changed()

    def _build(self) -> None:
        title = label(self.tr("Model"), "field")
        title.setBuddy(self._combo)
        head = QHBoxLayout()
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(_honest_sign(self.honest_words(), self))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.xs)
        layout.addLayout(head)
        for part in (self._combo, self._problem, self._description, self._facts):
            layout.addWidget(part)

    def honest_words(self) -> str:
        """What nobody should have to find out by disappointment."""
        return self.tr(
            "Nobody has released general text-to-image weights for Unified Latents yet. "
            "What there is: the models that come with this program, and those you train."
        )

    def _on_models_changed(self, _entries: Any = None) -> None:
        self._combo.clear()
        usable = self._library.usable
        broken = [entry for entry in self._library.generators if entry not in usable]
        entries = (*usable, *broken)
        for entry, title in zip(entries, titles_of(entries), strict=True):
            self._combo.addItem(title if entry in usable else self.tr("{name} (unusable)").format(name=title))
            row = self._combo.count() - 1
            self._combo.setItemData(row, entry.path, _PATH_ROLE)
            self._combo.setItemData(row, entry.problem or entry.path, Qt.ItemDataRole.ToolTipRole)
        model = self._combo.model()
        assert isinstance(model, QStandardItemModel)
        for row in range(len(usable), self._combo.count()):
            model.item(row).setEnabled(False)
        self._combo.setEnabled(bool(usable))
        self._problem.setText("\n".join(entry.problem or "" for entry in broken))
        self._problem.setVisible(bool(broken) and not usable)
        self._on_model_changed()

    def _on_model_changed(self, _model: Any = None) -> None:
        model = self._form.model
        row = self._combo.findData(model.path, _PATH_ROLE) if model else -1
        self._combo.setCurrentIndex(row)
        manifest = model.manifest if model else None
        self._description.setText(manifest.description if manifest else "")
        self._description.setVisible(bool(manifest and manifest.description))
        self._facts.setText(self._fact_line(manifest) if manifest else "")
        self._facts.setVisible(manifest is not None)

    def _on_activated(self, row: int) -> None:
        entry = self._library.by_path(self._combo.itemData(row, _PATH_ROLE))
        if entry is not None and entry.manifest is not None:
            self._form.choose_model(entry)

    def _fact_line(self, manifest: Manifest) -> str:
        config = manifest.model
        facts = [self.tr("{side} px").format(side=config.image_px)]
        if config.conditioning.text is not None:
            count = sum(word[:1].isalnum() for word in config.conditioning.text.vocabulary)
            facts.append(self.tr("{count} words, no others").format(count=count))
        elif config.conditioning.kind == "class":
            facts.append(self.tr("{count} classes").format(count=config.conditioning.num_classes))
        else:
            facts.append(self.tr("takes no prompt"))
        count = sum(network.num_parameters for network in manifest.networks.values())
        if count > 0:
            facts.append(self.tr("{count} parameters").format(count=_millions(count)))
        return " · ".join(facts)


def _honest_sign(words: str, parent: QWidget) -> QLabel:
    sign = QLabel(parent)
    sign.setPixmap(pixmap("info", colours().muted, 14))
    sign.setToolTip(words)
    sign.setAccessibleName(words)
    return sign


def _millions(count: int) -> str:
    if count < 1_000_000:
        return grouped(count)
    millions = count / 1e6
    return f"{millions:.1f} M" if millions < 100 else f"{millions:.0f} M"
