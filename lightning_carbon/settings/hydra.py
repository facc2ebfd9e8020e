"""What Hydra says of the job that this process runs; Hydra is never imported here.

References:
    https://hydra.cc/docs/1.3/configure_hydra/intro/
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

_CONFIG: Final = "hydra.core.hydra_config"


def hydra_job(modules: Mapping[str, Any] = sys.modules) -> Any:  # noqa: ANN401 - Hydra's own configuration, or None
    """The configuration of Hydra for the present job; ``None`` outside of a job.

    Args:
        modules: The modules that are loaded.
    """
    config = getattr(modules.get(_CONFIG), "HydraConfig", None)
    try:
        return config.get() if config is not None and config.initialized() else None
    except Exception:  # noqa: BLE001 - whatever Hydra raises, there is no job to ask
        return None


def folder_before_hydra(modules: Mapping[str, Any] = sys.modules) -> Path:
    """The folder in which the user started the program: Hydra may have changed it, for each job to another.

    Args:
        modules: The modules that are loaded.
    """
    here, job = Path.cwd(), hydra_job(modules)
    if job is None:
        return here
    try:
        moved, started = bool(job.job.chdir), Path(str(job.runtime.cwd))
        is_of_job = moved and os.path.realpath(here) == os.path.realpath(str(job.runtime.output_dir))
    except Exception:  # noqa: BLE001 - a configuration that lacks what Hydra's has
        return here
    return started if is_of_job else here
