"""Ties pictures to files: saves what the engine finishes, reads settings back, writes copies."""

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.errors import Notice, NoticeAction, Severity
from app.models.form_state import FormState, Mode, SeedMode
from app.models.notices import ActionChoice
from app.models.restore import Change, offer
from app.models.results import Tile
from app.models.session import Session
from app.pixels import Clip
from app.services.engine_client import EngineClient
from app.services.engine_news import FinishedPicture
from app.services.picture_files import (
    FileProblem,
    PictureFiles,
    PictureSaved,
    ResultToSave,
    SaveFailed,
    SettingsRead,
)
from app.studio import actions
from app.studio.beginning import begin_action
from ul_engine.model_folder import ModelEntry
from ul_engine.requests import InterpolateRequest

USUAL_VARIATION = 0.15
"""Pictures that are plainly of one family."""


class FileKeeper(QObject):
    """The go-between of results, form and picture files."""

    restore_offered = Signal(object)  # RestoreOffer

    def __init__(
        self, session: Session, client: EngineClient, files: PictureFiles, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._files = files
        self._undo: tuple[FormState, ModelEntry | None] | None = None
        client.picture_arrived.connect(self._on_picture)
        files.picture_saved.connect(self._on_picture_saved)
        files.save_failed.connect(self._on_save_failed)
        files.settings_read.connect(self._on_settings_read)
        files.read_failed.connect(self._on_read_failed)
        files.star_failed.connect(self._on_star_failed)
        session.notices.action_chosen.connect(self._on_action_chosen)

    @property
    def outputs(self) -> Path:
        """Folder of all results."""
        return self._files.root

    @property
    def _keeps_request(self) -> bool:
        return self._session.preferences.state.keeps_request

    def set_outputs(self, folder: Path) -> None:
        """Results go there from now on; pictures that could not be saved are tried again."""
        self._files.root = folder
        self._save_unsaved()

    # ---- saving ---------------------------------------------------------------------------------------------------

    def _on_picture(self, news: FinishedPicture) -> None:
        tile = self._tile(news.job_id, news.index)
        if tile is not None:
            self._files.save(_task(tile, news.clip, self._keeps_request))

    def _on_picture_saved(self, news: PictureSaved) -> None:
        self._session.results.set_path(news.job_id, news.index, news.path)

    def _on_save_failed(self, news: SaveFailed) -> None:
        self._session.results.set_problem(news.job_id, news.index, self.tr("not saved"))
        self._session.notices.post(
            Notice(
                Severity.ERROR,
                self.tr("Pictures are not being saved"),
                self.tr("They stay in the window until you close it. {reason}.").format(
                    reason=news.message.rstrip(".")
                ),
                actions=(
                    NoticeAction(actions.CHOOSE_OUTPUTS, self.tr("Choose another folder…")),
                    NoticeAction(actions.SAVE_AGAIN, self.tr("Try again")),
                ),
                key="save-failed",
            )
        )

    def _save_unsaved(self) -> None:
        for tile in self._session.results.done_tiles():
            if not tile.path and tile.clip is not None:
                self._files.save(_task(tile, tile.clip, self._keeps_request))

    # ---- stars ----------------------------------------------------------------------------------------------------

    def toggle_star(self, tile: Tile) -> None:
        """Star a result, or take its star; shown at once, taken back if the disk refuses."""
        if tile.path:
            now = self._tile(tile.job_id, tile.index)
            is_starred = not (now or tile).is_starred
            self._session.results.set_starred({tile.path}, is_starred)
            self._files.set_starred(tile.path, is_starred)

    def _on_star_failed(self, problem: FileProblem) -> None:
        tiles = [tile for tile in self._session.results.done_tiles() if tile.path == problem.path]
        self._session.results.set_starred({problem.path}, not any(tile.is_starred for tile in tiles))
        self._session.notices.post(
            Notice(Severity.ERROR, self.tr("The star was not kept"), problem.message, key="star", is_passing=True)
        )

    # ---- taking settings over -------------------------------------------------------------------------------------

    def read_settings(self, path: str) -> None:
        """Offer the settings of a picture file; ends in `restore_offered` or a notice."""
        self._session.notices.dismiss_passing()
        self._files.read_settings(path)

    def _on_settings_read(self, news: SettingsRead) -> None:
        session = self._session
        found = offer(
            news.path, news.embedded, session.form.state, session.form.model, session.library.match(news.embedded)
        )
        if found.changes:
            self.restore_offered.emit(found)
            return
        self._session.notices.post(
            Notice(
                Severity.INFO,
                self.tr("Nothing to change"),
                self.tr("The form is already set as for {name}.").format(name=Path(news.path).name),
                key="restore",
                is_passing=True,
            )
        )

    def _on_read_failed(self, news: FileProblem) -> None:
        name, reason = Path(news.path).name, news.message.removeprefix(f"{news.path}: ")
        self._session.notices.post(
            Notice(
                Severity.WARNING,
                self.tr("No settings to take over"),
                f"{name} {reason}.",
                actions=(begin_action(self.tr("Begin with it"), news.path),) if news.is_readable else (),
                key="restore",
                is_passing=True,
            )
        )

    def use_tile(self, tile: Tile) -> None:
        """Set the form to what made a picture of this session, with a way back."""
        session = self._session
        embedded = tile.embedded
        model = session.library.by_path(tile.request.model)
        self.apply(offer("", embedded, session.form.state, session.form.model, model).changes)

    def vary_tile(self, tile: Tile) -> None:
        """Set the form to make pictures like one of this session: its settings, and a little variation."""
        self.use_tile(tile)
        form = self._session.form
        form.roll_seed("variation_seed")
        form.update(mode=Mode.PICTURES, seed_mode=SeedMode.FIXED, variation_strength=USUAL_VARIATION)
        if form.state.num_images == 1:
            form.update(num_images=4)

    def apply(self, changes: tuple[Change, ...]) -> None:
        """Take over the chosen changes, with a way back."""
        form = self._session.form
        self._undo = (form.state, form.model)
        for change in changes:
            if change.model is not None:
                form.choose_model(change.model)
        values = {name: value for change in changes if not change.problem for name, value in change.values.items()}
        form.update(**values)
        labels = ", ".join(change.label for change in changes if not change.problem)
        self._session.notices.post(
            Notice(
                Severity.INFO,
                self.tr("Settings taken over"),
                labels or self.tr("Nothing had to change."),
                actions=(NoticeAction(actions.UNDO_RESTORE, self.tr("Undo")),),
                key="restore",
                is_passing=True,
            )
        )

    def _on_action_chosen(self, choice: ActionChoice) -> None:
        if choice.name == actions.SAVE_AGAIN:
            self._save_unsaved()
        elif choice.name == actions.UNDO_RESTORE and self._undo is not None:
            state, model = self._undo
            self._session.form.choose_model(model)
            self._session.form.update(**{name: getattr(state, name) for name in type(state).model_fields})

    def _tile(self, job_id: str, index: int) -> Tile | None:
        row = self._session.results.row_of(job_id, index)
        entry = self._session.results.entry(row) if row is not None else None
        return entry if isinstance(entry, Tile) else None


def _task(tile: Tile, clip: Clip, is_wished: bool) -> ResultToSave:
    way = tile.request if isinstance(tile.request, InterpolateRequest) else None
    request, number = (way, tile.index) if way is not None else (tile.single, 0)
    assert request is not None  # of everything but a way each result can be made alone
    return ResultToSave(tile.job_id, tile.index, clip, request, number, tile.model_name, is_wished)
