"""The page Compare as one thing: what is compared, how, what was found, and what is shown of it now."""

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.models.compare.asking import Ask, Subject, codec_ask, first_ask, fitting_rung, ladder_ask, spread_ask
from app.models.compare.candidates import Candidate, CandidateKind, Shown, ShownState, candidates_of
from app.models.compare.figures import Figures
from app.models.compare.file_pairs import FilePairs
from app.models.compare.findings import (
    CodecKey,
    Key,
    Original,
    OriginalKey,
    Reconstruction,
    RungKey,
    Spread,
    SpreadKey,
)
from app.models.compare.form import CompareForm
from app.models.compare.inputs import CompareInputs, InputItem
from app.models.compare.levels import NATIVE, Ladder, Rung
from app.models.compare.report import FolderReport
from app.models.compare.results import CompareResults
from app.models.compare.view import CompareViewState
from ul_engine.model_folder import ModelEntry
from ul_engine.requests import CodecName

NEWS_MS = 15
"""Scrubbing swaps pictures at once; numbers and charts follow this much later, and once for many steps."""


class Comparison(QObject):
    """Owns the parts, and puts them together for whoever shows them."""

    asks_made = Signal(object)  # tuple[Ask, ...]: to be queued in this order
    stop_requested = Signal()
    shown_changed = Signal()  # something on show may have changed; many changes at once tell once

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.inputs = CompareInputs(self)
        self.form = CompareForm(self)
        self.results = CompareResults(self)
        self.view = CompareViewState(self)
        self.report = FolderReport(self)
        self.pairs = FilePairs(self.inputs, self.results)
        self._codecs_wanted: set[str] = set()
        self._missing_codecs: dict[str, str] = {}
        self._missing_measures: dict[str, str] = {}
        self._news = QTimer(self)
        self._news.setSingleShot(True)
        self._news.setInterval(NEWS_MS)
        self._news.timeout.connect(self._on_news)
        self.inputs.inputs_changed.connect(self._on_changed)
        self.inputs.current_changed.connect(self._on_changed)
        self.inputs.pinned_changed.connect(self._on_changed)
        self.form.form_changed.connect(self._on_changed)
        self.form.models_changed.connect(self._on_changed)
        self.results.work_changed.connect(self._on_changed)
        self.results.found.connect(self._on_found)
        self.view.view_changed.connect(self._on_changed)

    # ---- what is compared -----------------------------------------------------------------------------------------

    def add_files(self, paths: Iterable[str]) -> None:
        """Take pictures and videos in."""
        self.inputs.add(paths)

    def compare_files(self, paths: Iterable[str]) -> None:
        """Take files in and hold them against each other: the first is looked at, the others stand beside it."""
        wanted = [str(Path(path).absolute()) for path in paths]
        self.inputs.add(wanted)
        if wanted:
            self.inputs.choose(wanted[0])
            self.inputs.set_pinned(wanted[1:])
            self.view.update(candidate=1, reference=0)

    @property
    def source(self) -> str:
        """The file now looked at; empty if there is none."""
        return self.inputs.current.path if self.inputs.current else ""

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """What is laid beside each other; the original is first."""
        others = [path for path in self.inputs.pinned if path != self.source]
        return candidates_of(self.form.chosen, self.form.state.codecs, others)

    @property
    def candidate(self) -> Candidate:
        """The one chosen by its number; the original, if there is no such."""
        candidates = self.candidates
        return candidates[min(max(self.view.view.candidate, 0), len(candidates) - 1)]

    @property
    def reference(self) -> Candidate:
        """What the chosen candidate is held against; the original, if there is no such."""
        candidates = self.candidates
        place = self.view.view.reference
        return candidates[place if 0 <= place < len(candidates) else 0]

    def choose(self, place: int) -> None:
        """Look at the candidate with this number; those there are not change nothing."""
        if 0 <= place < len(self.candidates):
            self.view.update(candidate=place)

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """The rungs of the ladder now scrubbed."""
        return self.form.rungs(self.view.view.ladder)

    @property
    def rung(self) -> Rung:
        """The rung on show."""
        rung = self.view.view.rung
        return rung if rung in self.rungs else NATIVE

    def step_rung(self, offset: int) -> None:
        """Move along the ladder."""
        rungs = self.rungs
        if rungs:
            self.view.set_rung(rungs[min(max(rungs.index(self.rung) + offset, 0), len(rungs) - 1)])

    def model(self, candidate: Candidate) -> ModelEntry | None:
        """The model of a candidate."""
        return next((entry for entry in self.form.chosen if entry.path == candidate.name), None)

    # ---- what is shown --------------------------------------------------------------------------------------------

    def original(self, source: str = "") -> Original | None:
        """The pixels of an input (empty: the present one); None while they are not there."""
        return self.results.get(OriginalKey(source or self.source), Original)

    def key_of(self, candidate: Candidate, rung: Rung | None = None) -> Key | None:
        """Where a candidate's picture of the present input is kept; None if there cannot be one."""
        if candidate.kind is CandidateKind.ORIGINAL:
            return OriginalKey(self.source)
        if candidate.kind is CandidateKind.FILE:
            return OriginalKey(candidate.name)
        if candidate.kind is CandidateKind.CODEC:
            bits = self.bits_per_pixel()
            return CodecKey(self.source, candidate.name, bits) if bits else None
        entry = self.model(candidate)
        if entry is None or entry.manifest is None:
            return None
        fitting = fitting_rung(rung or self.rung, entry.manifest.model)
        return RungKey(self.source, self.form.recipe_of(entry), fitting) if fitting else None

    def shown(self, candidate: Candidate, rung: Rung | None = None) -> Shown:
        """A candidate's picture of the present input at a rung (None: the one on show), or why there is none."""
        if candidate.kind in (CandidateKind.ORIGINAL, CandidateKind.FILE):
            return self._shown_file(candidate)
        key = self.key_of(candidate, rung)
        found = self.results.get(key, Reconstruction) if key else None
        mean = self._mean(candidate, rung)
        if mean is not None:
            return mean
        if found is not None:
            return Shown(candidate, ShownState.READY, found.clip, found.figures, found.flip_map, found.figures.setting)
        return Shown(candidate, self._state(candidate, key), words=self._missing_codecs.get(candidate.name, ""))

    def _shown_file(self, candidate: Candidate) -> Shown:
        original = self.original(candidate.name)
        state, clip = (ShownState.READY, original.clip) if original else (ShownState.WAITING, None)
        pair = self.pairs.found(candidate.name) if candidate.kind is CandidateKind.FILE else None
        figures, flip_map = (pair.figures, pair.flip_map) if pair else (None, None)
        words = self.pairs.problem(candidate.name) if candidate.kind is CandidateKind.FILE else ""
        return Shown(candidate, state, clip, figures, flip_map, words)

    def spread_of(self, candidate: Candidate, rung: Rung | None = None) -> Spread | None:
        """Several decodes of a model at a rung (None: the one on show), as many as are asked for."""
        key = self.key_of(candidate, rung)
        if not isinstance(key, RungKey):
            return None
        return self.results.get(SpreadKey(key.source, key.recipe, key.rung, self.form.state.num_decodes), Spread)

    def _mean(self, candidate: Candidate, rung: Rung | None) -> Shown | None:
        spread = self.spread_of(candidate, rung) if self.view.view.shows_mean else None
        if spread is None:
            return None
        words = self.tr("mean of {count} decodes").format(count=spread.num_decodes)
        figures = Figures(psnr_db=spread.mean_psnr_db, bits_per_pixel=self.bits_per_pixel(candidate))
        return Shown(candidate, ShownState.READY, spread.mean, figures, words=words)

    def all_shown(self) -> tuple[Shown, ...]:
        """All candidates as they are now."""
        return tuple(self.shown(candidate) for candidate in self.candidates)

    def bits_per_pixel(self, candidate: Candidate | None = None) -> float | None:
        """The bound of a model at its native level; None: of the first one, whose rate codecs are to meet."""
        entry = self.model(candidate) if candidate else next(iter(self.form.chosen), None)
        found = self.results.get(self._native_key(entry), Reconstruction) if entry else None
        return found.figures.bits_per_pixel if found else None

    def _state(self, candidate: Candidate, key: Key | None) -> ShownState:
        if candidate.name in self._missing_codecs or (key and self.results.has_failed(key)):
            return ShownState.FAILED
        if key and self.results.is_running(key):
            return ShownState.RUNNING
        return ShownState.WAITING if key and self.results.is_expected(key) else ShownState.MISSING

    def native_figures(self, candidate: Candidate) -> Figures | None:
        """The numbers of a model's usual reconstruction."""
        entry = self.model(candidate)
        found = self.results.get(self._native_key(entry), Reconstruction) if entry else None
        return found.figures if found else None

    @property
    def missing_codecs(self) -> dict[str, str]:
        """Codecs that this machine lacks, each with the reason."""
        return dict(self._missing_codecs)

    # ---- what is asked for ----------------------------------------------------------------------------------------

    def run(self, ladder: Ladder | None = None, *, is_everything: bool = False) -> bool:
        """Ask for a ladder (None: the one on show) of the present input, or of all; False if nothing is missing."""
        items = self.inputs.items if is_everything else ()
        current = self.inputs.current
        ordered = ([current] if current else []) + [item for item in items if item != current]
        pairs = self.pairs.ask()
        asks = [pairs] if pairs else []
        asks += [ask for item in ordered if not item.problem for ask in self._ladder_asks(item, ladder)]
        if self.form.state.codecs:
            self._codecs_wanted |= {item.path for item in ordered}
            asks += self._codec_asks(self.source)
        self._ask(asks)
        return bool(asks)

    def run_spread(self) -> bool:
        """Ask for several decodes of the rung on show, of every model."""
        item = self.inputs.current
        if item is None:
            return False
        num_decodes = self.form.state.num_decodes
        asks = [spread_ask(self._subject(item, model), self.rung, num_decodes) for model in self.form.chosen]
        self._ask([ask for ask in asks if ask and not self.results.is_expected(ask.keys[0])])
        return any(asks)

    def run_bench(self, codecs: tuple[CodecName, ...]) -> bool:
        """Ask for codecs at the bits of every model, and their curves."""
        rates = [
            found.figures.bits_per_pixel
            for model in self.form.chosen
            if (found := self.results.get(self._native_key(model), Reconstruction)) and found.figures.bits_per_pixel
        ]
        ask = codec_ask(self.source, codecs, list(dict.fromkeys(rates)), self.results, curves=True)
        self._ask([ask] if ask else [])
        return ask is not None

    def stop(self) -> None:
        """Nothing more of what was asked."""
        self._codecs_wanted.clear()
        self.stop_requested.emit()

    def note_missing_codec(self, codec: str, reason: str) -> None:
        """This machine lacks a codec."""
        self._missing_codecs[codec] = reason
        self._on_changed()

    @property
    def missing_measures(self) -> dict[str, str]:
        """Measures that cannot be taken of the input last worked on, each with the reason."""
        return dict(self._missing_measures)

    def note_missing_measures(self, missing: tuple[tuple[str, str], ...]) -> None:
        """Some measures cannot be taken."""
        self._missing_measures = dict(missing)
        self._on_changed()

    def _native_key(self, model: ModelEntry) -> RungKey:
        return RungKey(self.source, self.form.recipe_of(model), NATIVE)

    def _subject(self, item: InputItem, model: ModelEntry) -> Subject:
        return Subject(item.path, model, self.form.recipe_of(model), item.size_px or (0, 0))

    def _ladder_asks(self, item: InputItem, ladder: Ladder | None) -> list[Ask]:
        """First one picture of every model, then the rest."""
        rungs = self.form.rungs(ladder or self.view.view.ladder)
        subjects = [self._subject(item, model) for model in self.form.chosen]
        asks = [first_ask(subject, self.results) for subject in subjects]
        asks += [ladder_ask(subject, rungs, self.results) for subject in subjects]
        return [ask for ask in asks if ask]

    def _codec_asks(self, source: str) -> list[Ask]:
        bits = self.bits_per_pixel()
        codecs = tuple(name for name in self.form.state.codecs if name not in self._missing_codecs)
        if source != self.source or not bits or not codecs:
            return []
        ask = codec_ask(source, codecs, [bits], self.results, curves=False)
        return [ask] if ask else []

    def _ask(self, asks: list[Ask]) -> None:
        if asks:
            self.asks_made.emit(tuple(asks))

    # ---- news -----------------------------------------------------------------------------------------------------

    def _on_found(self, key: Key) -> None:
        if isinstance(key, RungKey) and key.rung == NATIVE and key.source in self._codecs_wanted:
            asks = self._codec_asks(key.source)
            if asks:
                self._codecs_wanted.discard(key.source)
            self._ask(asks)
        self._on_changed()

    def _on_news(self) -> None:
        """What may have changed is told once; files beside the present one are measured by themselves."""
        pairs = self.pairs.ask(is_automatic=True)
        self._ask([pairs] if pairs else [])
        self.shown_changed.emit()

    def _on_changed(self, _payload: object = None) -> None:
        if not self._news.isActive():
            self._news.start()
