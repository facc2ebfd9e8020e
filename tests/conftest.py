"""What holds for every test: no network, no user's settings, no clock to beat."""

import os
import signal
import sys
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from tests.nvml_standin.fixtures import nvml_standin

__all__ = ["nvml_standin"]

# The GPU tests run in whatever environment the GPU's machine has, which may lack Hypothesis.
if find_spec("hypothesis"):
    from hypothesis import settings

    # The same examples every time, and no deadline: a busy machine is no failure.
    # `pytest --hypothesis-profile=explore` looks further.
    settings.register_profile("steady", deadline=None, derandomize=True, print_blob=True)
    settings.register_profile("explore", deadline=None, max_examples=2_000)
    settings.load_profile("steady")


def pytest_configure(config: pytest.Config) -> None:
    """Let torch compute on one thread and signals be heard, here and in every program that a test starts.

    The networks are tiny, and threads that wait for each other slow a busy machine. Results of GPUs are measured with
    what a machine has. In a shell's background Ctrl-C is ignored, and below nohup the end of a terminal: a program
    inherits that, unlike a handler.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)
    if config.getoption("markexpr") != "gpu":
        os.environ.setdefault("OMP_NUM_THREADS", "1")


LONGEST = (
    "test_docs.py",
    "test_endings_of_processes.py",
    "test_budgets.py",
    "test_architecture_search.py",
    "test_readme.py",
    "test_trainers.py",
    "test_totals.py",
    "test_examples.py",
    "test_example_configs.py",
    "test_guides.py",
    "test_zero_lines.py",
)
"""Files that take longest, as their tests share what takes long: begun last, they leave a processor idle at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, and skip what needs Linux on other systems."""
    items.sort(key=lambda item: item.path.name not in LONGEST)
    if sys.platform != "linux":
        skip = pytest.mark.skip(reason="needs Linux")
        for item in items:
            if item.get_closest_marker("linux") is not None:
                item.add_marker(skip)


@pytest.fixture(scope="session", autouse=True)
def _own_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Shield the tests from the user's settings, and the user's data folder from the tests."""
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in os.environ if name.startswith("LIGHTNING_CARBON_")]:
            environment.delenv(name)
        environment.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("user-data")))
        environment.setenv("HF_HUB_OFFLINE", "1")
        environment.setenv("MPLBACKEND", "Agg")
        environment.setenv("TOKENIZERS_PARALLELISM", "false")
        yield
