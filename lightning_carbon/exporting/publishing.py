"""Begins the exports that the user has asked for."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.exporting.live import LiveRun, Publish
    from lightning_carbon.settings import MeterConfig

logger = logging.getLogger("lightning_carbon")


def publisher_of(config: MeterConfig) -> Publish:
    """What exports a run as the user has asked for; a failure is a warning.

    Args:
        config: The settings, checked.
    """

    def publish(run: LiveRun) -> Callable[[], None]:
        ends: list[Callable[[], None]] = []
        if config.prometheus_port is not None:
            try:
                from lightning_carbon.exporting.prometheus import MetricsServer

                ends.append(MetricsServer(run, config.prometheus_port).close)
            except OSError as error:
                where = f"port {config.prometheus_port}"
                logger.warning("Prometheus cannot collect from this run, as %s is not free: %s", where, error)
            except Exception:
                logger.warning("Prometheus cannot collect from this run", exc_info=True)
        if config.opentelemetry is not None:
            try:
                from lightning_carbon.exporting.opentelemetry import observe

                ends.append(observe(run, config.opentelemetry))
            except Exception:
                logger.warning("OpenTelemetry does not get the figures of this run", exc_info=True)

        def end() -> None:
            for close in ends:
                try:
                    close()
                except Exception:
                    logger.warning("an export of a run could not be ended", exc_info=True)

        return end

    return publish
