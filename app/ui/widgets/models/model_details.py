"""Everything known of one model, in words that can be copied, and what can be done with it."""

import re
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFormLayout, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.models.desk.desk import ModelDesk
from app.models.desk.model_rows import ModelRows
from app.models.desk.words import parameters_words
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import IconButton, TextButton
from app.ui.widgets.flow_layout import FlowLayout
from app.ui.widgets.labels import label, line, selectable
from app.ui.widgets.shown_path import shown_path
from ul_engine.hub.figures import labelled_figures
from ul_engine.model_folder import Manifest, ModelEntry


class ModelDetails(QFrame):
    """Emits wishes about the model on show."""

    use_requested = Signal(object)  # str: folder
    compare_requested = Signal(object)  # str: folder
    verify_requested = Signal(object)  # str: folder
    folder_requested = Signal(object)  # str: folder
    publish_requested = Signal(object)  # str: folder
    remove_requested = Signal(object)  # str: folder
    card_wanted = Signal(object)  # str: folder

    def __init__(self, rows: ModelRows, desk: ModelDesk, own: Any, parent: QWidget | None = None) -> None:
        """`own` tells the folder of the person's own models."""
        super().__init__(parent)
        self._rows = rows
        self._desk = desk
        self._own = own
        self._entry: ModelEntry | None = None
        self.setProperty("role", "stage")
        self._title = selectable(label("", "title", is_wrapped=True))
        self._text = selectable(label("", "muted", is_wrapped=True))
        self._problem = selectable(label("", "warning", is_wrapped=True))
        self._verified = selectable(label("", "caption", is_wrapped=True))
        self.use_button = TextButton(self.tr("Use it"), "primary", "generate", self)
        self.compare_button = TextButton(self.tr("Compare"), "", "compare", self)
        self.verify_button = TextButton(self.tr("Check every file"), "", "verify", self)
        self.publish_button = TextButton(self.tr("Publish…"), "", "upload", self)
        self.folder_button = IconButton("folder", self.tr("Show in folder"), parent=self)
        self.remove_button = IconButton("trash", self.tr("Remove this model"), parent=self)
        self._facts = _form()
        self._figures = _form()
        self._files = _form()
        self._titles = {name: label(text, "strong") for name, text in self._headings().items()}
        self._card = selectable(label("", is_wrapped=True))
        self._card.setTextFormat(Qt.TextFormat.MarkdownText)
        self._build()
        self._connect()
        self.show_entry(None)

    def _headings(self) -> dict[str, str]:
        return {"figures": self.tr("Measured"), "files": self.tr("Files"), "card": self.tr("Its card")}

    def _build(self) -> None:
        body = QWidget()
        body.setProperty("role", "plain")
        column = QVBoxLayout(body)
        column.setContentsMargins(SPACING.xl, SPACING.l, SPACING.xl, SPACING.xl)
        column.setSpacing(SPACING.m)
        verbs = QWidget(self)
        flow = FlowLayout(SPACING.s, verbs)
        for button in (self.use_button, self.compare_button, self.verify_button, self.publish_button):
            flow.addWidget(button)
        flow.addWidget(self.folder_button)
        flow.addWidget(self.remove_button)
        for part in (self._title, self._text, self._problem, verbs, self._verified, line(self)):
            column.addWidget(part)
        column.addLayout(self._facts)
        for name, form in (("figures", self._figures), ("files", self._files)):
            column.addSpacing(SPACING.s)
            column.addWidget(self._titles[name])
            column.addLayout(form)
        column.addSpacing(SPACING.s)
        column.addWidget(self._titles["card"])
        column.addWidget(self._card)
        column.addStretch(1)
        self._scroll = QScrollArea(self)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(body)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._scroll)

    def _connect(self) -> None:
        pairs = (
            (self.use_button, self.use_requested),
            (self.compare_button, self.compare_requested),
            (self.verify_button, self.verify_requested),
            (self.publish_button, self.publish_requested),
            (self.folder_button, self.folder_requested),
            (self.remove_button, self.remove_requested),
        )
        self._wishes = dict(pairs)
        for button, _ in pairs:
            button.clicked.connect(self._on_clicked)
        self._desk.storage_changed.connect(self._refresh)
        self._desk.verified_changed.connect(self._refresh)
        self._desk.tasks_changed.connect(self._refresh_verified)
        self._desk.card_read.connect(self._refresh_card)

    def _on_clicked(self) -> None:
        button = self.sender()
        if self._entry is not None:
            next(wish for each, wish in self._wishes.items() if each is button).emit(self._entry.path)

    # ---- what it says ---------------------------------------------------------------------------------------------

    @property
    def entry(self) -> ModelEntry | None:
        """The model on show."""
        return self._entry

    def show_entry(self, entry: ModelEntry | None) -> None:
        """Show a model, or that none is chosen."""
        is_other = (entry.path if entry else "") != (self._entry.path if self._entry else "")
        self._entry = entry
        if is_other:
            self._scroll.verticalScrollBar().setValue(0)
            if entry is not None and self._desk.card(entry.path) is None:
                self.card_wanted.emit(entry.path)
        self._refresh()

    def _refresh(self, _payload: Any = None) -> None:
        entry = self._entry
        for form in (self._facts, self._figures, self._files):
            while form.rowCount():
                form.removeRow(0)
        self._title.setText(entry.name if entry else self.tr("No model chosen"))
        manifest = entry.manifest if entry else None
        self._text.setText(manifest.description if manifest else "")
        self._text.setVisible(bool(self._text.text()))
        self._problem.setText(self._rows.problem(entry) if entry else "")
        self._problem.setVisible(bool(self._problem.text()))
        self._refresh_buttons(entry)
        if entry is not None:
            self._show_facts(entry)
        if entry is not None and manifest is not None:
            self._show_manifest(manifest)
        self._titles["figures"].setVisible(bool(manifest and manifest.calibration))
        self._titles["files"].setVisible(manifest is not None)
        self._refresh_verified()
        self._refresh_card()

    def _refresh_buttons(self, entry: ModelEntry | None) -> None:
        manifest = entry.manifest if entry else None
        facts = self._desk.storage.models.get(entry.path) if entry else None
        is_own = entry is not None and Path(entry.path).is_relative_to(self._own()) and not (facts and facts.is_bundled)
        is_maker = bool(manifest and manifest.can_generate)
        self.use_button.setEnabled(is_maker)
        why_not = self.tr(
            "It brings pictures back but makes none yet: train Stage 2 on it (Train, New run, Make it generate)."
        )
        self.use_button.setToolTip(why_not if manifest and not is_maker else "")
        self.compare_button.setEnabled(bool(manifest and manifest.can_reconstruct))
        for button in (self.verify_button, self.publish_button):
            button.setEnabled(manifest is not None)
        self.folder_button.setEnabled(entry is not None)
        self.remove_button.setEnabled(is_own)
        own, other = self.tr("Remove this model"), self.tr("Only models of your own can be removed")
        self.remove_button.set_name(own if is_own else other)

    def _show_facts(self, entry: ModelEntry) -> None:
        facts = self._desk.storage.models.get(entry.path)
        rows = [(self.tr("What"), self._rows.line(entry)), (self.tr("From"), self._rows.source(entry))]
        if facts is not None and facts.commit:
            rows.append((self.tr("Commit"), facts.commit[:12]))
        if facts is not None and facts.when:
            rows.append((self.tr("Since"), facts.when))
        rows.append((self.tr("Folder"), shown_path(entry.path, is_breakable=True)))
        if facts is not None and facts.foreign:
            names = ", ".join(facts.foreign)
            rows.append(
                (self.tr("Beside it"), self.tr("{names}: belong to no model and are never read").format(names=names))
            )
        _fill(self._facts, rows)

    def _show_manifest(self, manifest: Manifest) -> None:
        model = manifest.model
        latent = self.tr("{channels} channels at 1/{factor} of the side, log-SNR {logsnr}").format(
            channels=model.latent.channels, factor=model.downsampling, logsnr=f"{model.latent.logsnr_max:g}"
        )
        rows = [(self.tr("Latent"), latent), (self.tr("Presets"), ", ".join(manifest.sampling_presets()))]
        if model.num_frames > 1:
            rows.append((self.tr("Clips"), self.tr("{n} frames").format(n=model.num_frames)))
        if model.conditioning.text is not None:
            words = ", ".join(word for word in model.conditioning.text.vocabulary if word[:1].isalnum())
            rows.append((self.tr("Knows"), self.tr("{words}; no other words").format(words=words)))
        if manifest.class_names:
            rows.append((self.tr("Classes"), ", ".join(manifest.class_names)))
        _fill(self._facts, rows)
        _fill(self._figures, labelled_figures(manifest.calibration))
        words = self.tr("{network}, {parameters}, SHA-256 {hash}")
        files = [
            (
                network.file,
                words.format(network=name, parameters=parameters_words(network.num_parameters), hash=network.sha256),
            )
            for name, network in manifest.networks.items()
        ]
        _fill(self._files, files)

    def _refresh_verified(self, _payload: Any = None) -> None:
        entry = self._entry
        verified = self._desk.verified(entry.path) if entry else None
        is_running = entry is not None and self._desk.task_of(entry.path, "verify") is not None
        self.verify_button.setEnabled(bool(entry and entry.manifest) and not is_running)
        if is_running:
            text = self.tr("Every file is being read…")
        elif verified is None:
            text = ""
        elif verified.is_intact:
            text = self.tr("Checked: every file is as published.")
        else:
            text = "\n".join(verified.problems)
        self._verified.setText(text)
        self._verified.setVisible(bool(text))

    def _refresh_card(self, _payload: Any = None) -> None:
        text = tame_markdown((self._desk.card(self._entry.path) or "") if self._entry else "")
        self._card.setText(text)
        self._titles["card"].setVisible(bool(text))


def tame_markdown(text: str) -> str:
    """A card as text alone: pictures and HTML in it, which others wrote, are left out and nothing is loaded."""
    return re.sub(r"<[^>]*>", "", re.sub(r"!\[([^\]]*)\]\([^)]*\)", r"\1", text))


def _form() -> QFormLayout:
    form = QFormLayout()
    form.setHorizontalSpacing(SPACING.l)
    form.setVerticalSpacing(6)
    form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
    form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
    return form


def _fill(form: QFormLayout, rows: Any) -> None:
    for name, value in rows:
        if value:
            form.addRow(label(name, "caption"), selectable(label(value, is_wrapped=True)))
