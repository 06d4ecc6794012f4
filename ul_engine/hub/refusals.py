"""What refusals of the Hub, and failures on the way to it, mean to a person."""

from typing import TYPE_CHECKING

from ul_engine.errors import HubError
from ul_engine.hub.endpoint import Asked, Hub

if TYPE_CHECKING:
    import httpx2


def refusal(hub: Hub, response: "httpx2.Response", asked: Asked, told: str = "") -> HubError:
    """What a status of 400 or more means to a person; `told` is what the server said in the body, if that was read."""
    status, code = response.status_code, response.headers.get("x-error-code", "")
    message = response.headers.get("x-error-message", "") or " ".join(told.split())
    page, tokens = hub.page(asked.repo), f"{hub.endpoint}/settings/tokens"
    if status == 416:
        return HubError(f"{asked.file} of {asked.repo} is shorter than {hub.endpoint} says", kind="truncated")
    if not hub.is_own(str(response.url)):
        return HubError(f"the storage behind {hub.endpoint} answered with HTTP {status}; try again", kind="server")
    if code == "GatedRepo":
        return _gated(hub, asked, page)
    if code == "RevisionNotFound":
        return HubError(f"{asked.repo} has no branch, tag or commit {asked.revision!r}", kind="revision-not-found")
    if code == "EntryNotFound":
        return HubError(f"{asked.repo} has no file {asked.file} at {asked.revision}", kind="file-not-found", url=page)
    if status == 401 and (message.startswith("Invalid credentials") or not asked.repo):
        return HubError(f"the token was not accepted; make a new one at {tokens}", kind="token", url=tokens)
    if code == "RepoNotFound" or status in (401, 404):
        return _absent(hub, asked, tokens)
    if status == 403:
        reason = f" ({message})" if message else ""
        return HubError(
            f"{hub.endpoint} forbids this{reason}; use a token with the right to do it, from {tokens}",
            kind="forbidden",
            url=tokens,
        )
    if status == 429:
        pause = response.headers.get("retry-after", "")
        when = f"in {pause} s" if pause.isdigit() else "in a few minutes"
        return HubError(f"{hub.endpoint} was asked too often; try again {when}", kind="rate-limited")
    if status >= 500 or status == 408:
        return HubError(f"{hub.endpoint} has a problem of its own (HTTP {status}); try again later", kind="server")
    reason = f" ({message})" if message else ""
    return HubError(f"{hub.endpoint} refused the request with HTTP {status}{reason}", kind="refused")


def _gated(hub: Hub, asked: Asked, page: str) -> HubError:
    if hub.token is None:
        what = "accept them there, then give a token of that account (--token, HF_TOKEN or `hf auth login`)"
    else:
        what = "accept them there with the account of your token; an owner who grants access by hand may take a while"
    return HubError(f"{asked.repo} has terms of use, at {page}: {what}", kind="gated", url=page)


def _absent(hub: Hub, asked: Asked, tokens: str) -> HubError:
    if hub.token is None:
        what = "check the name; for a private one give a token (--token, HF_TOKEN or `hf auth login`)"
    else:
        what = "check the name, and that the account of your token may see it"
    return HubError(f"there is no {asked.repo} at {hub.endpoint}: {what}", kind="not-found", url=tokens)


def transport_error(hub: Hub, error: Exception) -> HubError:
    """What a failure below HTTP means to a person."""
    import httpx2

    if isinstance(error, httpx2.TimeoutException):
        return HubError(f"{hub.endpoint} does not answer; check the network, or try again later", kind="timeout")
    if isinstance(error, (httpx2.ConnectError, httpx2.ProxyError)):
        return HubError(
            f"{hub.endpoint} cannot be reached ({error}); check the network, the proxy, or set HF_ENDPOINT to a mirror",
            kind="no-network",
        )
    if isinstance(error, (httpx2.NetworkError, httpx2.RemoteProtocolError)):
        return HubError(f"the connection to {hub.endpoint} broke off ({error}); try again", kind="cut")
    return HubError(f"{hub.endpoint} cannot be used ({error})", kind="bad-address")


def offline_error(what: str) -> HubError:
    """Nothing is asked of the network, by the person's own wish."""
    return HubError(
        f"HF_HUB_OFFLINE is set, so nothing is asked of the network, and {what} is not here; unset it to go online",
        kind="offline",
    )
