"""The head of a run: its name, how it stands, how far it is, and what can be asked of it."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QInputDialog, QMenu, QProgressBar, QVBoxLayout, QWidget

from app.models.progress import grouped
from app.models.runs.run_view import RunView
from app.models.runs.wishes import RunVerb, RunWish
from app.models.runs.words import condition_title, facts_line, standing_line
from app.run_news import RunCondition
from app.ui.theme.fonts import font
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import IconButton, TextButton
from app.ui.widgets.elided_label import ElidedLabel
from app.ui.widgets.labels import label, set_flag
from app.ui.widgets.question_dialog import QuestionDialog
from app.ui.widgets.steady_label import SteadyLabel
from trainer.protocol import Command

BAR_STEPS = 1000
WHOLE = "100\u202f%"
MOST_STEPS = 100_000_000


class RunHeader(QFrame):
    """Buttons show what is possible now; what was asked for and not yet done is said in the line."""

    wished = Signal(object)  # RunWish
    clone_requested = Signal(object)  # str
    folder_requested = Signal(object)  # str
    report_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: RunView | None = None
        self.setProperty("role", "card")
        self._name = ElidedLabel("", "title")
        self._state = label("", "state")
        self._facts = ElidedLabel("", "caption")
        self.line = SteadyLabel()
        self.line.setFont(font(has_even_digits=True))
        self.line.set_selectable()
        self._share = SteadyLabel("muted", WHOLE)
        self._share.setFont(font(has_even_digits=True))
        self._share.align_right()
        self._bar = QProgressBar(self)
        self._bar.setRange(0, BAR_STEPS)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("Progress of the run"))
        self.resume_button = TextButton(self.tr("Resume"), "primary", "play", self)
        self.pause_button = TextButton(self.tr("Pause"), "", "pause", self)
        self.stop_button = TextButton(self.tr("Stop"), "", "stop", self)
        self.preview_button = IconButton("eye", self.tr("Draw a preview now"), parent=self)
        self.save_button = IconButton("save", self.tr("Save the state now"), parent=self)
        self.more_button = IconButton("more", self.tr("More to do with this run"), parent=self)
        self.pause_button.setToolTip(self.tr("Save everything, free the device; Resume goes on exactly there"))
        self.stop_button.setToolTip(self.tr("Save everything and end the run before its last step"))
        self._build()

    def _build(self) -> None:
        names = QVBoxLayout()
        names.setSpacing(0)
        title = QHBoxLayout()
        title.setSpacing(SPACING.m)
        title.addWidget(self._name, 1)
        title.addWidget(self._state, 0, Qt.AlignmentFlag.AlignVCenter)
        names.addLayout(title)
        names.addWidget(self._facts)
        top = QHBoxLayout()
        top.setSpacing(SPACING.s)
        top.addLayout(names, 1)
        top.addSpacing(SPACING.m)
        buttons = (self.resume_button, self.pause_button, self.stop_button, self.preview_button, self.save_button)
        for button in (*buttons, self.more_button):
            top.addWidget(button)
        row = QHBoxLayout()
        row.addWidget(self.line, 1)
        row.addWidget(self._share)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.l, SPACING.m, SPACING.m, SPACING.m)
        layout.setSpacing(SPACING.s)
        layout.addLayout(top)
        layout.addLayout(row)
        layout.addWidget(self._bar)
        verbs = {
            self.resume_button: RunVerb.RESUME,
            self.pause_button: RunVerb.PAUSE,
            self.stop_button: RunVerb.STOP,
            self.preview_button: RunVerb.PREVIEW,
            self.save_button: RunVerb.SAVE,
        }
        for each, verb in verbs.items():
            each.setProperty("verb", verb.value)
            each.clicked.connect(self._on_verb_clicked)
        self.more_button.clicked.connect(self._on_more_clicked)

    # ---- what it shows --------------------------------------------------------------------------------------------

    def set_run(self, view: RunView | None) -> None:
        """Another run."""
        if self._view is not None and self._view is not view:
            for signal in (self._view.standing_changed, self._view.pending_changed, self._view.figures_changed):
                signal.disconnect(self.refresh)
        if view is not None and view is not self._view:
            for signal in (view.standing_changed, view.pending_changed, view.figures_changed):
                signal.connect(self.refresh)
        self._view = view
        self.refresh()

    def refresh(self) -> None:
        """The present moment."""
        if self._view is None:
            return
        view, standing = self._view, self._view.standing
        condition, pending = standing.condition, self._view.pending
        self._name.set_text(view.name)
        self._facts.set_text(facts_line(view.facts))
        self._state.setText(condition_title(condition))
        set_flag(self._state, "state", condition.value)
        is_live = condition.is_live
        is_ending = bool(pending & {Command.STOP, Command.PAUSE})
        self.resume_button.setVisible(condition.can_resume or condition is RunCondition.UNSTARTED)
        self.resume_button.setText(self.tr("Start") if condition is RunCondition.UNSTARTED else self.tr("Resume"))
        for button in (self.pause_button, self.stop_button, self.preview_button, self.save_button):
            button.setVisible(is_live)
            button.setEnabled(condition is RunCondition.RUNNING and not is_ending)
        self.preview_button.setEnabled(self.preview_button.isEnabled() and Command.PREVIEW not in pending)
        self.save_button.setEnabled(self.save_button.isEnabled() and Command.SAVE not in pending)
        self._show_progress(view)

    def _show_progress(self, view: RunView) -> None:
        progress = view.progress
        self.line.set_text(self._words(view, progress.line))
        self._share.set_text(f"{progress.fraction:.0%}".replace("%", "\u202f%") if 0 < progress.fraction < 1 else "")
        self._bar.setValue(round(progress.fraction * BAR_STEPS))
        self._bar.setVisible(view.standing.condition not in (RunCondition.UNSTARTED, RunCondition.FINISHED))

    def _words(self, view: RunView, line: str) -> str:
        pending, condition = view.pending, view.standing.condition
        if Command.PAUSE in pending:
            return self.tr("Pausing: the step is finished and everything is saved…")
        if Command.STOP in pending:
            return self.tr("Stopping: the step is finished and everything is saved…")
        if condition is RunCondition.STARTING:
            return self.tr("Starting: the trainer loads, which takes some seconds…")
        if view.phase is not None:
            done, total = (grouped(count) for count in view.phase)
            return self.tr("Encoding latents: {done} / {total}").format(done=done, total=total)
        if condition is RunCondition.RUNNING and view.last("step/loss") is None and not view.standing.step:
            return self.tr("Running: the data is prepared, the first figures come soon…")
        if condition is not RunCondition.RUNNING:
            return standing_line(view.standing)
        asked = self.tr("a preview is drawn after this step") if Command.PREVIEW in pending else ""
        asked = asked or (self.tr("the state is saved after this step") if Command.SAVE in pending else "")
        return " · ".join(part for part in (line, asked) if part)

    # ---- what a person does ---------------------------------------------------------------------------------------

    def _on_verb_clicked(self) -> None:
        button = self.sender()
        if button is not None:
            self._wish(RunVerb(str(button.property("verb"))))

    def _wish(self, verb: RunVerb, num_steps: int = 0) -> None:
        if self._view is not None:
            self.wished.emit(RunWish(verb, self._view.path, num_steps))

    def _on_more_clicked(self) -> None:
        self.menu().popup(self.more_button.mapToGlobal(self.more_button.rect().bottomLeft()))

    def menu(self) -> QMenu:
        """What is seldom needed."""
        assert self._view is not None
        condition = self._view.standing.condition
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("New run with these settings…"), self._on_clone)
        extend = menu.addAction(self.tr("Train longer…"), self._on_extend)
        extend.setEnabled(condition.can_resume or condition is RunCondition.FINISHED)
        menu.addSeparator()
        menu.addAction(self.tr("Open the run’s folder"), self._on_folder)
        menu.addAction(self.tr("Open its TensorBoard files"), self._on_tensorboard)
        menu.addAction(self.tr("Copy report"), self.report_requested.emit)
        menu.addSeparator()
        kill = menu.addAction(self.tr("Stop by force…"), self._ask_kill)
        kill.setEnabled(condition.is_live)
        return menu

    def _on_clone(self) -> None:
        if self._view is not None:
            self.clone_requested.emit(self._view.path)

    def _on_folder(self) -> None:
        if self._view is not None:
            self.folder_requested.emit(self._view.path)

    def _on_tensorboard(self) -> None:
        if self._view is not None:
            self.folder_requested.emit(f"{self._view.path}/tensorboard")

    def _on_extend(self) -> None:
        """How many steps in all; then it goes on from its newest checkpoint."""
        if self._view is None:
            return
        done, total = self._view.standing.step, self._view.standing.num_steps or self._view.facts.num_steps
        dialog = QInputDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(self.tr("Train longer"))
        dialog.setInputMode(QInputDialog.InputMode.IntInput)
        dialog.setLabelText(
            self.tr("Steps in all. {done} of {total} are done.").format(done=grouped(done), total=grouped(total))
        )
        dialog.setIntRange(done + 1, MOST_STEPS)
        dialog.setIntValue(max(total, done) + max(total // 2, 1))
        dialog.intValueSelected.connect(self._on_steps_chosen)
        dialog.open()

    def _on_steps_chosen(self, num_steps: int) -> None:
        self._wish(RunVerb.EXTEND, num_steps)

    def _ask_kill(self) -> None:
        dialog = QuestionDialog(
            self.tr("Stop this run by force?"),
            self.tr(
                "Its processes are ended at once. What it did since its newest checkpoint is lost; from there it can "
                "go on. “Stop” saves first, and takes one step’s time."
            ),
            (self.tr("Stop by force"), self.tr("Let it run")),
            self,
        )
        dialog.confirmed.connect(self._on_kill_confirmed)
        dialog.open()

    def _on_kill_confirmed(self) -> None:
        self._wish(RunVerb.KILL)
