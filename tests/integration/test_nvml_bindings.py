"""The NVML source in processes of their own: forked, silent, and with the bindings that there may be."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pynvml

from tests.nvml_standin import Gpu, Scenario

if TYPE_CHECKING:
    from tests.nvml_standin import Standin


def run(code: str, environment: dict[str, str]) -> str:
    """What a Python process prints, on both of its outputs."""
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False, timeout=500
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


DISCOVER = "from lightning_carbon.sources import nvml; findings = nvml.discover(environ={}); "


def test_sources_live_on_in_a_forked_child(nvml_standin: Standin) -> None:
    """A source of the parent can be read in a child, which starts NVML for itself."""
    code = f"""
import os
{DISCOVER}
port = findings[0].port
first = port.read_energy()
child = os.fork()
if child == 0:
    ok = port.read_energy() >= first and len(nvml.discover(environ={{}})) == 2
    os._exit(0 if ok else 7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), port.read_energy() >= first)
"""

    assert "0 True\n" == run(code, nvml_standin.environment(Scenario.of(Gpu(), Gpu())))


def test_nothing_is_loaded_before_it_is_asked_for_and_nothing_printed(nvml_standin: Standin) -> None:
    """Importing the source does not import pynvml, and discovering is silent."""
    code = "import sys; import lightning_carbon.sources.nvml; assert 'pynvml' not in sys.modules; " + DISCOVER

    assert "" == run(code + "assert len(findings) == 8", nvml_standin.environment(Scenario.of(*[Gpu()] * 8)))


def test_a_machine_without_pynvml_is_one_finding(nvml_standin: Standin) -> None:
    """Without the module pynvml there is a reason and the command that installs it."""
    code = "import sys; sys.modules['pynvml'] = None; " + DISCOVER + "print(len(findings), findings[0].fix)"

    assert "1 pip install nvidia-ml-py\n" == run(code, nvml_standin.environment(Scenario()))


def test_the_deprecated_distribution_is_named_where_it_shadows(nvml_standin: Standin, tmp_path: Path) -> None:
    """The deprecated package of the same name is used as far as it goes, silently, and its removal advised."""
    package = tmp_path / "pynvml"
    package.mkdir()
    shutil.copy(pynvml.__file__, package / "nvml.py")
    (package / "__init__.py").write_text(
        "import warnings\nwarnings.warn('deprecated', FutureWarning)\nfrom .nvml import *\n"
    )
    environment = nvml_standin.environment(Scenario()) | {"PYTHONPATH": str(tmp_path)}
    code = DISCOVER + "print(findings[0].port.read_energy().joules > 0, findings[0].fix)"

    assert "True pip uninstall pynvml && pip install --force-reinstall nvidia-ml-py\n" == run(code, environment)


def test_functions_that_an_old_pynvml_lacks_are_passed_over(nvml_standin: Standin, tmp_path: Path) -> None:
    """A binding without the counter, fields, MIG and the like still gives the power."""
    text = Path(pynvml.__file__).read_text()
    for missing in ("TotalEnergyConsumption", "FieldValues", "MigMode", "C2cModeInfoV", "Architecture", "Name"):
        text = text.replace(f"def nvmlDeviceGet{missing}(", f"def not_there_{missing}(")
    (tmp_path / "pynvml.py").write_text(text)
    environment = nvml_standin.environment(Scenario()) | {"PYTHONPATH": str(tmp_path)}
    code = DISCOVER + "print(findings[0].port.read_power().watts, findings[0].reason)"

    printed = run(code, environment)

    assert printed.startswith("300.0 energy counter: not known to this version of pynvml; ")
