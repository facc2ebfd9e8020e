"""The wheel: what is in it, and that it works by itself."""

import subprocess
import sys
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def names(wheel: Path) -> frozenset[str]:
    """The paths in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(archive.namelist())


@pytest.fixture(scope="module")
def metadata(wheel: Path, names: frozenset[str]) -> Message:
    """What the wheel says about itself."""
    [path] = [name for name in names if name.endswith(".dist-info/METADATA")]
    with zipfile.ZipFile(wheel) as archive:
        return message_from_bytes(archive.read(path))


def test_the_wheel_holds_every_file_of_the_package(names: frozenset[str]) -> None:
    """Modules, the typing marker and the packaged tables all travel."""
    package = ROOT / "lightning_carbon"
    here = {
        path.relative_to(ROOT).as_posix()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert here == {name for name in names if name.startswith("lightning_carbon/")}


def test_the_wheel_holds_the_tables_that_figures_come_from(names: frozenset[str]) -> None:
    """Without its tables the package could price nothing, so they are looked for by folder."""
    assert "lightning_carbon/py.typed" in names
    for folder in ("grid", "sources/host", "estimate", "study/published"):
        assert any(name.startswith(f"lightning_carbon/{folder}/data/") for name in names), folder


def test_the_wheel_holds_nothing_but_the_package(names: frozenset[str]) -> None:
    """Tests, examples and configs stay in the repository."""
    assert {"lightning_carbon", "lightning_carbon-0.1.0.dist-info"} == {name.split("/")[0] for name in names}


def test_the_metadata_names_licence_and_extras(metadata: Message) -> None:
    """What can be asked for in brackets is a promise to users."""
    extras = {
        "lightning",
        "transformers",
        "tensorboard",
        "accelerate",
        "examples",
        "parquet",
        "team",
        "report",
        "pdf",
        "live",
        "dev",
        "all",
        "apple",
        "optuna",
        "prometheus",
        "opentelemetry",
    }

    assert "Apache-2.0" == metadata["License-Expression"]
    assert {"LICENSE", "NOTICE"} == set(metadata.get_all("License-File", []))
    assert extras == set(metadata.get_all("Provides-Extra", []))


def test_a_bare_install_asks_for_no_framework(metadata: Message) -> None:
    """The meter alone brings five small libraries, and no torch."""
    bare = {
        requirement.split(">")[0]
        for requirement in metadata.get_all("Requires-Dist", [])
        if "extra ==" not in requirement
    }

    assert {"nvidia-ml-py", "platformdirs", "psutil", "rich", "typer"} == bare


def test_the_wheel_installs_alone_and_imports(installed: Path, tmp_path: Path) -> None:
    """A user's interpreter finds the package in what was installed, not in this repository."""
    # -I: neither this repository nor PYTHONPATH is on the path; the target goes first.
    script = (
        f"import sys; sys.path.insert(0, {str(installed)!r})\n"
        "import lightning_carbon, lightning_carbon.cli\n"
        "lightning_carbon.Meter\n"
        "print(lightning_carbon.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", script],
        capture_output=True,
        check=True,
        cwd=tmp_path,
        text=True,
    )

    assert str(installed / "lightning_carbon" / "__init__.py") == done.stdout.strip()
