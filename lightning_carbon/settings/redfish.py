"""Where a service processor is asked for the power of the whole machine, and what it takes to be let in.

User, password and token stand in the environment alone. They go into the headers of requests, and never into a
configuration, a record, a journal, an error or a log.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from lightning_carbon.errors import ConfigError

URL_VARIABLE: Final = "LIGHTNING_CARBON_REDFISH"
TOKEN_VARIABLE: Final = "LIGHTNING_CARBON_REDFISH_TOKEN"  # noqa: S105 - the name of a variable
USER_VARIABLE: Final = "LIGHTNING_CARBON_REDFISH_USER"
PASSWORD_VARIABLE: Final = "LIGHTNING_CARBON_REDFISH_PASSWORD"  # noqa: S105 - the name of a variable
VERIFY_VARIABLE: Final = "LIGHTNING_CARBON_REDFISH_VERIFY"

_CHASSIS: Final = r"(?:/redfish(?:/v1(?:/Chassis(?:/(?P<names>[^/?#]+))?)?)?)?/?"
_NOT_VERIFIED: Final = frozenset({"0", "no", "false", "off"})
_VERIFIED: Final = frozenset({"", "1", "yes", "true", "on"})
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_FIX: Final = "give the address of the service processor, such as https://bmc.example.org"


class RedfishPlan(NamedTuple):
    """The service processor that is asked.

    Args:
        origin: Scheme, host and port, such as ``"https://bmc.example.org"``.
        chassis: The chassis that are the machine; empty where they are found.
        verify: Whether its certificate is verified, or the file of the authority that has signed it.
    """

    origin: str
    chassis: tuple[str, ...] = ()
    verify: bool | str = True


def check_redfish(given: object, environ: Mapping[str, str] = os.environ) -> RedfishPlan | None:
    """Check ``redfish``; ``None`` where no service processor is asked. Opens nothing.

    Args:
        given: The address.
        environ: The environment variables, with the secrets.

    Raises:
        ConfigError: It is no address, lacks what it takes to be let in, or the library is missing. No secret is told.
    """
    if given is None:
        return None
    from importlib.util import find_spec
    from urllib.parse import unquote, urlsplit

    shown = shown_without_secrets(str(given))
    try:
        parts = urlsplit(str(given).strip())
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ConfigError("redfish", shown, f"{_FIX}.") from None
    if not is_usable or parts.query or parts.fragment:
        raise ConfigError("redfish", shown, f"{_FIX}.")
    if parts.username is not None or parts.password is not None:
        fix = f"an address is no place for a password; set {USER_VARIABLE} and {PASSWORD_VARIABLE} instead."
        raise ConfigError("redfish", shown, fix)
    path = re.fullmatch(_CHASSIS, parts.path)
    if path is None:
        raise ConfigError("redfish", shown, f"{_FIX}, or of its chassis, such as https://…/redfish/v1/Chassis/1.")
    verify = _verify(environ)
    if parts.scheme == "http" and verify is not False and parts.hostname not in _LOOPBACK:
        fix = f"a password would be sent in clear; give https://, or set {VERIFY_VARIABLE}=0."
        raise ConfigError("redfish", shown, fix)
    if not headers_of(environ):
        fix = f"set {TOKEN_VARIABLE}, or {USER_VARIABLE} and {PASSWORD_VARIABLE}, in the environment."
        raise ConfigError("redfish", shown, fix)
    if find_spec("httpx") is None:
        fix = "a service processor is asked by httpx, which is missing: pip install 'lightning-carbon[live]'."
        raise ConfigError("redfish", shown, fix)
    names = tuple(unquote(name) for name in (path["names"] or "").split(",") if name)
    return RedfishPlan(f"{parts.scheme}://{parts.netloc}", names, verify)


def headers_of(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The headers that a service processor lets in: by a token, else by user and password; empty without either.

    Raises:
        ConfigError: A variable holds what no header can; its value is not told.
    """
    from base64 import b64encode

    token, user, password = (environ.get(name, "") for name in (TOKEN_VARIABLE, USER_VARIABLE, PASSWORD_VARIABLE))
    if token:
        if not (token.isascii() and token.isprintable()):
            raise ConfigError(TOKEN_VARIABLE, "***", "it has a line end, or another sign that no token has.")
        return {"X-Auth-Token": token}
    if user and password:
        return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}
    return {}


def shown_without_secrets(address: str) -> str:
    """An address as errors may show it: without user, password and query, which may hold a secret."""
    # Whatever stands before the last @ may be a secret, also where the address is not well-formed.
    before, sign, place = address.partition("?")[0].rpartition("@")
    scheme, slashes, _ = before.partition("://")
    return f"{scheme if slashes else ''}{slashes}***@{place}" if sign else place


def _verify(environ: Mapping[str, str]) -> bool | str:
    text = environ.get(VERIFY_VARIABLE, "").strip()
    if text.casefold() in _VERIFIED:
        return True
    if text.casefold() in _NOT_VERIFIED:
        return False
    if not Path(text).is_file():
        fix = "give 1, 0, or the file (PEM) of the authority that has signed the service processor's certificate."
        raise ConfigError("redfish", text, fix, variable=VERIFY_VARIABLE)
    return text
