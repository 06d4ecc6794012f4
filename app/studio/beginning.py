"""Ties the form to what it begins with: pictures and clips from files, from the clipboard and from results."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path

from PySide6.QtCore import QObject

from app.errors import Notice, NoticeAction, Severity
from app.models.beginnings import BeginningView
from app.models.form_state import Mode
from app.models.model_library import titles_of
from app.models.model_offers import Offers, offers_of
from app.models.notices import ActionChoice
from app.models.results import Tile
from app.models.session import Session
from app.pixels import Pixels
from app.services.start_files import Beginning, BeginningProblem, StartFiles
from app.studio import actions


class BeginningKeeper(QObject):
    """The go-between of form and start files. What the chosen model cannot begin with is said, never dropped."""

    def __init__(self, session: Session, files: StartFiles, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._files = files
        self._looked_at = ""
        files.looked.connect(self._on_looked)
        files.mask_kept.connect(self._on_mask_kept)
        session.notices.action_chosen.connect(self._on_action_chosen)
        session.form.form_changed.connect(self._on_form_changed)

    def take_over(self) -> None:
        """Look again at what the form began with the last time."""
        state = self._session.form.state
        path = state.continue_from if state.mode is Mode.CONTINUE and state.continue_from else state.init_image
        if path:
            self._files.look(path)

    def begin_with(self, path: str) -> None:
        """Start from a picture, or continue a clip, whichever the file holds."""
        self._session.notices.dismiss_passing()
        self._files.look(path)

    def begin_with_picture(self, pixels: Pixels) -> None:
        """Start from a picture that has no file, as from the clipboard."""
        self._session.notices.dismiss_passing()
        self._files.keep(pixels)

    def begin_with_tile(self, tile: Tile) -> None:
        """Start from a result."""
        if tile.path:
            self.begin_with(tile.path)
        elif tile.pixels is not None and not tile.is_moving:
            self.begin_with_picture(tile.pixels)

    def set_mask(self, mask: Pixels | None) -> None:
        """Change only what is white; None: the whole picture."""
        if mask is None:
            self._session.form.update(mask_image="")
        else:
            self._files.keep_mask(mask)

    def forget_picture(self) -> None:
        """Begin with nothing again."""
        self._session.form.update(init_image="", mask_image="")

    # ---- what the files say ---------------------------------------------------------------------------------------

    def _on_looked(self, found: Beginning | BeginningProblem) -> None:
        self._looked_at = found.path
        if isinstance(found, BeginningProblem):
            self._on_problem(found)
            return
        offers = self._session.form.offers
        if found.is_clip:
            self._begin_clip(found, can_continue=Mode.CONTINUE in offers.modes)
        elif offers.has_start_picture:
            self._begin_picture(found)
        else:
            self._refuse(
                self.tr("This model starts from no picture"),
                self._why_no_picture(offers),
                *self._others(lambda each: each.has_start_picture),
            )

    def _begin_picture(self, found: Beginning) -> None:
        form = self._session.form
        is_other = form.state.init_image != found.path
        self._session.beginnings.set_picture(_view(found))
        if is_other:
            self._tell_notes(found)
        changes: dict[str, object] = {"init_image": found.path}
        if is_other:
            changes["mask_image"] = ""
        if form.state.mode is Mode.BETWEEN:
            changes["mode"] = Mode.PICTURES
        form.update(**changes)

    def _begin_clip(self, found: Beginning, *, can_continue: bool) -> None:
        if not can_continue:
            others = self._others(lambda each: Mode.CONTINUE in each.modes)
            self._refuse(
                self.tr("This model continues no clips"),
                self.tr("Another one does.")
                if others
                else self.tr("Choose a model of clips that was trained with frames to continue from."),
                *others,
                NoticeAction(actions.COMPARE_FILE, self.tr("Compare it"), found.path),
            )
            return
        form = self._session.form
        self._session.beginnings.set_clip(_view(found))
        changes: dict[str, object] = {"continue_from": found.path, "mode": Mode.CONTINUE}
        if form.state.continue_from != found.path:
            self._tell_notes(found)
            if found.prompt and not form.state.prompt.strip():  # without one the model would choose what goes on
                changes["prompt"] = found.prompt
        form.update(**changes)

    def _why_no_picture(self, offers: Offers) -> str:
        if Mode.CONTINUE in offers.modes:
            return self.tr("It continues clips instead.")
        if offers.makes_clips:
            return self.tr("It makes clips, and begins with no file.")
        return self.tr("It has no encoder; choose a model that has one.")

    def _others(self, is_able: Callable[[Offers], bool]) -> tuple[NoticeAction, ...]:
        """The offer to begin with the file under the first model that can; nothing where none can."""
        usable = self._session.library.usable
        able = (pair for pair in zip(usable, titles_of(usable), strict=True) if is_able(offers_of(pair[0])))
        return tuple(
            NoticeAction(actions.BEGIN_ELSEWHERE, self.tr("Use {name}").format(name=title), entry.path)
            for entry, title in islice(able, 1)
        )

    def _begin_elsewhere(self, folder: str) -> None:
        """Begin with the file looked at last under the model in `folder`. Where file or model are gone meanwhile, the
        chosen model stays."""
        library = self._session.library
        library.refresh()
        entry = library.by_path(folder)
        if entry not in library.usable:
            self._refuse(self.tr("This model cannot be used any more"), self.tr("Choose another one."))
            return
        if Path(self._looked_at).exists():
            self._session.form.choose_model(entry)
        self.begin_with(self._looked_at)

    def _tell_notes(self, found: Beginning) -> None:
        """A wrong suffix, an end that is missing, transparency: worth a sentence, no reason to refuse."""
        if found.notes:
            name = Path(found.path).name
            sentence = " ".join(f"{name} {note}." for note in found.notes)
            title = self.tr("Good to know about this file")
            self._session.notices.post(Notice(Severity.INFO, title, sentence, key="beginning", is_passing=True))

    def _on_problem(self, problem: BeginningProblem) -> None:
        form, name = self._session.form, Path(problem.path).name
        for field in ("init_image", "continue_from"):
            if getattr(form.state, field) == problem.path:  # what was remembered is gone
                form.update(**{field: ""})
        self._refuse(self.tr("Not a picture or clip to begin with"), f"{name} {problem.sentence.rstrip('.')}.")

    def _refuse(self, title: str, sentence: str, *ways_on: NoticeAction) -> None:
        notice = Notice(Severity.WARNING, title, sentence, actions=ways_on, key="beginning", is_passing=True)
        self._session.notices.post(notice)

    def _on_mask_kept(self, kept: str | BeginningProblem) -> None:
        if isinstance(kept, BeginningProblem):
            self._refuse(self.tr("The mask was not saved"), kept.sentence)
        else:
            self._session.form.update(mask_image=kept)

    # ---- what the form says ---------------------------------------------------------------------------------------

    def _on_form_changed(self, _state: object) -> None:
        """A beginning that came otherwise, as from a file's settings, is looked at too."""
        state, beginnings = self._session.form.state, self._session.beginnings
        if state.init_image != beginnings.picture.path:
            beginnings.set_picture(BeginningView(state.init_image, Path(state.init_image).name))
            if state.init_image:
                self._files.look(state.init_image)
        if state.continue_from != beginnings.clip.path:
            beginnings.set_clip(BeginningView(state.continue_from, Path(state.continue_from).name))
            if state.continue_from and state.mode is Mode.CONTINUE:
                self._files.look(state.continue_from)

    def _on_action_chosen(self, choice: ActionChoice) -> None:
        if choice.name == actions.BEGIN_WITH:
            self.begin_with(choice.argument)
        elif choice.name == actions.BEGIN_ELSEWHERE:
            self._begin_elsewhere(choice.argument)


def begin_action(label: str, path: str) -> NoticeAction:
    """A notice's offer to begin with a file."""
    return NoticeAction(actions.BEGIN_WITH, label, path)


def _view(found: Beginning) -> BeginningView:
    return BeginningView(found.path, Path(found.path).name, found.size_px, found.num_frames, found.thumbnail)
