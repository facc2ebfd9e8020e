"""Rated power of processors, looked up by the CPU's own name in ``/proc/cpuinfo``.

The table is :file:`data/cpu_power.csv`; its header says where each figure is from and under which licence. A name is
found exactly or not at all: the next model in a list may draw twice as much.

In a virtual machine the guest sees a few of the CPU's hardware threads, and is charged the rated power over *all*
threads of the physical CPU for each. That number comes from the table or, for AMD server parts, from the brand string,
which states the cores of the physical CPU in a guest too (AMD64 Architecture Programmer's Manual vol. 3, CPUID
Fn8000_0002 to 4). On bare metal the kernel's own count (``siblings``) is better than either.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from lightning_carbon.values import dataclass

# Beside the code rather than through importlib.resources, which costs 5 ms to import; pip always unpacks a wheel.
_TABLE = Path(__file__).with_name("data") / "cpu_power.csv"
_COLUMNS = b"name,base_watts,max_watts,threads,source\n"

_NOISE = r"""(?ix)
      @.*                         # nominal clock
    | ,.*                         # "8 Compute Cores 4C+4G", "(Skylake, IBRS)"
    | \s(?:with|w/)\s.*           # "with Radeon Graphics"
    | \sradeon\b.*
    | \b\d+(?:st|nd|rd|th)\sgen\b
    | \b(?:\d+|dual|triple|quad|six|eight|twelve|sixteen)-cores?\b
    | \b(?:processor|cpu|apu|genuine|[xk]-series)\b
    """
_MARK = r"(?i:\((?:r|tm|c)\)|[®™©])"
_CORE2 = r"(?i:\bcore2\b)"

# Every part of these lines runs two threads a core, save those whose count the table states (EPYC 9754S). The other
# Ryzens and the embedded EPYC 3000 need not.
_TWO_THREADS_A_CORE = r"amd (?:epyc (?!3|embedded)|ryzen threadripper |ryzen 9 )"
_STATED_CORES = r"(?i:\b(\d+)-cores?\b)"


@dataclass(frozen=True, slots=True)
class CpuSpec:
    """The rated power and the threads of a processor model.

    Args:
        name: The model, as :func:`plain_name` writes it.
        base_watts: Base (thermal design) power of one socket, in watts; ``None`` where no source says.
        threads: Hardware threads of one socket; ``None`` where no source says.
        max_watts: Maximum turbo power of one socket, in watts; ``None`` where the vendor states none beside the base.
        is_like: Whether its power is that of a similar model, as for parts that are made for one cloud.
    """

    name: str
    base_watts: float | None
    threads: int | None
    max_watts: float | None = None
    is_like: bool = False

    @property
    def most_watts(self) -> float | None:
        """The most that it is rated for: maximum turbo power, else base power."""
        return self.max_watts or self.base_watts


def plain_name(model_name: str) -> str:
    """Reduce a CPU's name to vendor, family and model.

    Args:
        model_name: A name as ``/proc/cpuinfo``, ``sysctl`` or a data sheet has it.

    Returns:
        The name without marks, clock, core count, graphics and generation, such as ``"Intel Xeon E5-2686 v4"``.
        Applying this function twice changes nothing more.
    """
    name = " ".join(re.sub(_MARK, "", model_name).split())
    while (shorter := " ".join(re.sub(_NOISE, " ", name).split())) != name:
        name = shorter
    if "core2" in name.casefold():
        name = re.sub(_CORE2, "Core 2", name)
    name = name.replace("- ", "-")
    # The first E5 Xeons carry a 0 where later models say v2: "Intel(R) Xeon(R) CPU E5-2660 0 @ 2.20GHz".
    return name[:-2] if name.endswith(" 0") and name[-3:-2].isdecimal() else name


def find_cpu(model_name: str) -> CpuSpec | None:
    """Look a processor up by its name.

    Args:
        model_name: The ``model name`` of ``/proc/cpuinfo``.

    Returns:
        The entry of exactly this model, or ``None`` for models that are not listed and for the anonymous names that
        hypervisors make up, such as ``Intel(R) Xeon(R) Processor @ 2.60GHz``.
    """
    key = plain_name(model_name).casefold()
    line = _line_of(key)
    if line is None:
        return None
    name, base, most, threads, source = line.split(",")
    return CpuSpec(
        name,
        float(base) if base else None,
        int(threads) if threads else _threads_by_brand(key, model_name),
        float(most) if most else None,
        is_like=source.startswith("l"),
    )


def _threads_by_brand(key: str, model_name: str) -> int | None:
    cores = re.search(_STATED_CORES, model_name)
    return 2 * int(cores[1]) if cores and re.match(_TWO_THREADS_A_CORE, key) else None


@cache
def _table() -> tuple[bytes, bytes]:
    """The lines of the table, as they are and in small letters, which all capitals of names have: those are ASCII."""
    _, columns, lines = _TABLE.read_bytes().partition(_COLUMNS)
    lines = columns[-1:] + lines
    return lines, lines.lower()


def _line_of(key: str) -> str | None:
    """The line of a processor; a run needs one of five thousand, so the others are not even decoded."""
    lines, small = _table()
    at = small.rfind(f"\n{key},".encode())
    return None if at < 0 else lines[at + 1 : lines.index(b"\n", at + 1)].decode()
