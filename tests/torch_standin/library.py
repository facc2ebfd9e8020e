"""Compiles the stand-in accelerator, loads it into this process and makes it torch's."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
NAME = "standin"
"""What torch calls it: ``torch.device("standin")``."""
STRICT = ("-std=c++20", "-O1", "-Wall", "-Wextra", "-Werror", "-Wno-inconsistent-missing-override", "-shared", "-fPIC")

_SIGNATURES: dict[str, tuple[type | None, list[type]]] = {
    "standinRegister": (None, []),
    "standinReset": (None, [ctypes.c_int, ctypes.c_int64, ctypes.c_int64]),
    "standinConfigure": (None, [ctypes.c_int, ctypes.c_double, ctypes.c_int64]),
    "standinFail": (None, [ctypes.c_uint, ctypes.c_int64, ctypes.c_int, ctypes.c_char_p]),
    "standinLaunch": (None, [ctypes.c_int64]),
    "standinDone": (ctypes.c_int64, []),
    "standinBeginCapture": (None, []),
    "standinEndCapture": (ctypes.c_int, []),
    "standinReplay": (None, [ctypes.c_int]),
    "standinDevices": (ctypes.c_int, []),
    "standinStarted": (ctypes.c_int, []),
    "standinAsked": (ctypes.c_int64, []),
    "standinWaited": (ctypes.c_int64, []),
    "standinNow": (ctypes.c_int64, []),
    "standinAdvance": (None, [ctypes.c_int64]),
}


def compiler() -> str | None:
    """The C++ compiler of this machine, if it has one."""
    return shutil.which(os.environ.get("CXX", "c++")) or shutil.which("g++") or shutil.which("clang++")


def build(folder: Path) -> Path:
    """Compile the stand-in against the torch that is installed; takes some seconds.

    Args:
        folder: Where the library goes.

    Returns:
        The library.

    Raises:
        RuntimeError: There is no C++ compiler, or it refused; its words are in the message.
    """
    import torch

    cxx = compiler()
    if cxx is None:
        raise RuntimeError("there is no C++ compiler (c++, g++ or clang++) on PATH")
    installed = Path(torch.__file__).parent
    libraries = installed / "lib"
    target = folder / "libtorch_standin.so"
    command = [cxx, *STRICT, "-isystem", str(installed / "include"), "-o", str(target), str(HERE / "torch_standin.cpp")]
    command += [f"-L{libraries}", f"-Wl,-rpath,{libraries}", "-lc10", "-ltorch_cpu"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr}")
    return target


def load(library: Path) -> ctypes.CDLL:
    """Load the stand-in and register it with torch, as ``torch.standin``; once a process."""
    import torch
    from torch.utils.backend_registration import rename_privateuse1_backend

    loaded = ctypes.CDLL(str(library))
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments
    rename_privateuse1_backend(NAME)
    loaded.standinRegister()
    from tests.torch_standin import device

    device.attach(loaded)
    register: Any = torch._register_device_module  # noqa: SLF001 -- torch's own way to bring a back end
    register(NAME, device)
    return loaded
