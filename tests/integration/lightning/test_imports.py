"""Which packages of Lightning are imported: those that the program imports, and no other."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.lightning.support import PACKAGES

ROOT = Path(__file__).resolve().parents[3]

SCRIPT = """
import sys
from importlib import import_module

from lightning_carbon import CarbonCallback

package, other, folder = sys.argv[1:]
neither = not {package, other} & set(sys.modules)
callback = CarbonCallback(ledger=folder)
own = import_module(package)
print(neither, isinstance(callback, own.Callback), issubclass(CarbonCallback, own.Callback), other in sys.modules)
try:
    print(isinstance(callback, import_module(other).Callback))
except AttributeError as error:
    print(error)
print(isinstance(CarbonCallback(ledger=folder), own.Callback))
"""


def said(package: str, folder: Path, before: Path | None = None) -> list[str]:
    """What the script says, in a process of its own."""
    [other] = {*PACKAGES} - {package}
    path = os.pathsep.join(str(entry) for entry in (before, ROOT) if entry is not None)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, package, other, str(folder / "ledger")],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("package", PACKAGES)
def test_it_imports_neither_package(tmp_path: Path, package: str) -> None:
    """It becomes a callback of the package that the program imports, later as well, and of the other if that comes."""
    assert ["True True True False", "True", "True"] == said(package, tmp_path)


def test_a_package_that_cannot_be_imported_is_no_matter(tmp_path: Path) -> None:
    """A broken installation of the package that is not used keeps nothing from working."""
    broken = tmp_path / "broken" / "pytorch_lightning"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise AttributeError('module torch has no attribute')\n")
    lines = said("lightning.pytorch", tmp_path, broken.parent)

    assert ["True True True False", "module torch has no attribute", "True"] == lines
