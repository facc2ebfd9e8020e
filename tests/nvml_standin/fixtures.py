"""The session's one compiled stand-in, as a pytest fixture."""

from __future__ import annotations

import pytest

from tests.nvml_standin.library import Standin, build, compiler


@pytest.fixture(scope="session")
def nvml_standin(tmp_path_factory: pytest.TempPathFactory) -> Standin:
    """The stand-in driver, compiled once a session; tests are skipped where no C compiler is."""
    if compiler() is None:
        pytest.skip("the stand-in NVML needs a C compiler (cc, gcc or clang)")
    folder = tmp_path_factory.mktemp("nvml-standin")
    return Standin(build(folder / "lib"), folder / "scenarios")
