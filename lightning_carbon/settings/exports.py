"""The settings of exports, which are off unless they are asked for."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Final

from lightning_carbon.errors import ConfigError
from lightning_carbon.settings.setting import Setting

_MOST_PORT: Final = 65_535
_ON: Final = {"1": True, "0": False}


def check_port(port: object) -> int | None:
    """Check ``prometheus_port``.

    Raises:
        ConfigError: It is no port, or ``prometheus-client`` is missing.
    """
    if port is None:
        return None
    if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= _MOST_PORT:
        raise ConfigError("prometheus_port", port, f"give a port from 1 to {_MOST_PORT}, such as 9108.")
    if find_spec("prometheus_client") is None:
        fix = "prometheus-client is missing: pip install 'lightning-carbon[prometheus]'."
        raise ConfigError("prometheus_port", port, fix)
    return port


def check_provider(provider: object) -> object:
    """Check ``opentelemetry``.

    Returns:
        A provider, ``True`` for that of the program, or ``None`` for no export.

    Raises:
        ConfigError: It is no provider of meters, or OpenTelemetry is missing.
    """
    if provider is None or provider is False:
        return None
    if provider is not True and not callable(getattr(provider, "get_meter", None)):
        raise ConfigError("opentelemetry", provider, "give True for the program's MeterProvider, or a MeterProvider.")
    if find_spec("opentelemetry") is None:
        fix = "OpenTelemetry is missing: pip install 'lightning-carbon[opentelemetry]'."
        raise ConfigError("opentelemetry", provider, fix)
    return provider


def port_of(text: str) -> object:
    """The port in a text; what is no number stays as it is, for the check to refuse."""
    return int(text) if text.strip().isdecimal() else text


def switch_of(text: str) -> object:
    """Whether a text says yes or no; what says neither stays as it is, for the check to refuse."""
    return _ON.get(text.strip(), text)


PROMETHEUS_PORT: Final = Setting(
    name="prometheus_port",
    type=int | None,
    check=check_port,
    summary="Where Prometheus collects the figures of the run while it goes on: a port of 127.0.0.1, such as 9108.",
    details="Needs the extra ``prometheus``; a port that is taken is warned of.",
    unset="none",
    variable="LIGHTNING_CARBON_PROMETHEUS_PORT",
    parse=port_of,
)
OPENTELEMETRY: Final = Setting(
    name="opentelemetry",
    type=Any,
    check=check_provider,
    summary="Whether OpenTelemetry gets the figures of the run: ``True`` or 1 by the program's provider of meters.",
    details="Or a ``MeterProvider``. Needs the extra ``opentelemetry``.",
    unset="no",
    variable="LIGHTNING_CARBON_OPENTELEMETRY",
    parse=switch_of,
)
