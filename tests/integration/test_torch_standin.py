"""Torch's stand-in accelerator, in a process of its own: torch cannot be rid of a back end again."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.documents import ROOT
from tests.torch_standin.library import compiler

SUITES = ("tests/torch_standin", "tests/gpu/test_cuda_clock.py")


@pytest.mark.timeout(900)
@pytest.mark.skipif(compiler() is None, reason="the stand-in accelerator needs a C++ compiler (c++, g++ or clang++)")
@pytest.mark.parametrize("suite", SUITES)
def test_the_clock_holds_on_the_real_torch_s_events(suite: str) -> None:
    """All that holds for the clock of a GPU holds for events of torch on a device whose truth is known."""
    plugins = ["-p", "no:cacheprovider", "-p", "tests.torch_standin.plugin"]
    command = [sys.executable, "-m", "pytest", "-q", *plugins, suite]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=500)
    found = re.search(r"(\d+) passed", done.stdout)

    assert 0 == done.returncode, done.stdout[-5_000:] + done.stderr
    assert found is not None
    assert int(found[1]) >= 10
