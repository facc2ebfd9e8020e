"""GPUs by AMD (``amdgpu``) and Intel (``i915``, ``xe``), each with its best working sensor.

AMD: an energy counter where there is one; else the power that the driver averages (``power1_average``), else the power
at the moment (``power1_input``); the driver reads that of the whole socket. An APU's power includes the CPU
(https://docs.kernel.org/gpu/amdgpu/thermal.html) and therefore does not count as a GPU's; only APUs show the voltage of
a northbridge. On a board of two dies, such as an MI250, the first die shows the power of both and the second shows 0 or
nothing (https://github.com/ROCm/rocm_smi_lib/issues/160, 2024): a job on the second die is charged the board.

Intel: ``i915`` and ``xe`` count the energy of the card; ``xe`` counts its package, too, which is inside
(Documentation/ABI/testing/sysfs-driver-intel-xe-hwmon).
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.errors import ReadFailed, SourceError
from lightning_carbon.ports import Finding
from lightning_carbon.sources.hwmon.conditions import gauges_of
from lightning_carbon.sources.hwmon.readings import FileGauge, microwatts, why_not
from lightning_carbon.sources.kernel_files import FileCounter, read_small
from lightning_carbon.units import MICROWATTS_PER_WATT, Energy, Power
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lightning_carbon.ports import Source
    from lightning_carbon.sources.hwmon.chips import Chip, Chips
    from lightning_carbon.sources.kernel_files import Opener
    from lightning_carbon.sources.patience import Patience

AMD: Final = "amdgpu"
INTEL: Final = ("i915", "xe")

COUNTER_RATIO: Final = 0.10
"""Half width of the range of an energy counter. No study has compared these drivers with a meter; twice NVIDIA's, our
assumption."""
GAUGE_RATIO: Final = 0.15
"""Half width of the range of integrated power; ours, as wide as that of NVIDIA's mean of the last second."""

_NODES: Final = Path("sys/class/kfd/kfd/topology/nodes")
_PROPERTIES_BYTES: Final = 8192
_GT: Final = r"i915_gt\d+"
_MOST_TILES: Final = 16
_NORTHBRIDGE: Final = "vddnb"
_ANY: Final = "no sensor of this GPU answers: "


@dataclass(frozen=True, slots=True)
class KernelGpu:
    """A GPU with a chip in hwmon.

    Args:
        chip: The chip.
        address: Its PCI address.
        unique_id: The unique id of the board, or an empty string.
        name: For people.
    """

    chip: Chip
    address: str
    unique_id: str
    name: str

    @property
    def subject(self) -> str:
        """The name of the GPU in a finding."""
        return f"{self.name} {self.address}"

    @property
    def domain(self) -> Domain:
        """The domain of the GPU's board."""
        return Domain(Kind.GPU, f"gpu:{self.unique_id or self.address}", self.name)


def amd_gpus(chips: Chips, root: Path) -> tuple[list[KernelGpu], list[Finding]]:
    """The GPUs of AMD in ROCm's order, a partitioned GPU several times, and a finding for each APU.

    Args:
        chips: What was found.
        root: Where ``sys`` is.
    """
    gpus: dict[str, KernelGpu] = {}
    apus: list[Finding] = []
    for chip in chips.named(AMD):
        if chip.address is None:
            continue
        gpu = KernelGpu(
            chip, chip.address, chip.text("unique_id"), chip.text("product_name") or _by_id("AMD GPU", chip)
        )
        if chip.text("in1_label") == _NORTHBRIDGE:
            reason = "it is part of a processor, whose power has it inside"
            apus.append(Finding(AMD, gpu.subject, reason=reason))
        else:
            gpus[gpu.address] = gpu
    by_slot = {address.rpartition(".")[0]: gpu for address, gpu in gpus.items()}
    counted = [by_slot[slot] for slot in _kfd_order(root, chips) if slot in by_slot]
    return counted or [gpus[address] for address in sorted(gpus)], apus


def intel_gpus(chips: Chips) -> list[KernelGpu]:
    """The GPUs by Intel with sensors, which excludes those inside processors, ordered by address."""
    found = [
        KernelGpu(chip, chip.address, "", _by_id("Intel GPU", chip))
        for chip in chips.named(*INTEL)
        if chip.address is not None
    ]
    return sorted(found, key=lambda gpu: gpu.address)


def tiles_of(chips: Chips) -> Callable[[KernelGpu], int]:
    """A function that gives the number of tiles of a GPU by Intel, at least 1.

    ``xe`` has a folder for each tile; ``i915`` has a chip for each (``i915_gt0``).

    Args:
        chips: What was found.
    """
    by_address: dict[str | None, int] = {}
    for chip in chips.found:
        if re.fullmatch(_GT, chip.name):
            by_address[chip.address] = by_address.get(chip.address, 0) + 1

    def tiles(gpu: KernelGpu) -> int:
        folders = 0
        while folders < _MOST_TILES and (gpu.chip.device / f"tile{folders}").is_dir():
            folders += 1
        return max(1, folders, by_address.get(gpu.address, 0))

    return tiles


def meter(gpus: Sequence[KernelGpu], known: Sequence[KernelGpu], patience: Patience) -> list[Finding]:
    """The verdict on each board with a selected GPU, once.

    Args:
        gpus: The selected GPUs.
        known: All GPUs, in their order.
        patience: How long a sensor may take to answer.
    """
    findings: dict[str, Finding] = {}
    for gpu in gpus:
        finding = _metered(gpu, patience)
        if finding.port is None and gpu.chip.name == AMD:
            first = _first_die(gpu, known, patience)
            finding = finding if first is None else first
        known_as = finding.subject if finding.port is None else finding.port.sensor.domain.id
        findings.setdefault(known_as, finding)
    return list(findings.values())


def _metered(gpu: KernelGpu, patience: Patience) -> Finding:
    """The first sensor that answers; a counter has the next behind it."""
    sources: list[Source] = []
    reasons: list[str] = []
    for file, is_counter in _files(gpu):
        path = gpu.chip.file(file)
        if path is None:
            continue
        try:
            sources.append(patience.ask(partial(_opened, gpu, path, is_counter=is_counter)))
        except (OSError, SourceError) as error:
            reasons.append(f"{file}: {why_not(error)}")
    if not sources:
        return Finding(gpu.chip.name, gpu.subject, reason=_ANY + ("; ".join(reasons) or "its driver shows none"))
    fallback = sources[1] if len(sources) > 1 and isinstance(sources[0], FileCounter) else None
    remark, gauges = "; ".join(reasons), gauges_of(gpu.chip)
    return Finding(gpu.chip.name, gpu.subject, sources[0], remark, fallback=fallback, gauges=gauges)


def _files(gpu: KernelGpu) -> list[tuple[str, bool]]:
    if gpu.chip.name == AMD:
        return [("energy1_input", True), ("power1_average", False), ("power1_input", False)]
    return [("energy1_input", True), ("energy2_input", True), ("power1_input", False)]


def _opened(gpu: KernelGpu, path: Path, *, is_counter: bool) -> Source:
    """A sensor whose first answer is above zero."""
    chip = gpu.chip
    whose = "the card's" if chip.name in INTEL and path.name == "energy1_input" else "the socket's"
    caps = [
        cap for name in ("power1_cap_max", "power1_rated_max", "power1_cap") if (cap := chip.text(name)).isdecimal()
    ]
    most = max((int(cap) for cap in caps), default=0)
    sensor = Sensor(
        gpu.domain,
        Provenance.COUNTER if is_counter else Provenance.INTEGRATED,
        COUNTER_RATIO if is_counter else GAUGE_RATIO,
        f"{chip.name} {path.name}, {whose}" + ("" if is_counter else ", integrated"),
        max_power=Power(most / MICROWATTS_PER_WATT) if most else None,
    )
    if is_counter:
        counter = FileCounter(sensor, path, chip.opener)
        if counter.read_energy() == Energy.ZERO:
            raise ReadFailed("it stands at zero")
        return counter
    gauge = FileGauge(sensor, [microwatts(path, chip.opener)])
    if gauge.read_power().watts == 0:
        raise ReadFailed("it shows 0 W, as the second die of a board does")
    return gauge


def _first_die(gpu: KernelGpu, known: Sequence[KernelGpu], patience: Patience) -> Finding | None:
    """The sensor of the board's first die, which is the previous GPU."""
    place = known.index(gpu)
    if not place or known[place - 1].name != gpu.name:
        return None
    first = known[place - 1]
    finding = _metered(first, patience)
    if finding.port is None:
        return None
    remark = f"it shows the power of the whole board, {gpu.address} included, which shows none"
    port, gauges = finding.port, finding.gauges
    return Finding(finding.source, finding.subject, port, remark, fallback=finding.fallback, gauges=gauges)


def _by_id(word: str, chip: Chip) -> str:
    return f"{word} {chip.text('device').removeprefix('0x')}".strip()


def _kfd_order(root: Path, chips: Chips) -> list[str]:
    """The PCI slots of ROCm's compute nodes, in order; a partitioned GPU has several nodes.

    Slots leave out the function: for a partitioned GPU, the kernel writes the number of the node there (2024).
    """
    folder = root / _NODES
    try:
        numbers = sorted(int(path.name) for path in folder.iterdir() if path.name.isdecimal())
    except OSError:
        return []
    opener = chips.found[0].opener if chips.found else None
    slots = []
    for number in numbers:
        properties = _properties(folder / str(number) / "properties", opener)
        if properties.get("simd_count"):
            location = properties.get("location_id", 0)
            bus, device = (location >> 8) & 0xFF, (location >> 3) & 0x1F
            slots.append(f"{properties.get('domain', 0):04x}:{bus:02x}:{device:02x}")
    return slots


def _properties(path: Path, opener: Opener | None) -> dict[str, int]:
    try:
        text = read_small(path, *(() if opener is None else (opener,)), most_bytes=_PROPERTIES_BYTES)
    except (OSError, ValueError):
        return {}
    return {match[1]: int(match[2]) for match in re.finditer(r"^(\w+) (\d+)$", text, re.MULTILINE)}
