"""What AMD's library ``amdsmi`` adds to its GPUs where it is installed: their UUIDs, and the programs that use them.

Power and energy come from the kernel's files, so nothing depends on the library. Some of its versions print when they
are imported without their driver; what they say is kept from the training's output. The programs are those of the whole
machine by their numbers outside of containers: inside of a container, whose numbers differ, none is named.

References:
    * https://rocm.docs.amd.com/projects/amdsmi/en/latest/reference/amdsmi-py-api.html (7.2, 2026)
    * ``PROC_PID_INIT_INO`` in the kernel's ``include/linux/proc_ns.h``
"""

from __future__ import annotations

import contextlib
import io
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.sources.hwmon.gpus import AMD
from lightning_carbon.sources.hwmon.readings import FileGauge
from lightning_carbon.sources.kernel_files import FileCounter
from lightning_carbon.sources.launchers import pid_namespace
from lightning_carbon.sources.patience import PATIENCE_SECONDS, patient
from lightning_carbon.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from lightning_carbon.ports import Finding

_LIBRARY: Final = "amdsmi"
_FIRST_NAMESPACE: Final = 0xEFFFFFFC
_MOST_NAMED: Final = 5


class AmdLibrary:
    """AMD's library, opened when it is first asked; without it, nothing is known.

    Args:
        own: Gives the job's processes.
        load: Imports a library by its name.
        namespace: Gives the namespace of process numbers here.
        patience_seconds: How long the library may take to answer.
    """

    def __init__(
        self,
        own: Callable[[], AbstractSet[int]] = frozenset,
        *,
        load: Callable[[str], Any] = import_module,
        namespace: Callable[[], int | None] = pid_namespace,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.own = own
        self._load = load
        self._namespace = namespace
        self._patience_seconds = patience_seconds
        self._library: Any = None
        self._handles: dict[str, Any] | None = None

    def uuid(self, address: str) -> str:
        """The UUID of a GPU; empty where it is not known.

        Args:
            address: Its PCI address.
        """
        uuid = self._asked(address, lambda library, handle: library.amdsmi_get_gpu_device_uuid(handle))
        return uuid if isinstance(uuid, str) else ""

    def pids(self, address: str) -> set[int]:
        """The numbers of the processes that hold memory of a GPU; empty where they are not known.

        Args:
            address: Its PCI address.
        """
        if self._namespace() != _FIRST_NAMESPACE:
            return set()
        listed = self._asked(address, lambda library, handle: library.amdsmi_get_gpu_process_list(handle))
        return {pid for entry in listed if (pid := _pid(entry))} if isinstance(listed, list) else set()

    def added_to(self, finding: Finding) -> Finding:
        """A finding with the UUID of its GPU and the other programs on it, which its port watches from now on.

        Args:
            finding: The finding; of a GPU that cannot be read, or that is not AMD's, it stays as it is.
        """
        address = finding.subject.rpartition(" ")[2]
        if finding.source != AMD or not isinstance(finding.port, FileCounter | FileGauge):
            return finding
        uuid = self.uuid(address)
        watch = AmdWatch(self, address, finding.subject)
        for port in (finding.port, finding.fallback):
            if isinstance(port, FileCounter | FileGauge):
                port.watch = watch
        remarks = [finding.reason, f"UUID {uuid}" if uuid else "", watch.remark()]
        return replace(finding, reason="; ".join(filter(None, remarks)))

    def _asked(self, address: str, call: Callable[[Any, Any], object]) -> object:
        try:
            return patient(lambda: self._answer(address, call), self._patience_seconds)
        except Exception:  # noqa: BLE001 - a library over a driver may raise anything, and nothing depends on it
            return None

    def _answer(self, address: str, call: Callable[[Any, Any], object]) -> object:
        if self._handles is None:
            self._handles = {}  # whatever happens now, there is no second try
            self._open()
        handle = self._handles.get(address)
        return None if handle is None else call(self._library, handle)

    def _open(self) -> None:
        unheard = io.StringIO()
        with contextlib.redirect_stdout(unheard), contextlib.redirect_stderr(unheard):
            library = self._load(_LIBRARY)
            library.amdsmi_init()
            handles = library.amdsmi_get_processor_handles()
            self._handles = {str(library.amdsmi_get_gpu_device_bdf(handle)).lower(): handle for handle in handles}
        self._library = library


class AmdWatch:
    """The other programs on a GPU that is charged whole.

    Args:
        library: AMD's library.
        address: The PCI address of the GPU.
        subject: The GPU, for people.
    """

    def __init__(self, library: AmdLibrary, address: str, subject: str) -> None:
        self._library = library
        self._address = address
        self._subject = subject

    def remark(self) -> str:
        """A warning that names the other programs; empty where there are none, or they are not known."""
        pids = self._library.pids(self._address)
        try:
            others = sorted(pids - self._library.own()) if pids else []
        except ProcessLookupError:
            return ""
        if not others:
            return ""
        named = ", ".join(f"pid {pid}" for pid in others[:_MOST_NAMED]) + ", …" * (len(others) > _MOST_NAMED)
        return f"{self._subject} is charged whole, and other programs use it, too: {named}"


def neighbours(finding: Finding) -> str:
    """Look again for other programs on a GPU by AMD that is charged whole.

    Args:
        finding: A finding of discovery.

    Returns:
        A warning that names them; empty where there are none, or nothing tells.
    """
    watch = getattr(finding.port, "watch", None)
    return watch.remark() if isinstance(watch, AmdWatch) else ""


def _pid(entry: object) -> int:
    """The number of a process in the library's list, where it holds memory; older versions list handles alone."""
    if not isinstance(entry, dict) or not isinstance(entry.get("pid"), int):
        return 0
    memory = entry.get("memory_usage")
    held = memory.get("vram_mem") if isinstance(memory, dict) else None
    return 0 if held == 0 else int(entry["pid"])
