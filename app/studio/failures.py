"""Failed jobs and dead engines in plain words: what happened, and what a person can do about it."""

from PySide6.QtCore import QCoreApplication

from app.errors import Notice, NoticeAction, Severity
from app.models.job_queue import Job
from app.models.requested import at_once, has_size
from app.services.engine_news import EngineDeath
from app.studio import actions
from ul_engine.protocol import JobFailed


def failure_notice(news: JobFailed, job: Job) -> Notice:
    """The notice for a job that ended with an error."""
    if news.kind == "DeviceMemoryError":
        return _memory_notice(news, job)
    titles = {
        "CheckpointError": _tr("The model cannot be used"),
        "ConfigError": _tr("These settings do not fit the model"),
        "ShapeError": _tr("This size does not fit the model"),
        "NumericsError": _tr("The pictures came out broken"),
    }
    title = titles.get(news.kind, _tr("The engine could not make the pictures"))
    retry = NoticeAction(actions.TRY_AGAIN, _tr("Try again"), job.job_id)
    key = model_key(job.request.model) if news.kind == "CheckpointError" else "job-failure"
    return Notice(Severity.ERROR, title, news.message, details=_details(news), actions=(retry,), key=key)


def model_key(path: str) -> str:
    """Key of a notice about a model, so that reading it ahead and using it do not complain twice."""
    return f"model {path}"


def _memory_notice(news: JobFailed, job: Job) -> Notice:
    """Out of memory: the remedies, best first."""
    together = at_once(job.request)
    remedies, deeds = [], []
    if together > 1:
        half = max(1, together // 2)
        remedies.append(_tr("make fewer pictures at once (now {count})").format(count=together))
        label = _tr("Make {count} at a time").format(count=half) if half > 1 else _tr("Make one at a time")
        deeds.append(NoticeAction(actions.SMALLER_BATCH, label, job.job_id))
    if has_size(job.request):
        remedies.append(_tr("make smaller pictures"))
        deeds.append(NoticeAction(actions.TRAINED_SIZE, _tr("Use the trained size"), job.job_id))
    if not remedies:
        remedies.append(_tr("close other programs that use the device"))
        deeds.append(NoticeAction(actions.TRY_AGAIN, _tr("Try again"), job.job_id))
    sentence = _tr("The device has too little memory for this. It helps to {remedies}.").format(
        remedies=_tr(" or to ").join(remedies)
    )
    details = "\n\n".join(part for part in (news.message, news.details) if part)
    return Notice(
        Severity.ERROR, _tr("Not enough memory"), sentence, details=details, actions=tuple(deeds), key="job-failure"
    )


def death_notice(death: EngineDeath, job: Job | None, num_held: int) -> Notice:
    """The notice for an engine that is gone, and what became of its work."""
    deeds = []
    if job is not None:
        title = _tr("The engine stopped while working")
        deeds.append(NoticeAction(actions.TRY_AGAIN, _tr("Try again"), job.job_id))
    else:
        title = _tr("The engine stopped")
    sentences = [_sentence(death.words)]
    if death.restart_in_s is None:
        sentences.append(_tr("It stopped several times in a row and was not started again."))
        deeds.insert(0, NoticeAction(actions.RESTART_ENGINE, _tr("Restart the engine")))
    else:
        sentences.append(_tr("It is being restarted."))
    if job is not None and job.num_done:
        sentences.append(_tr("Pictures already finished are kept."))
    if num_held:
        sentences.append(_tr("The jobs behind it are on hold."))
        deeds.append(NoticeAction(actions.CONTINUE_QUEUE, _tr("Go on with them")))
    key = "engine-death" if job is not None or death.restart_in_s is None else "engine-idle-death"
    return Notice(
        Severity.ERROR,
        title,
        " ".join(sentences),
        details="\n".join(death.stderr_tail),
        actions=tuple(deeds),
        key=key,
    )


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:].rstrip(".") + "."


def _details(news: JobFailed) -> str:
    return news.details or f"{news.kind}: {news.message}"


def _tr(text: str) -> str:
    return QCoreApplication.translate("Failures", text)
