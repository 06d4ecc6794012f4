"""Asking the Hub: bounded waits, redirects on which the token is not lost or leaked, failures in plain words.

The session (certificates, proxies, the offline switch) is that of ``huggingface_hub``; requests are our own, because
its download path (read in 2.4.0) cannot do what a person needs of several gigabytes: it deletes a partial file when a
process ends or a connection breaks, sees no cancelling, answers for 23 s with silence when there is no network, and
asks the Hub for a list of other programs before the first request.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from ul_engine.errors import Cancelled, HubError, HubProblem
from ul_engine.hub.endpoint import CONNECT_S, Asked, Hub
from ul_engine.hub.refusals import offline_error, refusal, transport_error

if TYPE_CHECKING:
    import httpx2

FIRST_WAIT_S = 0.5
MAX_REDIRECTS = 10
CHANCE_HELPS: frozenset[HubProblem] = frozenset({"no-network", "timeout", "cut", "server", "truncated"})
"""Problems that another attempt may mend."""


class Patience:
    """How long to go on trying; forgets its failures whenever something came."""

    def __init__(
        self,
        seconds: float,
        is_cancelled: Callable[[], bool] = lambda: False,
        on_wait: Callable[[HubError], None] = lambda error: None,
    ) -> None:
        self._is_cancelled = is_cancelled
        self._on_wait = on_wait
        self._seconds = seconds
        self.renew()

    def renew(self) -> None:
        """Something came: waits are short again, and the time starts anew."""
        self._wait_s = FIRST_WAIT_S
        self._give_up_at: float | None = None

    def check(self) -> None:
        """Raise Cancelled if the person asked to stop."""
        if self._is_cancelled():
            raise Cancelled

    def after(self, error: HubError) -> None:
        """Wait before the next attempt, or raise `error` if none would help or the time is over."""
        now = time.monotonic()
        if self._give_up_at is None:
            self._give_up_at = now + self._seconds
        if error.kind not in CHANCE_HELPS or now + self._wait_s > self._give_up_at:
            raise error
        self._on_wait(error)
        until = now + self._wait_s
        while (left := until - time.monotonic()) > 0:
            self.check()
            time.sleep(min(left, 0.05))
        self._wait_s *= 2


@contextmanager
def opened(hub: Hub, url: str, asked: Asked, extra: dict[str, str] | None = None) -> Iterator["httpx2.Response"]:
    """One GET with redirects followed, its body unread; raises HubError, also for what breaks while it is read."""
    import httpx2
    from huggingface_hub.errors import OfflineModeIsEnabled

    response = None
    try:
        response = _followed(hub, url, extra or {})
        if response.status_code >= 400:
            raise refusal(hub, response, asked)
        yield response
    except OfflineModeIsEnabled as error:
        raise offline_error(asked.repo or "a search") from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise transport_error(hub, error) from error
    finally:
        if response is not None:
            response.close()


def _followed(hub: Hub, url: str, extra: dict[str, str]) -> "httpx2.Response":
    import httpx2
    from huggingface_hub import get_session

    session = get_session()
    timeout = httpx2.Timeout(hub.silence_s, connect=CONNECT_S)
    for _ in range(MAX_REDIRECTS):
        request = session.build_request("GET", url, headers=hub.headers_for(url) | extra, timeout=timeout)
        response = session.send(request, stream=True, follow_redirects=False)
        if not response.has_redirect_location:
            return response
        response.close()
        url = urljoin(url, response.headers["location"])
    raise HubError(f"{hub.endpoint} sends us round in circles; try again later", kind="server")


def get_bytes(hub: Hub, url: str, asked: Asked, patience: Patience, *, max_bytes: int) -> bytes:
    """The body of a small answer; raises HubError, also for one longer than `max_bytes`."""
    while True:
        patience.check()
        try:
            with opened(hub, url, asked) as response:
                parts, length = [], 0
                for chunk in response.iter_raw():
                    parts.append(chunk)
                    length += len(chunk)
                    if length > max_bytes:
                        raise HubError(f"{asked.file or url} is far larger than it should be", kind="not-a-model")
                patience.renew()
                return b"".join(parts)
        except HubError as error:
            patience.after(error)
