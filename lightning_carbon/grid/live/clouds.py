"""The region of the cloud that this machine is in, by the cloud's own metadata service; only for ``region="auto"``.

All clouds have the service at one link-local address, which needs no look-up of a name and reaches no other machine.
They are asked at once, and what has not answered after 0.3 s is left behind.

References:
    AWS, *Use the Instance Metadata Service*, version 2: a token by PUT, then ``placement/region``.
    Google Cloud, *About VM metadata*: ``instance/zone``, with the header ``Metadata-Flavor`` both ways.
    Microsoft, *Azure Instance Metadata Service*: ``compute/location``, with the header ``Metadata``.
"""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ADDRESS: Final = "169.254.169.254"
"""The address of the metadata service (RFC 3927, link-local)."""
ASK_SECONDS: Final = 0.3
"""How long all questions may take together."""
_MOST_BYTES: Final = 1_024
_OK: Final = 200
_REGION: Final = re.compile(r"[a-z][a-z0-9-]{2,40}")
_ZONE: Final = re.compile(r"projects/[^/]+/zones/([a-z0-9-]+)-[a-z]")


class _Ask:
    """Asks the metadata service.

    Args:
        address: Its host, with a port if it is not 80.
        seconds: How long each part of an answer may take.
    """

    def __init__(self, address: str, seconds: float) -> None:
        self._address = address
        self._seconds = seconds

    def __call__(self, method: str, path: str, headers: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
        """The text and the headers of an answer; proxies are not used.

        Raises:
            ValueError: The answer is no success; other errors of the connection pass.
        """
        from http.client import HTTPConnection

        connection = HTTPConnection(self._address, timeout=self._seconds)
        try:
            connection.request(method, path, headers=dict(headers))
            answer = connection.getresponse()
            if answer.status != _OK:
                raise ValueError
            text = answer.read(_MOST_BYTES).decode("ascii").strip()
            return text, {name.lower(): value for name, value in answer.getheaders()}
        finally:
            connection.close()


def cloud_region(address: str = ADDRESS, seconds: float = ASK_SECONDS) -> str | None:
    """The region of the cloud, such as ``"aws:eu-north-1"``; ``None`` where no service answers in time.

    Args:
        address: The host of the services, with a port if it is not 80.
        seconds: How long to wait at most.
    """
    found: list[str] = []
    over = threading.Event()
    left = [len(_CLOUDS)]
    turn = threading.Lock()

    def look(cloud: str, region: Callable[[_Ask], str | None]) -> None:
        name = None
        with suppress(Exception):  # whatever stands at that address
            name = region(_Ask(address, seconds))
        with turn:
            left[0] -= 1
            if name is not None and _REGION.fullmatch(name):
                found.append(f"{cloud}:{name}")
            if found or not left[0]:
                over.set()

    for cloud, region in _CLOUDS.items():
        threading.Thread(target=look, args=(cloud, region), name="lightning-carbon-cloud", daemon=True).start()
    over.wait(seconds)
    return found[0] if found else None


def _aws(ask: _Ask) -> str | None:
    token, _ = ask("PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "60"})
    region, _ = ask("GET", "/latest/meta-data/placement/region", {"X-aws-ec2-metadata-token": token})
    return region


def _gcp(ask: _Ask) -> str | None:
    path, headers = ask("GET", "/computeMetadata/v1/instance/zone", {"Metadata-Flavor": "Google"})
    zone = _ZONE.fullmatch(path)
    return zone[1] if zone is not None and headers.get("metadata-flavor") == "Google" else None


def _azure(ask: _Ask) -> str | None:
    path = "/metadata/instance/compute/location?api-version=2021-02-01&format=text"
    region, _ = ask("GET", path, {"Metadata": "true"})
    return region


_CLOUDS: Final[dict[str, Callable[[_Ask], str | None]]] = {"aws": _aws, "gcp": _gcp, "azure": _azure}
