"""NVML in this process: loaded and initialised at most once, and again in a forked child.

NVML counts its users itself, so our one ``nvmlInit`` and one ``nvmlShutdown`` leave those of torch and others alone.
:mod:`pynvml` takes 40 ms to import, so it is imported when first needed.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Any, Final, TypeVar

from lightning_carbon.errors import ReadFailed, SourceError, SourceLost, SourceUnavailable
from lightning_carbon.sources.patience import PATIENCE_SECONDS, NoAnswer, patient

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

_T = TypeVar("_T")

NO_PERMISSION: Final = 4
"""``NVML_ERROR_NO_PERMISSION``: a GPU that this job's cgroup hides, among others."""

# nvml.h, nvmlReturn_t: UNINITIALIZED, DRIVER_NOT_LOADED, GPU_IS_LOST, RESET_REQUIRED, GPU_NOT_FOUND. After these the
# same handle does not come back; Unknown, Timeout and a passing NotSupported do.
_GONE: Final = frozenset({1, 9, 15, 16, 28})

_NOT_STARTED: Final = {
    NO_PERMISSION: (
        "the NVIDIA driver does not let this user in",
        "give the user access to /dev/nvidiactl and /dev/nvidia0 (often the group video)",
    ),
    9: ("the NVIDIA driver is installed and not loaded", "sudo modprobe nvidia"),
    12: (
        "libnvidia-ml.so.1 is not there: this machine or container has no NVIDIA driver",
        "where there is an NVIDIA GPU, install its driver; start a container with --gpus all",
    ),
    18: (
        "the NVIDIA driver was updated and the old one is still loaded",
        "reboot, or reload the kernel modules nvidia, nvidia_uvm, nvidia_modeset and nvidia_drm",
    ),
}

_HANGS: Final = "the NVIDIA driver does not answer: nvmlInit has not come back in time"
_HANGS_FIX: Final = (
    "see whether nvidia-smi answers; where it is slow, start nvidia-persistenced, which keeps the driver loaded; where "
    "it hangs, reload the driver or reboot"
)

SHADOWED_FIX: Final = "pip uninstall pynvml && pip install --force-reinstall nvidia-ml-py"


class Library:
    """NVML, as far as this package uses it; a single object in a process, like NVML itself.

    It never raises anything but :class:`~lightning_carbon.errors.SourceError`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid: int | None = None
        self._hangs_in: int | None = None
        self._module: ModuleType | None = None

    def open(self, patience_seconds: float = PATIENCE_SECONDS) -> ModuleType:
        """Initialise NVML where this process has not yet, and return the module :mod:`pynvml`.

        Args:
            patience_seconds: How long NVML may take to start. A start that returns later counts from then on.

        Raises:
            SourceUnavailable: There is no pynvml, no driver or no permission; the error says which, and what to do.
        """
        if self._module is not None and self._pid == os.getpid():
            return self._module
        with self._lock:
            if self._hangs_in == os.getpid():
                raise SourceUnavailable("nvml", _HANGS, _HANGS_FIX)
            module = _import()
            try:
                patient(lambda: self._start(module), patience_seconds)
            except NoAnswer as error:
                self._hangs_in = os.getpid()
                raise SourceUnavailable("nvml", _HANGS, _HANGS_FIX) from error
            except Exception as error:
                reason, fix = _NOT_STARTED.get(code_of(error) or 0, (f"NVML does not start: {describe(error)}", ""))
                raise SourceUnavailable("nvml", reason, SHADOWED_FIX if is_shadowed(module) else fix) from error
            return module

    def _start(self, module: ModuleType) -> None:
        """Initialise NVML, which may hang."""
        module.nvmlInit()
        self._module, self._pid = module, os.getpid()
        self._hangs_in = None

    def close(self) -> None:
        """Undo :meth:`open`; sources that are still read afterwards are lost."""
        with self._lock:
            if self._module is not None and self._pid == os.getpid():
                self._pid = None
                # A driver that is gone cannot be shut down, and need not be.
                with contextlib.suppress(Exception):
                    self._module.nvmlShutdown()


LIBRARY: Final = Library()


class Handle:
    """A GPU's handle, which is renewed after a fork.

    Args:
        library: The library that gives handles.
        uuid: The GPU's UUID.
        handle: The handle in this process.
    """

    __slots__ = ("_handle", "_library", "_pid", "_uuid")

    def __init__(self, library: Library, uuid: str, handle: object) -> None:
        self._library = library
        self._uuid = uuid
        self._handle = handle
        self._pid = os.getpid()

    def ask(self, question: Callable[[Any], _T]) -> _T:
        """Call a function of :mod:`pynvml` with the handle.

        Raises:
            ReadFailed: It failed this time.
            SourceLost: The GPU or the driver is gone.
        """
        try:
            if self._pid != os.getpid():
                self._handle = self._library.open().nvmlDeviceGetHandleByUUID(self._uuid)
                self._pid = os.getpid()
            return question(self._handle)
        except SourceUnavailable as error:
            raise SourceLost(f"NVML: {error.reason}") from error
        except SourceError:
            raise
        except Exception as error:
            # AttributeError and its like, too: an old pynvml lacks functions, which must not end a training.
            kind = SourceLost if is_gone(error) else ReadFailed
            raise kind(f"NVML: {describe(error)}") from error


def describe(error: BaseException) -> str:
    """An exception in a few words: NVML's own, or the type and the message."""
    return str(error) if code_of(error) is not None else f"{type(error).__name__}: {error}"


def code_of(error: BaseException) -> int | None:
    """The ``nvmlReturn_t`` behind an exception, or ``None`` where NVML did not raise it."""
    value = getattr(error, "value", None)
    return value if isinstance(value, int) and type(error).__name__.startswith("NVMLError") else None


def is_gone(error: BaseException) -> bool:
    """Whether NVML says that the GPU or the driver is gone for good."""
    return code_of(error) in _GONE


def as_text(value: str | bytes) -> str:
    """A text of NVML, which an old pynvml gives as bytes."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def is_shadowed(module: object) -> bool:
    """Whether this is the deprecated distribution ``pynvml`` (a package), which hides nvidia-ml-py (a module)."""
    return hasattr(module, "__path__")


def _import() -> ModuleType:
    known = sys.modules.get("pynvml")
    if known is not None:  # torch imports it; and after any block of catch_warnings Python repeats once-only warnings
        return known
    try:
        with warnings.catch_warnings():
            # The deprecated distribution warns on import; our finding reports that, and the user's log need not.
            warnings.simplefilter("ignore")
            import pynvml
    except Exception as error:
        raise SourceUnavailable(
            "nvml", f"the Python module pynvml cannot be imported ({error})", "pip install nvidia-ml-py"
        ) from error
    module: ModuleType = pynvml
    return module
