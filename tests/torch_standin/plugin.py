"""The pytest plugin that loads the stand-in before anything is collected."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.torch_standin.library import build, load

with tempfile.TemporaryDirectory() as folder:
    # The library stays mapped after its file has gone.
    load(build(Path(folder)))
