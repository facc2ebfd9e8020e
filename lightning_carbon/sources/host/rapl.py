"""RAPL counters of CPU packages, memory and the whole platform, read from the kernel's powercap tree.

Each zone is a folder with its name in ``name`` (``package-0``, ``package-0-die-1``, ``dram``, ``psys``, ``psys-1``,
``core``, ``uncore``), a count of microjoules in ``energy_uj``, and in ``max_energy_range_uj`` where that wraps. AMD's
processors show the same tree under the same names (Linux 5.8 and newer).

What is inside what decides what may be added up:

* ``core`` and ``uncore`` are parts of their package and are left out.
* ``dram`` lies in the folder of its package, yet its energy is *not* part of the package's (Intel SDM vol. 3,
  "RAPL domains"; Khan et al. 2018, fig. 1): it is a domain of its own.
* ``psys`` is the platform: packages and memory are inside. The kernel registers it only where it can be read, on the
  package that leads its part of the machine (Zhang Rui, "powercap: intel_rapl: support new layout of Psys PowerLimit
  register / Psys RAPL Domain", 2020), so a package belongs to the nearest psys at or below its own number. Whether a
  discrete GPU is inside too differs by machine and is nowhere documented; it is counted apart.
* ``intel-rapl-mmio`` shows the package of ``intel-rapl`` again by another way: each is counted once.
* On AMD's Zen 1 and 2 the kernel (before 6.11) shows one zone for every die, all with the one count of their socket:
  zones of one socket that show the same count are counted once. Intel's multi-die packages count each die apart.

``energy_uj`` is readable by root only since Linux 5.10 (CVE-2020-8694), hence findings that carry the command that
opens it. Containers hide the tree since 2023 (advisory GHSA-jq35-85cj-fj4p).

References:
    * https://docs.kernel.org/power/powercap/powercap.html
    * Khan, Hirki, Niemi, Nurminen, Ou: "RAPL in Action", ACM TOMPECS 3(2), 2018, doi:10.1145/3177754
"""

from __future__ import annotations

import errno
import os
import re
import shlex
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.errors import ReadFailed, SourceError, SourceLost
from lightning_carbon.ports import Finding
from lightning_carbon.units import Energy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Opener = Callable[[str, int], int]

ROOT_VARIABLE = "LIGHTNING_CARBON_POWERCAP_ROOT"
DEFAULT_ROOT = Path("/sys/class/powercap")

UNCERTAINTY_RATIOS = {
    # Wall power predicted from package readings alone was off by at most 5.6 %: Khan, Ou, Hirki, Nurminen, Niemi, "How
    # much power does your server consume?", Comput. Sci. Res. Dev. 31, 2016, doi:10.1007/s00450-016-0325-4. Since
    # Haswell the counts are measured, not modelled (Hackenberg et al. 2015, doi:10.1109/IPDPSW.2015.70). AMD's are
    # modelled and blind to the data worked on (Schoene et al. 2021, arXiv:2108.00808), without a published bound.
    Kind.PACKAGE: 0.06,
    # Follows the load with an offset that is largest at low load and differs between sockets: Desrochers, Paradis,
    # Weaver, MEMSYS 2016, doi:10.1145/2989081.2989088; Alt et al., ICPE 2024. No single bound is given; 20 % is ours.
    Kind.DRAM: 0.20,
    # No study bounds it; twice the package's is our assumption.
    Kind.PSYS: 0.12,
}

_ZONE = re.compile(r"(intel-rapl(?:-[a-z]+)?)((?::\d+)+)")
_CONTROL_TYPE = re.compile(r"intel-rapl(?:-[a-z]+)?")
_PACKAGE = re.compile(r"package-(\d+)(?:-die-(\d+))?")
_PSYS = re.compile(r"psys(?:-(\d+))?")
_LOST = {errno.ENODEV, errno.ENXIO, errno.ENODATA, errno.ENOENT, errno.EBADF, errno.ESTALE}
# Twin counts are compared within this: a socket of 500 W adds 0.5 J between two updates 1 ms apart.
_MIRROR_SLACK_MICROJOULES = 1_000_000


class RaplCounter:
    """The energy counter of one powercap zone, kept open so that a reading is one system call.

    Args:
        sensor: What the zone covers.
        path: Its ``energy_uj``.
        opener: What opens the file, as :func:`os.open` does.

    Raises:
        OSError: The file cannot be opened.
    """

    def __init__(self, sensor: Sensor, path: Path, opener: Opener = os.open) -> None:
        self._sensor = sensor
        self._path = str(path)
        self._opener = opener
        self._open()

    def _open(self) -> None:
        self._descriptor = self._opener(self._path, os.O_RDONLY | os.O_CLOEXEC)
        self._close = weakref.finalize(self, os.close, self._descriptor)

    @property
    def sensor(self) -> Sensor:
        """What the zone covers."""
        return self._sensor

    def read_energy(self) -> Energy:
        """Read ``energy_uj``.

        Raises:
            ReadFailed: What was read is no count, or the kernel failed this time.
            SourceLost: The zone is gone.
        """
        try:
            if os.fstat(self._descriptor).st_nlink == 0:  # replaced by another file, or deleted
                self._close()
                self._open()
            text = os.pread(self._descriptor, 64, 0)
        except OSError as error:
            kind = SourceLost if error.errno in _LOST else ReadFailed
            raise kind(f"{self._path}: {error.strerror}") from error
        try:
            count = int(text)
        except ValueError:
            count = -1
        if count < 0:
            raise ReadFailed(f"{self._path}: {text!r} is no count of microjoules")
        return Energy(count)


@dataclass(frozen=True, slots=True)
class _Zone:
    """A folder of the tree that names its zone."""

    path: Path
    control: str
    numbers: tuple[int, ...]
    label: str


@dataclass(slots=True)
class _Survey:
    """What has been found so far."""

    opener: Opener
    counters: dict[str, tuple[RaplCounter, _Zone, Energy]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def discover(
    root: Path | None = None, environ: Mapping[str, str] = os.environ, opener: Opener = os.open
) -> list[Finding]:
    """Find every RAPL zone worth counting, and say of each other one why it is not counted.

    Args:
        root: The powercap tree; default ``LIGHTNING_CARBON_POWERCAP_ROOT``, then ``/sys/class/powercap``.
        environ: The environment variables.
        opener: What opens files, as :func:`os.open` does.

    Returns:
        Packages, memory and platforms, in the order of their numbers, then those left out. Never raises for what the
        machine lacks.
    """
    tree = root or Path(environ.get(ROOT_VARIABLE) or DEFAULT_ROOT)
    folders, hidden = _folders(tree)
    if not folders:
        return [_nothing(tree, hidden)]
    zones = [_Zone(path, *_split(name), _label(path)) for name, path in folders.items()]
    zones.sort(key=lambda zone: (zone.control, zone.numbers))  # "intel-rapl" before "intel-rapl-mmio"
    suffixes = {(z.control, z.numbers): m[0].removeprefix("package-") for z in zones if (m := _PACKAGE.match(z.label))}
    survey = _Survey(opener)
    domains = [(zone, domain) for zone in zones if (domain := _domain(zone, suffixes)) is not None]
    # The platforms first: they are the parents of the others.
    platforms: dict[int, str] = {}
    for zone, domain in sorted(domains, key=lambda pair: pair[1].kind is not Kind.PSYS):
        parent = None if domain.kind is Kind.PSYS else _platform_of(_socket(domain), platforms)
        if _add(survey, zone, Domain(domain.kind, domain.id, domain.name, parent)) and domain.kind is Kind.PSYS:
            platforms[_socket(domain)] = domain.id
    found = [_found(counter, zone) for counter, zone, _first in survey.counters.values()]
    return sorted(found, key=lambda finding: finding.subject.startswith("platform")) + survey.findings


def _folders(root: Path) -> tuple[dict[str, Path], list[str]]:
    """Every zone once, by the name of its folder: the tree shows it both flat, as a link, and nested.

    Returns:
        Name to folder; and the names of links that lead nowhere.
    """
    folders: dict[str, Path] = {}
    hidden: list[str] = []

    def look(folder: Path) -> None:
        for entry in _entries(folder):
            is_zone = _ZONE.fullmatch(entry.name)
            if not is_zone and not _CONTROL_TYPE.fullmatch(entry.name):
                continue
            if not entry.is_dir():
                hidden.append(entry.name)
            elif not is_zone:
                look(Path(entry.path))
            elif entry.name not in folders:
                folders[entry.name] = Path(entry.path)
                look(Path(entry.path))

    look(root)
    return folders, hidden


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:
        return


def _split(name: str) -> tuple[str, tuple[int, ...]]:
    match = _ZONE.fullmatch(name)
    assert match is not None  # noqa: S101  (only such names are collected)
    return match[1], tuple(int(number) for number in match[2].split(":")[1:])


def _label(zone: Path) -> str:
    try:
        return (zone / "name").read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _domain(zone: _Zone, suffixes: Mapping[tuple[str, tuple[int, ...]], str]) -> Domain | None:
    """The domain of a zone, without its parent; ``None`` for parts of a package."""
    if match := _PACKAGE.fullmatch(zone.label):
        suffix = zone.label.removeprefix("package-")
        return Domain(Kind.PACKAGE, f"package:{suffix}", f"CPU package {suffix}")
    if match := _PSYS.fullmatch(zone.label):
        return Domain(Kind.PSYS, f"psys:{match[1] or 0}", f"platform {match[1] or 0}")
    if zone.label == "dram":
        suffix = suffixes.get((zone.control, zone.numbers[:-1]), "-".join(map(str, zone.numbers)))
        return Domain(Kind.DRAM, f"dram:{suffix}", f"memory of package {suffix}")
    return None


def _socket(domain: Domain) -> int:
    match = re.search(r"\d+", domain.id)
    return int(match[0]) if match else 0


def _platform_of(socket: int, platforms: Mapping[int, str]) -> str | None:
    """The platform that a socket is part of: the nearest that leads at or below its number, else the first."""
    if not platforms:
        return None
    return platforms[max((leader for leader in platforms if leader <= socket), default=min(platforms))]


def _add(survey: _Survey, zone: _Zone, domain: Domain) -> bool:
    """Open a zone and keep it, or keep why not."""
    subject = f"{domain.name} ({zone.path.name})"
    if domain.id in survey.counters:
        twin = survey.counters[domain.id][1].path.name
        survey.findings.append(Finding("rapl", subject, reason=f"the same as {twin} by another way; counted once"))
        return False
    sensor = Sensor(
        domain,
        Provenance.COUNTER,
        UNCERTAINTY_RATIOS[domain.kind],
        f"RAPL {zone.label}: {zone.path.name}/energy_uj of the whole machine",
        _wrap(zone.path),
    )
    try:
        counter = RaplCounter(sensor, zone.path / "energy_uj", survey.opener)
        first = counter.read_energy()
    except (OSError, SourceError) as error:
        survey.findings.append(_unreadable(zone, subject, error))
        return False
    mirrored = _mirrored(survey, domain, counter, first)
    if mirrored is not None:
        reason = f"shows the count of {mirrored}: one counter of the whole socket, shown for every die; counted once"
        survey.findings.append(Finding("rapl", subject, reason=reason))
        return False
    survey.counters[domain.id] = (counter, zone, first)
    return True


def _wrap(zone: Path) -> Energy | None:
    try:
        limit = int((zone / "max_energy_range_uj").read_text())
    except (OSError, ValueError):
        return None
    return Energy(limit) if limit > 0 else None


def _mirrored(survey: _Survey, domain: Domain, counter: RaplCounter, second: Energy) -> str | None:
    """The zone already kept whose count this one repeats, if any.

    Two dies that count apart have differed by kilojoules since soon after boot; a mirror's reading falls between two
    readings of its original.
    """
    if domain.kind is not Kind.PACKAGE:
        return None
    for kept, zone, first in survey.counters.values():
        other = kept.sensor.domain
        if other.kind is not Kind.PACKAGE or _socket(other) != _socket(domain) or first == Energy.ZERO == second:
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


def _found(counter: RaplCounter, zone: _Zone) -> Finding:
    domain = counter.sensor.domain
    remark = ""
    if domain.kind is Kind.PSYS:
        remark = "packages and memory are inside; whether a discrete GPU is too differs by machine, it is counted apart"
    return Finding("rapl", f"{domain.name} ({zone.path.name})", counter, remark)


def _unreadable(zone: _Zone, subject: str, error: Exception) -> Finding:
    if isinstance(error, PermissionError):
        # One command for the whole tree: only what is read here, sub-zones included, through no link.
        tree = zone.path.resolve()
        while _ZONE.fullmatch(tree.name) or _CONTROL_TYPE.fullmatch(tree.name):
            tree = tree.parent
        command = f"sudo find {shlex.quote(str(tree))} -name '*energy*_uj' -exec chmod a+r {{}} +"
        return Finding(
            "rapl",
            subject,
            reason="energy_uj is readable by root only, as Linux does since 5.10 (CVE-2020-8694)",
            fix=f"{command}  # until the next boot; then every user can see power",
        )
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return Finding("rapl", subject, reason=f"energy_uj cannot be read: {reason}")


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
