"""Fetching one file of weights from the Hub: of the networks behind FID, FVD and LPIPS, which are not ours to ship."""

import os
from collections.abc import Callable
from pathlib import Path

from ul_engine.errors import ConfigError, HubError
from ul_engine.hub.connection import Patience
from ul_engine.hub.endpoint import Hub, connect, repo_id
from ul_engine.hub.place import require_space, written
from ul_engine.hub.progress import Meter, ProgressListener
from ul_engine.hub.remote import look_up
from ul_engine.hub.transfer import Wanted, fetch

SUFFIXES = (".safetensors", ".pth", ".pt")


def fetch_weights(
    repo: str,
    name: str,
    into: str | os.PathLike[str],
    *,
    revision: str = "main",
    hub: Hub | None = None,
    progress: ProgressListener | None = None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Path:
    """Bring the file `name` of the repository `repo` into the folder `into`; returns its path.

    Its bytes are compared with the Hub's own SHA-256; a stopped download goes on where it was; a file that is there
    already and right is not fetched again. Whether it holds what a metric wants is seen when it is loaded, never by
    running anything in it. Raises HubError, ConfigError (no file of weights), OutputError, Cancelled.
    """
    if Path(name).name != name or not name.lower().endswith(SUFFIXES):
        raise ConfigError(f"{name!r} is no file of weights; one at the top of the repository is wanted", field="file")
    hub, repo, folder = hub or connect(), repo_id(repo), Path(into)
    meter = Meter(progress)
    patience = Patience(hub.patience_s, is_cancelled, lambda error: meter.enter("waiting", note=str(error)))
    meter.enter("asking")
    remote = look_up(hub, repo, revision, patience)
    file = remote.files.get(name)
    if file is None or file.sha256 is None:
        reason = "holds no such file" if file is None else "keeps it as a small file, which weights are not"
        raise HubError(f"{repo} {reason}: {name}", kind="file-not-found", url=hub.page(repo))
    with written(folder):
        folder.mkdir(parents=True, exist_ok=True)
    require_space(folder, file.size_bytes)
    path = fetch(hub, Wanted(repo, remote.commit, name, file.size_bytes, file.sha256), folder, meter, patience)
    meter.enter("done")
    return path
