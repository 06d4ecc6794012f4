"""Files that stand beside the one looked at: how far each is from it, and what is still to be measured."""

from PySide6.QtCore import QCoreApplication

from app.models.compare.asking import Ask, files_ask
from app.models.compare.findings import FileKey, FilePair
from app.models.compare.inputs import CompareInputs
from app.models.compare.results import CompareResults


class FilePairs:
    """Knows which files can be measured against the present one. Each pair is asked for once by itself; what was
    stopped or failed is asked for again when a person wishes it."""

    def __init__(self, inputs: CompareInputs, results: CompareResults) -> None:
        self._inputs = inputs
        self._results = results
        self._asked: set[FileKey] = set()

    @property
    def paths(self) -> tuple[str, ...]:
        """The files beside the present one."""
        current = self._inputs.current
        return tuple(path for path in self._inputs.pinned if current is not None and path != current.path)

    def found(self, path: str) -> FilePair | None:
        """What was found of a file against the present one."""
        key = self._key(path)
        return self._results.get(key, FilePair) if key else None

    def problem(self, path: str) -> str:
        """Why a file has no numbers, as a sentence; empty if it has, or may have."""
        current, other = self._inputs.current, self._inputs.by_path(path)
        found = self.found(path)
        if found is not None and found.problem:
            return found.problem
        if current is None or other is None or not current.size_px or not other.size_px:
            return ""
        if current.size_px == other.size_px:
            return ""
        own, wanted = (f"{width} × {height}" for width, height in (other.size_px, current.size_px))
        return _tr("It has {own} pixels and the original {wanted}: numbers need pictures of one size.").format(
            own=own, wanted=wanted
        )

    def ask(self, *, is_automatic: bool = False) -> Ask | None:
        """What is neither there nor on its way; None if that is nothing.

        By itself a pair is asked for once, and not before the last one is done: whoever leafs through a hundred
        pictures shall not leave a hundred jobs behind.
        """
        if is_automatic and self._results.expects(FileKey):
            return None
        keys = [key for key in map(self._key, self.paths) if key and self._is_missing(key)]
        if is_automatic:
            keys = [key for key in keys if key not in self._asked]
        if not keys:
            return None
        self._asked.update(keys)
        return files_ask(keys, is_automatic=is_automatic)

    def _is_missing(self, key: FileKey) -> bool:
        """Whether it can be had and is neither there nor on its way."""
        items = [self._inputs.by_path(path) for path in (key.source, key.reference)]
        if not all(item and item.size_px and not item.problem for item in items) or self.problem(key.source):
            return False
        return not self._results.has(key) and not self._results.is_expected(key)

    def _key(self, path: str) -> FileKey | None:
        current = self._inputs.current
        return FileKey(path, current.path) if current is not None and path != current.path else None


def _tr(text: str) -> str:
    return QCoreApplication.translate("FilePairs", text)
