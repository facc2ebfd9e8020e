"""Compiles the stand-in driver and puts it where pynvml looks for ``libnvidia-ml.so.1``."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.nvml_standin.scenario import Scenario

HERE = Path(__file__).parent
SONAME = "libnvidia-ml.so.1"
CONFIG = "NVML_STANDIN_CONFIG"
STRICT = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", f"-Wl,-soname,{SONAME}")


def limit_milliwatts(environ: Mapping[str, str], index: int = 0) -> int | None:
    """The power limit that somebody has set on a GPU, in a scenario that an environment shows; ``None`` for none."""
    path = Path(f"{environ[CONFIG]}.limit-{index}")
    return int(path.read_text()) if path.exists() else None


def compiler() -> str | None:
    """The C compiler of this machine, if it has one."""
    return shutil.which(os.environ.get("CC", "cc")) or shutil.which("gcc") or shutil.which("clang")


def real_header_folder() -> Path | None:
    """Where nvidia-nvml-dev put NVIDIA's own ``nvml.h``, if it is installed."""
    spec = find_spec("nvidia")
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()] if spec else []
    return next((header.parent for folder in folders for header in sorted(folder.rglob("nvml.h"))), None)


def build(folder: Path, *flags: str, source: Path = HERE) -> Path:
    """Compile the stand-in.

    Args:
        folder: Where the library goes, under the name that pynvml asks for.
        *flags: More words for the compiler.
        source: The folder of its source.

    Returns:
        The library.

    Raises:
        RuntimeError: There is no C compiler, or it refused; its words are in the message.
    """
    cc = compiler()
    if cc is None:
        raise RuntimeError("there is no C compiler (cc, gcc or clang) on PATH")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / SONAME
    command = [cc, *STRICT, *flags, "-o", str(target), str(source / "nvml_standin.c"), "-lm", "-lpthread"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr}")
    return target


class Standin:
    """The compiled stand-in.

    Args:
        library: What :func:`build` returned.
        folder: Where scenario files go.
    """

    def __init__(self, library: Path, folder: Path) -> None:
        self._library = library
        self._folder = folder
        self._written = 0
        self._loaded: ctypes.CDLL | None = None

    def environment(self, scenario: Scenario) -> dict[str, str]:
        """The environment of a process that is to see the scenario: this one's, and two variables."""
        path = os.pathsep.join(filter(None, [str(self._library.parent), os.environ.get("LD_LIBRARY_PATH", "")]))
        return {**os.environ, "LD_LIBRARY_PATH": path, CONFIG: str(self._write(scenario))}

    def load(self) -> ctypes.CDLL:
        """Load it into this process, so that pynvml finds it: the loader takes a library of that SONAME for the one.

        Raises:
            RuntimeError: pynvml has loaded another library already, that of the machine's own GPUs.
        """
        import pynvml

        if self._loaded is None:
            loaded = ctypes.CDLL(str(self._library), mode=ctypes.RTLD_GLOBAL)
            loaded.standinCalls.argtypes = [ctypes.c_char_p]
            loaded.standinCalls.restype = ctypes.c_ulonglong
            loaded.standinLeap.argtypes = [ctypes.c_longlong]
            loaded.standinLeap.restype = None
            loaded.standinHold.argtypes = [ctypes.c_longlong]
            loaded.standinHold.restype = None
            self._loaded = loaded
        found = pynvml.nvmlLib or ctypes.CDLL(SONAME)
        if not hasattr(found, "standinCalls"):
            raise RuntimeError("this process has loaded the driver of the machine's own GPUs already")
        return self._loaded

    @contextmanager
    def showing(self, scenario: Scenario) -> Iterator[Scenario]:
        """Let this process see the scenario, and leave NVML shut down behind."""
        from lightning_carbon.sources import nvml

        self.load()
        nvml.close()
        os.environ[CONFIG] = str(self._write(scenario))
        try:
            yield scenario
        finally:
            nvml.close()
            self.hold(0)
            del os.environ[CONFIG]

    def calls(self, kind: str) -> int:
        """How often this process has called ``init``, ``energy``, ``power``, ``fields`` or ``utilization``."""
        return int(self.load().standinCalls(kind.encode()))

    def leap(self, seconds: float) -> None:
        """Bring lost GPUs, hangs, failures and zeros nearer by so much in this process; power goes on as it was."""
        self.load().standinLeap(round(seconds * 1_000_000_000))

    def hold(self, at_ns: int) -> None:
        """Let the driver's clock show a moment in this process until the next one is told; 0 lets it go by itself."""
        self.load().standinHold(at_ns)

    def _write(self, scenario: Scenario) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._written += 1
        return scenario.write(self._folder / f"scenario-{os.getpid()}-{self._written}.txt")
