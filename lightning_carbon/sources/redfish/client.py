"""Asking a service processor: bounded in time, size and place, with reasons that hold no secret and no address."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin

from lightning_carbon.errors import ReadFailed, SourceLost

if TYPE_CHECKING:
    import httpx

    from lightning_carbon.settings.redfish import RedfishPlan

Json = Mapping[str, Any]

PART_SECONDS: Final = 5.0
"""How long connecting, or the next part of an answer, may take; ours."""
WHOLE_SECONDS: Final = 15.0
"""How long an answer may take in all; ours."""
MOST_BYTES: Final = 4 * 2**20
"""The most bytes of an answer; the chassis of a large machine has some tens of kilobytes."""
_MOST_REDIRECTIONS: Final = 2
"""How often an answer may point to another path of the same service, such as that with a slash at its end."""
_OK, _NOT_FOUND = 200, 404
_REDIRECTIONS: Final = frozenset({301, 302, 303, 307, 308})
_REFUSALS: Final = frozenset({401, 403})
_ROOT: Final = "/redfish/"


class Service:
    """A service processor, with one connection that is kept.

    Args:
        plan: Its address.
        headers: What lets us in.
        whole_seconds: How long an answer may take in all.
    """

    def __init__(self, plan: RedfishPlan, headers: Mapping[str, str], whole_seconds: float = WHOLE_SECONDS) -> None:
        self._plan = plan
        self._headers = dict(headers)
        self._whole_seconds = whole_seconds
        self._client: httpx.Client | None = None

    def __call__(self, path: str) -> Json | None:
        """Get a resource.

        Args:
            path: Its path, which begins with ``/redfish/``.

        Returns:
            The resource; ``None`` where there is none.

        Raises:
            ReadFailed: There is no connection, no answer in time, or an answer that cannot be used.
            SourceLost: We are not let in, and asking again could lock the account.
        """
        import httpx

        for _ in range(_MOST_REDIRECTIONS + 1):
            try:
                status, target, data = self._get(httpx, path)
            except httpx.TimeoutException:
                raise ReadFailed("no answer in time") from None
            except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
                self.close()
                if "CERTIFICATE_VERIFY_FAILED" in str(error):
                    fix = "set LIGHTNING_CARBON_REDFISH_VERIFY to the file of its authority, or to 0"
                    raise SourceLost(f"its certificate cannot be verified; {fix}") from None
                raise ReadFailed("no connection") from None
            if status in _REDIRECTIONS:
                path = self._followed(path, target)
            elif status == _NOT_FOUND:
                return None
            elif status in _REFUSALS:
                raise SourceLost(f"it does not let us in (status {status}); check token, or user and password")
            elif status != _OK:
                raise ReadFailed(f"status {status}")
            else:
                return _resource(data)
        raise ReadFailed("it redirects without end")

    def close(self) -> None:
        """Close the connection; a further question opens another."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _get(self, library: Any, path: str) -> tuple[int, str, bytes]:  # noqa: ANN401 - the module httpx
        if self._client is None:
            verify: Any = self._plan.verify
            if isinstance(verify, str):
                import ssl

                verify = ssl.create_default_context(cafile=verify)
            # Neither proxies nor .netrc: both would hand what lets us in to others.
            self._client = library.Client(
                verify=verify, timeout=PART_SECONDS, follow_redirects=False, trust_env=False, headers=self._headers
            )
        end = time.monotonic() + self._whole_seconds
        data = b""
        with self._client.stream("GET", self._plan.origin + path, headers={"Accept": "application/json"}) as answer:
            for part in answer.iter_bytes():
                data += part
                if len(data) > MOST_BYTES:
                    raise ReadFailed("an answer without end")
                if time.monotonic() > end:
                    raise ReadFailed("no whole answer in time")
            return answer.status_code, answer.headers.get("location", ""), data

    def _followed(self, path: str, target: str) -> str:
        """The path that an answer points to, on this service alone."""
        origin = self._plan.origin
        whole = urljoin(origin + path, target)
        if not whole.startswith(f"{origin}{_ROOT}"):
            raise ReadFailed("it redirects elsewhere, and what lets us in is not for others")
        return whole.removeprefix(origin)


def _resource(data: bytes) -> Json:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise ReadFailed("a garbled answer") from None
    if not isinstance(found, dict):
        raise ReadFailed("a garbled answer")
    return found
