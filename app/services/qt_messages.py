"""Qt's own warnings go where the program's go: into the log."""

import logging

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}
_HARMLESS = ("This plugin does not support",)
"""The offscreen platform says this of every window it cannot raise."""

log = logging.getLogger("qt")


def route_qt_messages() -> None:
    """From here on, Qt's messages are log records of the logger ``qt``."""
    qInstallMessageHandler(_on_message)


def _on_message(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    level = logging.DEBUG if message.startswith(_HARMLESS) else _LEVELS.get(kind, logging.WARNING)
    log.log(level, "%s", message)
