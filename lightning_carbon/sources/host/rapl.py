"""RAPL counters of CPU packages, memory and the whole platform, read from the kernel's powercap tree.

Each zone is a folder with its name in ``name`` (``package-0``, ``package-0-die-1``, ``dram``, ``psys``, ``psys-1``,
``core``, ``uncore``), a count of microjoules in ``energy_uj``, and in ``max_energy_range_uj`` where that wraps. AMD's
processors show the same tree under the same names (Linux 5.8 and newer).

Which zone contains which decides what may be added up:

* ``core`` and ``uncore`` are parts of their package and are left out.
* ``dram`` lies in the folder of its package, yet its energy is *not* part of the package's (Intel SDM vol. 3,
  "RAPL domains"; Khan et al. 2018, fig. 1): it is a domain of its own.
* ``psys`` is the platform, with packages and memory inside. The kernel registers it only where it can be read, on the
  package that leads its part of the machine (Zhang Rui, "powercap: intel_rapl: support new layout of Psys PowerLimit
  register / Psys RAPL Domain", 2020), so a package belongs to the nearest psys at or below its own number. Whether a
  discrete GPU is also inside differs by machine and is not documented anywhere; it is counted separately.
* ``intel-rapl-mmio`` shows the package of ``intel-rapl`` again, by another path: each package is counted once.
* On AMD's Zen 1 and 2 the kernel (before 6.11) shows one zone for every die, all with the one count of their socket:
  zones of a socket that show the same count are counted once. Intel's multi-die packages count each die separately.

A count that stays at zero is no count: kernels register zones that nothing feeds, such as the psys of a second socket.
Reading the tree never blocks: a pipe is refused, and a reading that does not come back costs its zone.

``energy_uj`` is readable by root only since Linux 5.10 (CVE-2020-8694), hence findings that carry the command that
opens it. Containers hide the tree since 2023 (advisory GHSA-jq35-85cj-fj4p).

References:
    * https://docs.kernel.org/power/powercap/powercap.html
    * Khan, Hirki, Niemi, Nurminen, Ou: "RAPL in Action", ACM TOMPECS 3(2), 2018, doi:10.1145/3177754
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.errors import SourceError
from lightning_carbon.ports import Finding
from lightning_carbon.sources.host.cpu_table import find_cpu
from lightning_carbon.sources.host.cpuinfo import CPUINFO, describe_cpu
from lightning_carbon.sources.host.powercap import explore, top_of
from lightning_carbon.sources.kernel_files import FileCounter, read_count, reason_of
from lightning_carbon.sources.patience import PATIENCE_SECONDS, Patience
from lightning_carbon.units import MICROJOULES_PER_JOULE, MICROWATTS_PER_WATT, Energy, Power
from lightning_carbon.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lightning_carbon.sources.host.powercap import Zone
    from lightning_carbon.sources.kernel_files import Opener

ROOT_VARIABLE: Final = "LIGHTNING_CARBON_POWERCAP_ROOT"
DEFAULT_ROOT: Final = Path("/sys/class/powercap")

UNCERTAINTY_RATIOS: Final = {
    # No study has put a meter behind the regulators of a socket. The nearest, on Intel: wall power predicted linearly
    # from package readings was off by at most 5.6 % (Khan, Ou, Hirki, Nurminen, Niemi, "How much power does your server
    # consume?", Comput. Sci. Res. Dev. 31, 2016, doi:10.1007/s00450-016-0325-4), which bounds the scatter and leaves
    # the gain open; since Haswell the counts are measured, not modelled (Hackenberg et al. 2015,
    # doi:10.1109/IPDPSW.2015.70). 10 % is ours.
    Kind.PACKAGE: 0.10,
    # Follows the load with an offset that is largest at low load and differs between sockets: Desrochers, Paradis,
    # Weaver, MEMSYS 2016, doi:10.1145/2989081.2989088; Alt et al., ICPE 2024. No single bound is given; 20 % is ours.
    Kind.DRAM: 0.20,
    # No study bounds it; twice the package's is our assumption.
    Kind.PSYS: 0.20,
}
"""Half widths of the ranges, as shares of the energy, on Intel."""

MODELLED_RATIO: Final = 0.25
"""Half widths on AMD, whose processors compute their counts from their activity: the counts are blind to the data that
is processed and leave out the memory's part (Schoene et al., "Energy Efficiency Aspects of the AMD Zen 2 Architecture",
2021, arXiv:2108.00808). No study bounds that; ours."""

_AMD: Final = frozenset({"AuthenticAMD", "HygonGenuine"})
_COMPUTED: Final = ", which the processor computes from its activity (Schoene et al. 2021)"

_PACKAGE: Final = r"package-(\d+)(?:-die-(\d+))?"
_PSYS: Final = r"psys(?:-(\d+))?"
# Twin counts are compared within this: a socket of 500 W adds 0.5 J between two updates 1 ms apart.
_MIRROR_SLACK_MICROJOULES: Final = MICROJOULES_PER_JOULE
_CONSTRAINTS: Final = 3
"""The power limits that the kernel's driver knows of a package: long term, short term and peak."""
_ZERO_SECONDS: Final = 0.02
"""How long a count of zero has to move: twenty of RAPL's updates."""


@dataclass(slots=True)
class _Survey:
    """The findings so far, and what is needed to make more."""

    opener: Opener
    patience: Patience
    is_computed: bool
    rated: Power | None
    counters: dict[str, tuple[FileCounter, Zone, Energy]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def discover(
    root: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    opener: Opener = os.open,
    *,
    cpuinfo: Path = CPUINFO,
    patience_seconds: float = PATIENCE_SECONDS,
) -> list[Finding]:
    """Find every RAPL zone worth counting, and the reason why each other zone is not counted.

    Args:
        root: The powercap tree; default ``LIGHTNING_CARBON_POWERCAP_ROOT``, then ``/sys/class/powercap``.
        environ: The environment variables.
        opener: Opens files, as :func:`os.open` does.
        cpuinfo: The file that describes the processor.
        patience_seconds: How long a zone may take to answer.

    Returns:
        Packages, memory and platforms, in the order of their numbers, then those left out. Never raises for what the
        machine lacks.
    """
    folder = root or Path(environ.get(ROOT_VARIABLE) or DEFAULT_ROOT)
    tree = explore(folder, opener)
    troubles = [Finding("rapl", name, reason=reason) for name, reason in tree.troubles.items()]
    if not tree.zones:
        return troubles or [_nothing(folder, tree.hidden)]
    zones = sorted(tree.zones, key=lambda zone: (zone.control, zone.numbers))  # "intel-rapl" before "intel-rapl-mmio"
    suffixes = {
        (z.control, z.numbers): m[0].removeprefix("package-") for z in zones if (m := re.match(_PACKAGE, z.label))
    }
    cpu = describe_cpu(cpuinfo)
    spec = find_cpu(cpu.get("model name", ""))
    rated = None if spec is None or spec.most_watts is None else Power(spec.most_watts)
    domains = [(zone, domain) for zone in zones if (domain := _domain(zone, suffixes)) is not None]
    with Patience(patience_seconds) as patience:
        survey = _Survey(opener, patience, is_computed=cpu.get("vendor_id", "") in _AMD, rated=rated)
        _survey_all(survey, domains)
    found = [_found(counter, zone) for counter, zone, _first in survey.counters.values()]
    return sorted(found, key=lambda finding: finding.subject.startswith("platform")) + survey.findings + troubles


def _survey_all(survey: _Survey, domains: Sequence[tuple[Zone, Domain]]) -> None:
    """Try all zones, the platforms first: they are the parents of the others."""
    platforms: dict[int, str] = {}
    for zone, domain in sorted(domains, key=lambda pair: pair[1].kind is not Kind.PSYS):
        parent = None if domain.kind is Kind.PSYS else _platform_of(_socket(domain), platforms)
        if _add(survey, zone, Domain(domain.kind, domain.id, domain.name, parent)) and domain.kind is Kind.PSYS:
            platforms[_socket(domain)] = domain.id


def _domain(zone: Zone, suffixes: Mapping[tuple[str, tuple[int, ...]], str]) -> Domain | None:
    """The domain of a zone, without its parent; ``None`` for parts of a package."""
    if match := re.fullmatch(_PACKAGE, zone.label):
        suffix = zone.label.removeprefix("package-")
        return Domain(Kind.PACKAGE, f"package:{suffix}", f"CPU package {suffix}")
    if match := re.fullmatch(_PSYS, zone.label):
        return Domain(Kind.PSYS, f"psys:{match[1] or 0}", f"platform {match[1] or 0}")
    if zone.label == "dram":
        suffix = suffixes.get((zone.control, zone.numbers[:-1]), "-".join(map(str, zone.numbers)))
        return Domain(Kind.DRAM, f"dram:{suffix}", f"memory of package {suffix}")
    return None


def _socket(domain: Domain) -> int:
    match = re.search(r"\d+", domain.id)
    return int(match[0]) if match else 0


def _platform_of(socket: int, platforms: Mapping[int, str]) -> str | None:
    """The platform of a socket: the nearest whose leading socket has at most its number, else the first."""
    if not platforms:
        return None
    return platforms[max((leader for leader in platforms if leader <= socket), default=min(platforms))]


def _add(survey: _Survey, zone: Zone, domain: Domain) -> bool:
    """Open a zone and keep it, or keep the reason why it cannot be used."""
    subject = f"{domain.name} ({zone.path.name})"
    if domain.id in survey.counters:
        twin = survey.counters[domain.id][1].path.name
        survey.findings.append(Finding("rapl", subject, reason=f"the same as {twin} by another way; counted once"))
        return False
    try:
        counter, first = survey.patience.ask(lambda: _opened(survey, zone, domain))
    except (OSError, SourceError) as error:
        survey.findings.append(_unreadable(zone, subject, error))
        return False
    if first == Energy.ZERO:
        survey.findings.append(Finding("rapl", subject, reason="its count stands at zero: nothing is counted there"))
        return False
    mirrored = _mirrored(survey, domain, counter, second=first)
    if mirrored is not None:
        reason = f"shows the count of {mirrored}: one counter of the whole socket, shown for every die; counted once"
        survey.findings.append(Finding("rapl", subject, reason=reason))
        return False
    survey.counters[domain.id] = (counter, zone, first)
    return True


def _opened(survey: _Survey, zone: Zone, domain: Domain) -> tuple[FileCounter, Energy]:
    """A zone's counter with its first reading, which is zero where the counter stands there."""
    ratio = max(UNCERTAINTY_RATIOS[domain.kind], MODELLED_RATIO if survey.is_computed else 0.0)
    method = f"RAPL {zone.label}: {zone.path.name}/energy_uj of the whole machine"
    if survey.is_computed:
        method += _COMPUTED
    wraps_at = read_count(zone.path / "max_energy_range_uj", survey.opener)
    limit = None if wraps_at is None else Energy(wraps_at)
    most = survey.rated if domain.kind is Kind.PACKAGE else None
    if domain.kind is Kind.PACKAGE and (limits := _limits(zone, survey.opener)):
        most = max([*limits, most or limits[0]], key=lambda power: power.watts)
    sensor = Sensor(domain, Provenance.COUNTER, ratio, method, limit, max_power=most)
    counter = FileCounter(sensor, zone.path / "energy_uj", survey.opener)
    first = counter.read_energy()
    if first == Energy.ZERO:
        time.sleep(_ZERO_SECONDS)
        first = counter.read_energy()
    return counter, first


def _limits(zone: Zone, opener: Opener) -> list[Power]:
    """The power limits of a zone: those in force, and the highest that can be set."""
    names = [
        f"constraint_{number}_{name}_uw" for number in range(_CONSTRAINTS) for name in ("max_power", "power_limit")
    ]
    counts = [read_count(zone.path / name, opener) for name in names]
    return [Power(count / MICROWATTS_PER_WATT) for count in counts if count is not None]


def _mirrored(survey: _Survey, domain: Domain, counter: FileCounter, *, second: Energy) -> str | None:
    """The zone already kept whose count this zone repeats, if any.

    Two dies that count separately differ by kilojoules soon after boot; the reading of a mirror falls between two
    readings of its original.
    """
    if domain.kind is not Kind.PACKAGE:
        return None
    for kept, zone, first in survey.counters.values():
        other = kept.sensor.domain
        if other.kind is not Kind.PACKAGE or _socket(other) != _socket(domain):
            continue
        try:
            third = kept.read_energy()
        except SourceError:
            continue
        limit = counter.sensor.wraps_at
        modulus = limit.microjoules if limit is not None else 1 << 63
        since = (second.microjoules - first.microjoules + _MIRROR_SLACK_MICROJOULES) % modulus
        span = (third.microjoules - first.microjoules) % modulus
        if since <= span + 2 * _MIRROR_SLACK_MICROJOULES:
            return zone.path.name
    return None


def _found(counter: FileCounter, zone: Zone) -> Finding:
    domain = counter.sensor.domain
    remark = ""
    if domain.kind is Kind.PSYS:
        remark = "packages and memory are inside; whether a discrete GPU is too differs by machine, it is counted apart"
    return Finding("rapl", f"{domain.name} ({zone.path.name})", counter, remark)


def _unreadable(zone: Zone, subject: str, error: Exception) -> Finding:
    if isinstance(error, PermissionError):
        # A single command for the whole tree, for the files read here alone, sub-zones included, and through no link.
        import shlex  # few machines need the hint

        command = f"sudo find {shlex.quote(str(top_of(zone)))} -name '*energy*_uj' -exec chmod a+r {{}} +"
        return Finding(
            "rapl",
            subject,
            reason="energy_uj is readable by root only, as Linux does since 5.10 (CVE-2020-8694)",
            fix=f"{command}  # until the next boot; then every user can see power",
        )
    return Finding("rapl", subject, reason=f"energy_uj cannot be read: {reason_of(error)}")


def _nothing(root: Path, hidden: list[str]) -> Finding:
    subject = f"powercap tree {root}"
    if hidden:
        return Finding(
            "rapl",
            subject,
            reason="the zones are listed but hidden, as containers do since 2023 (GHSA-jq35-85cj-fj4p)",
            fix=f"start the container with -v /sys/devices/virtual/powercap:/powercap:ro -e {ROOT_VARIABLE}=/powercap",
        )
    if root.is_dir():
        return Finding(
            "rapl",
            subject,
            reason="no RAPL zone is in it: the driver is not loaded, or the processor or virtual machine has none",
            fix="on bare metal with Intel or AMD: sudo modprobe intel_rapl_msr",
        )
    return Finding(
        "rapl",
        subject,
        reason="there is no such folder: a virtual machine, or a kernel or system without powercap",
    )
