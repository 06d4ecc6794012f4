"""What a data check found, in the words of the window: where the report names options of the command line, what to
press here instead."""

from PySide6.QtCore import QCoreApplication

from trainer.data.check.report import Problem, ProblemKind


def problem_words(problem: Problem) -> str:
    """The whole problem: what was found and what to do about it."""
    if "--" not in problem.remedy:
        return problem.sentence
    return f"{problem.what} {_remedy(problem)}".strip()


def _remedy(problem: Problem) -> str:
    remedies = {
        ProblemKind.CUT_OFF: _tr("“Whole pictures” or “Several shapes” below keep more of them."),
        ProblemKind.ENLARGED: _tr(
            "Choose a model for smaller pictures, or leave them out (expert settings: “Smallest side kept”)."
        ),
        ProblemKind.SHORT_CLIPS: _tr(
            "Fewer frames, a higher frame rate or a smaller frame stride keep them; all three are expert settings."
        ),
        ProblemKind.WORDS: _tr(
            "Repair the files, or set “Captions” to None among the expert settings to do without them."
        ),
        ProblemKind.EMPTY: _tr("Choose a folder or an archive with pictures or videos in it."),
    }
    if "--sheet" in problem.remedy:
        return _tr("The picture of what the model will see shows what is left.")
    return remedies.get(problem.kind, _tr("See the expert settings of the data."))


def _tr(text: str) -> str:
    return QCoreApplication.translate("ProblemWords", text)
