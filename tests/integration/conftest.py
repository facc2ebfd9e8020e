"""The package as users get it, built, and installed into a folder of its own; and programs that start at once."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.programs import Programs

ROOT = Path(__file__).parents[2]
# What a build reads; a copy of it, so that nothing is left behind in the working tree.
SOURCES = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE", "NOTICE")
UNTRACKED = shutil.ignore_patterns("__pycache__", "*.pyc")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel with what is installed here, without a network."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for name in SOURCES:
        shutil.copy(ROOT / name, source / name)
    shutil.copytree(ROOT / "lightning_carbon", source / "lightning_carbon", ignore=UNTRACKED)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target)]
    done = subprocess.run([*build, str(source)], capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    [built] = target.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the wheel alone was installed into, to be put on the path."""
    target = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--disable-pip-version-check", "--target", str(target), str(wheel)], check=True)
    return target


@pytest.fixture(scope="session")
def programs() -> Iterator[Callable[[str], Programs]]:
    """Gives what runs programs that import a module which takes seconds: each such module is imported once."""
    importing: dict[str, Programs] = {}
    yield lambda module: importing.get(module) or importing.setdefault(module, Programs(module))
    for running in importing.values():
        running.close()
