"""Which GPUs a process sees: as torch counts them, and as the meter finds them. Asked in processes of their own.

Run as a program it prints both, as JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).parents[3]
VARIABLE = "CUDA_VISIBLE_DEVICES"
_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Seen:
    """What one process sees.

    Args:
        value: What ``CUDA_VISIBLE_DEVICES`` was set to; ``None`` where it was not.
        torch: The UUIDs in torch's order.
        meter: The UUIDs in the meter's order; those of MIG slices where it meters slices.
    """

    value: str | None
    torch: tuple[str, ...]
    meter: tuple[str, ...]

    @property
    def agree(self) -> bool:
        """Whether they are the same devices in the same order."""
        return self.agree_on({})

    def agree_on(self, gpus: Mapping[str, str]) -> bool:
        """Whether they are the same devices in the same order, a MIG slice being called by its GPU's UUID or its own.

        Args:
            gpus: By the UUID of each slice, that of the GPU that it is a part of.
        """
        names = [{_bare(uuid), _bare(gpus.get(uuid, uuid))} for uuid in self.meter]
        return len(self.torch) == len(names) and all(
            _bare(uuid) in known for uuid, known in zip(self.torch, names, strict=True)
        )


def forms(uuids: Sequence[str]) -> Iterator[str | None]:
    """Every form that ``CUDA_VISIBLE_DEVICES`` has, for GPUs with these UUIDs."""
    first, beyond = uuids[0], str(len(uuids))
    yield from (None, "", "-1", "NoDevFiles", "0", " 0", "0,", "0,-1", "0,nonsense", "0,0", beyond, f"0,{beyond}")
    yield from (first, first[:12], first[:9], first.removeprefix("GPU-"), first.lower(), first.upper())
    yield from (f"{first},{first}", "GPU-ffffffff", f"{first},GPU-ffffffff", f"GPU-ffffffff,{first}", f"{first},0")
    if len(uuids) > 1:
        yield from ("1", "1,0", "0,1,-1", f"{uuids[1]},{first}", f"1,{first}")


def slice_forms(slices: Mapping[str, str]) -> Iterator[str | None]:
    """Every form that it has for MIG slices.

    Args:
        slices: By the UUID of each slice, that of the GPU that it is a part of.
    """
    yield from (None, "", "0", "1", "MIG-ffffffff")
    for uuid, gpu in slices.items():
        yield from (uuid, uuid[:16], f"{uuid},{uuid}")
        yield gpu
    yield ",".join(slices)


def slices_of_machine() -> dict[str, str]:
    """The MIG slices that NVML shows, each with the GPU that it is a part of, by UUID."""
    from lightning_carbon.sources.nvml.inventory import take_inventory
    from lightning_carbon.sources.nvml.library import LIBRARY

    return {part.names.uuid: gpu.names.uuid for gpu in take_inventory(LIBRARY) for part in gpu.slices}


def ask(value: str | None, environ: Mapping[str, str]) -> Seen:
    """Start a process with the variable set, and ask it.

    Raises:
        RuntimeError: It failed; its words are in the message.
    """
    environment = {name: text for name, text in environ.items() if name != VARIABLE}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), environ.get("PYTHONPATH", "")]))
    if value is not None:
        environment[VARIABLE] = value
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.gpu.measuring.visible"],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    if done.returncode:
        raise RuntimeError(f"{VARIABLE}={value!r}:\n{done.stdout}{done.stderr}")
    found = json.loads(done.stdout.splitlines()[-1])
    return Seen(value, tuple(found["torch"]), tuple(found["meter"]))


def ask_all(values: Sequence[str | None], environ: Mapping[str, str], at_once: int = 6) -> list[Seen]:
    """Ask for each value, several at a time: most of it is waiting for imports and for CUDA to start."""
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda value: ask(value, environ), values))


def _bare(uuid: str) -> str:
    return uuid.removeprefix("GPU-").removeprefix("MIG-").casefold()


def main() -> None:
    """Print what this process sees."""
    import torch

    from lightning_carbon.sources import nvml

    # Before it has started CUDA, torch would tell what it reads from the variable itself.
    cuda: Any = torch.cuda
    with contextlib.suppress(RuntimeError, AssertionError):
        cuda.init()
    count = cuda.device_count() if cuda.is_initialized() else 0
    seen = [str(cuda.get_device_properties(index).uuid) for index in range(count)]
    findings = nvml.discover("auto")
    metered = [finding.port.sensor.domain.id.removeprefix("gpu:") for finding in findings if finding.port is not None]
    print(json.dumps({"torch": seen, "meter": metered}))


if __name__ == "__main__":
    main()
