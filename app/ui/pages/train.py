"""The page Train: training runs, live."""

from PySide6.QtWidgets import QWidget

from app.models.session import Session


class TrainPage(QWidget):
    """Emits wishes; shows what the models hold."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
