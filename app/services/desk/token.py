"""The access token of the Hub: tried before it is kept, kept where the Hub's own client looks, for this user only."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from ul_engine.errors import HubError
from ul_engine.outputs import explained


def keep_token(token: str) -> dict[str, Any]:
    """Ask the server whose token it is, then store it. Raises HubError for one it does not take, OutputError."""
    from huggingface_hub import constants

    from ul_engine.hub.connection import Patience, get_bytes
    from ul_engine.hub.endpoint import Asked, connect

    token = token.strip()
    if not token or not token.isascii() or any(sign.isspace() for sign in token):
        raise HubError("this is no token; it is one word without spaces, such as hf_…", kind="token")
    hub = connect(token=token)
    content = get_bytes(hub, f"{hub.endpoint}/api/whoami-v2", Asked(), Patience(hub.patience_s), max_bytes=2**20)
    try:
        name = str(json.loads(content)["name"])
    except (ValueError, KeyError, TypeError):
        raise HubError(f"{hub.endpoint} does not say whose token this is; check the mirror", kind="server") from None
    path = Path(constants.HF_TOKEN_PATH)
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as stream:
                stream.write(token)
            beside.replace(path)  # the old one is there until the new one is whole
        finally:
            beside.unlink(missing_ok=True)
    return {"name": name}


def drop_token() -> None:
    """Remove the stored token; raises OutputError."""
    from huggingface_hub import constants

    path = Path(constants.HF_TOKEN_PATH)
    with explained(path), suppress(FileNotFoundError):
        path.unlink()
