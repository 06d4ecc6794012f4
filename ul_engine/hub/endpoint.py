"""Which Hub is spoken with, a mirror or the real one, and which token it is shown."""

import re
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from ul_engine.errors import HubError
from ul_engine.metadata import program_version

CONNECT_S = 4.0
SILENCE_S = 10.0
"""A server that sends nothing for so long is given up; also the longest that cancelling can take."""
PATIENCE_S = 6.0
"""How long failing attempts go on without a single new byte before the person is told."""

_REPO = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,95}/[A-Za-z0-9_][A-Za-z0-9._-]{0,95}$")
_THE_HUB = (("https", "huggingface.co", 443), ("https", "hf.co", 443))


@dataclass(frozen=True)
class Hub:
    """A server and what is shown to it; made by `connect`."""

    endpoint: str
    token: str | None = field(default=None, repr=False)
    is_offline: bool = False
    silence_s: float = SILENCE_S
    patience_s: float = PATIENCE_S

    def page(self, repo: str) -> str:
        """Address of a repository, for people."""
        return f"{self.endpoint}/{repo}"

    def headers_for(self, url: str) -> dict[str, str]:
        """Headers of one request; the token goes to the Hub only, never to the storage it sends us on to."""
        from huggingface_hub import __version__

        headers = {"user-agent": f"ul-studio/{program_version()}; hf_hub/{__version__}", "accept-encoding": "identity"}
        if self.token and self.is_own(url):
            headers["authorization"] = f"Bearer {self.token}"
        return headers

    def is_own(self, url: str) -> bool:
        """Whether an address belongs to this server, or to the Hub itself that a mirror may send us on to."""
        return _origin(url) in {_origin(self.endpoint), *_THE_HUB}


@dataclass(frozen=True)
class Asked:
    """What a request is about, for the words of a refusal."""

    repo: str = ""
    revision: str = "main"
    file: str = ""


def connect(*, endpoint: str | None = None, token: str | None = None) -> Hub:
    """The Hub to speak with: `endpoint`, else $HF_ENDPOINT, else huggingface.co.

    `token` None takes $HF_TOKEN or the one of ``hf auth login``, which are shown to the environment's own endpoint
    only: a mirror given as `endpoint` sees no token but `token`. Raises HubError for a bad address.
    """
    from huggingface_hub import constants

    own = constants.ENDPOINT.rstrip("/")
    chosen = (endpoint or own).rstrip("/")
    scheme, host, port = _origin(chosen)
    if scheme not in ("http", "https") or not host or not port:
        raise HubError(f"{chosen!r} is no address of a server; it begins with https://", kind="bad-address")
    if token is None and chosen == own and not constants.HF_HUB_DISABLE_IMPLICIT_TOKEN:
        token = _stored_token()
    return Hub(chosen, token or None, constants.is_offline_mode())


def _stored_token() -> str | None:
    from huggingface_hub import get_token
    from huggingface_hub.errors import DeviceCodeError, OIDCError

    try:
        return get_token()
    except (DeviceCodeError, OIDCError) as error:
        raise HubError(f"the stored token cannot be renewed ({error}); log in again", kind="token") from error


def repo_id(text: str) -> str:
    """``user/name`` from what people type or paste, such as the address of a page; raises HubError."""
    path = text.strip().partition("://")[2].partition("/")[2] if "://" in text else text.strip()
    name = "/".join(path.strip("/").split("/")[:2])
    if not _REPO.match(name) or "--" in name or ".." in name:
        raise HubError(f"{text!r} is no repository; it looks like user/name", kind="bad-address")
    return name


def file_url(hub: Hub, repo: str, commit: str, name: str) -> str:
    """Where the content of a file is to be had."""
    return f"{hub.endpoint}/{repo}/resolve/{quote(commit, safe='')}/{quote(name)}"


def _origin(url: str) -> tuple[str, str, int]:
    """(scheme, host, port) of an address; nothing of one that is none."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError:
        return "", "", 0
