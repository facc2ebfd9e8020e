"""The tests here need the stand-in in their process, which :mod:`tests.torch_standin.plugin` loads."""

from __future__ import annotations

import sys

DEVICE = sys.modules.get("tests.torch_standin.device")
collect_ignore_glob = [] if DEVICE is not None and DEVICE.is_attached() else ["test_*.py"]
