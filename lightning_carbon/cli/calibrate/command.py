"""``lightning-carbon calibrate``: recorded runs held against a wall meter, and the rest of this machine from there."""

from __future__ import annotations

from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lightning_carbon.carbon.calibration import WallStretch, calibrated
from lightning_carbon.carbon.footprint import footprint
from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.cli.calibrate.finding import LEAST_COVERED, LEAST_SECONDS, runs_in, said, span_of
from lightning_carbon.cli.forms import Form
from lightning_carbon.cli.output import show
from lightning_carbon.cli.runs.choosing import find_run
from lightning_carbon.cli.say import notice
from lightning_carbon.errors import ConfigError, SourceLost, StudyError
from lightning_carbon.grid.machines import MACHINES
from lightning_carbon.ledger.files import write_json
from lightning_carbon.ports import Finding, PowerGauge
from lightning_carbon.records.fields import plain
from lightning_carbon.records.numbers import CO2E, ENERGY, NOTHING, POWER, amount
from lightning_carbon.report.sheets import Sheet
from lightning_carbon.sources.calibration import calibration_file
from lightning_carbon.sources.discovery import class_of_machine
from lightning_carbon.sources.wall_log import read_wall_log
from lightning_carbon.systems import system
from lightning_carbon.units import JOULES_PER_WATT_HOUR, KILO, Energy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.carbon.rest import RestModel
    from lightning_carbon.records.run import RunRecord
    from lightning_carbon.sources.wall_log import WallLog

_MOST_RATIO: Final = 10.0
"""The most that a wall shows, over its chips and 1 kW; more is another machine's, or another unit; ours."""


class Wall(NamedTuple):
    """What the wall meter has shown; one of the three is given.

    Args:
        log: The path of a log.
        watts: The mean power over a run.
        watt_hours: The energy over a run.
    """

    log: Path | None
    watts: float | None
    watt_hours: float | None


class _Priced(NamedTuple):
    """A run at the wall: its record, its stretch, and the joules that the wall has shown."""

    record: RunRecord
    stretch: WallStretch
    joules: float

    @property
    def grams(self) -> float:
        """The CO2e of the energy at the wall, by the factors of the record."""
        energy = Bounds.exactly(Energy.from_joules(self.joules))
        return footprint(energy, self.record.carbon.pue, self.record.carbon.intensity).value.grams


def calibrate_machine(
    names: Sequence[str], wall: Wall, *, ledger: str | None, project: str | None, keep: bool, form: Form
) -> None:
    """Hold runs against a wall meter, price them by it, and keep what follows for this machine.

    Args:
        names: The runs: ids, beginnings of ids, or names; none for those of this machine that the log covers.
        wall: What the wall meter has shown.
        ledger: The folder of all runs.
        project: The project, if only its runs count.
        keep: Whether the calibration is kept, so later runs use it.
        form: The form of the output.

    Raises:
        ConfigError: A run or the reading cannot be used, or nothing can be kept.
    """
    _check(wall, names)
    log = None if wall.log is None else read_wall_log(wall.log)
    if names or wall.log is None or log is None:
        records = [find_run(name, ledger, project) for name in names]
    else:
        records = runs_in(log, wall.log, ledger=ledger, project=project)
        notice(f"the log covers {', '.join(record.run_name or record.run_id for record in records)}")
    path = _file(records) if keep else None
    _conclude([_at_the_wall(record, wall, log) for record in records], path, form)


def calibrate_by_program(
    words: Sequence[str], wall: Wall, *, ledger: str | None, project: str | None, keep: bool, form: Form
) -> None:
    """Meter a command, and hold its run against a wall meter.

    Args:
        words: The program and its arguments.
        wall: What the wall meter has shown; of a log, what it will have shown by the end of the command.
        ledger: The folder of all runs.
        project: The project of the run.
        keep: Whether the calibration is kept, so later runs use it.
        form: The form of the output.

    Raises:
        ConfigError: The reading or the program cannot be used, or nothing can be kept.
        StudyError: The program failed.
    """
    from lightning_carbon.cli.calibrate.program import LEAST_SECONDS, log_until, meter_program
    from lightning_carbon.meter import Meter

    _check(wall, words[:1])
    if wall.log is not None and not wall.log.is_file():
        raise ConfigError("wall", str(wall.log), "there is no such file; start the log of the plug first.")
    _check_whole("command", words[0])
    name = Path(words[0]).name

    def meter() -> Meter:
        kept_in = project or "calibration"
        return Meter(run_name=name, ledger=ledger, project=kept_in, cpu_scope="machine", devices="all")

    record, started_at = meter_program(words, meter)
    path = _file([record]) if keep else None
    log = None if wall.log is None else log_until(wall.log, started_at + record.duration_seconds)
    _conclude([_at_the_wall(record, wall, log, started_at=started_at, least_seconds=LEAST_SECONDS)], path, form)


def _at_the_wall(
    record: RunRecord,
    wall: Wall,
    log: WallLog | None,
    *,
    started_at: float | None = None,
    least_seconds: float = LEAST_SECONDS,
) -> _Priced:
    """A run with what the wall meter has shown meanwhile."""
    chips = _chips(record, least_seconds)
    if log is not None:
        start = span_of(record)[0] if started_at is None else started_at
        joules, covered = log.between(start, start + record.duration_seconds)
        if covered < LEAST_COVERED:
            when = f"{record.started_at}, for {record.duration_seconds:.0f} s"
            fix = f"it covers {covered:.0%} of run {record.run_id} ({when}); {said(log)}."
            raise ConfigError("wall", str(wall.log), fix)
        joules /= covered
    elif wall.watts is not None:
        joules = wall.watts * record.duration_seconds
    else:
        joules = (wall.watt_hours or 0.0) * JOULES_PER_WATT_HOUR
    return _Priced(record, _stretch(record, chips, joules), joules)


def _check_whole(argument: str, given: object) -> None:
    """Refuse to meter a job that has a part of the machine."""
    machine = class_of_machine([], cpu_scope="machine")
    if machine.portion < 1:
        raise ConfigError(argument, given, f"this job has {machine.portion:.0%} of the machine ({machine.reason}).")


def calibrate_by_loads(
    seconds: float, *, redfish: bool, ipmi: bool, ledger: str | None, project: str | None, keep: bool, form: Form
) -> None:
    """Meter this machine idle and under load; with what sees it at its plug, keep what follows.

    Args:
        seconds: How long each load is metered.
        redfish: Whether its service processor is asked at the address in the environment.
        ipmi: Whether ipmitool is.
        ledger: The folder of all runs.
        project: The project of the runs.
        keep: Whether the calibration is kept, so later runs use it.
        form: The form of the output.

    Raises:
        ConfigError: What was asked for cannot see the machine, or nothing can be kept.
        StudyError: The machine could not be read, or a load ended early.
    """
    from lightning_carbon.cli.calibrate.loads import LEAD_SECONDS, loads, meter_loads
    from lightning_carbon.meter import Meter

    wall = _seen_by(redfish=redfish, ipmi=ipmi)
    _check_whole("redfish" if redfish else "ipmi" if ipmi else "load", given=True)
    planned = loads(seconds, has_gpu=has_gpu())
    names = ", ".join(load.name for load in planned)
    whole = len(planned) * (seconds + LEAD_SECONDS)
    notice(f"metering {names}: {whole:.0f} s in all, with every processor{' and GPU' if len(planned) > 2 else ''} busy")  # noqa: PLR2004 - idle and processors

    def meter(name: str) -> Meter:
        return Meter(run_name=name, ledger=ledger, project=project or "calibration", cpu_scope="machine")

    try:
        metered = list(meter_loads(planned, meter, wall))
    except SourceLost as error:
        raise StudyError(str(error)) from None
    if wall is None:
        place = f" --ledger {ledger}" if ledger else ""
        words = " ".join(f"{run.record.run_id}" for run in metered)
        notice(f"metered; now hold them against the plug's log: lightning-carbon calibrate {words} --wall FILE{place}")
        return
    path = _file([run.record for run in metered]) if keep else None
    priced = []
    for run in metered:
        joules = (run.wall_watts or 0.0) * run.record.duration_seconds
        priced.append(_Priced(run.record, _stretch(run.record, _chips(run.record, 0.0), joules), joules))
    _conclude(priced, path, form)


def _seen_by(*, redfish: bool, ipmi: bool) -> PowerGauge | None:
    """What sees the machine at its plug, read once; ``None`` where neither was asked for."""
    from lightning_carbon.settings import REDFISH
    from lightning_carbon.sources import ipmi as by_ipmi
    from lightning_carbon.sources import redfish as by_redfish

    found: list[Finding] = []
    name = "redfish" if redfish else "ipmi"
    if redfish:
        plan = REDFISH.in_force()
        if plan is None:
            raise ConfigError(name, True, f"set {REDFISH.variable} to the address of the service processor.")
        found = [by_redfish.discover(plan, wait_seconds=by_redfish.WAIT_SECONDS)]
    elif ipmi:
        found = by_ipmi.discover() or [Finding("machine", by_ipmi.SUBJECT, reason="ipmitool is not installed")]
    for finding in found:
        if not isinstance(finding.port, PowerGauge):
            fix = f"; {finding.fix}" if finding.fix else ""
            raise ConfigError(name, True, f"{finding.reason}{fix}.")
        return finding.port
    return None


def has_gpu() -> bool:
    """Whether there is a GPU by NVIDIA, and torch to keep it busy."""
    from importlib.util import find_spec

    from lightning_carbon.sources import nvml

    return find_spec("torch") is not None and any(
        device.cuda_index is not None for device in nvml.list_devices("auto").devices
    )


def _conclude(priced: Sequence[_Priced], path: Path | None, form: Form) -> None:
    """Fit, keep and show."""
    records = [run.record for run in priced]
    date = f"{datetime.now(UTC):%Y-%m-%d}"
    model = calibrated((run.stretch for run in priced), _class(records), date=date)
    if path is not None:
        write_json(path, plain(model), mode=0o600)
        notice(f"kept in {path}; later runs of this machine use it")
    show(form, [_sheet(priced, model)], _plain(priced, model), label="calibration")


def _check(wall: Wall, names: Sequence[str]) -> None:
    given = [name for name, value in zip(("wall", "wall_watts", "wall_wh"), wall, strict=True) if value is not None]
    if len(given) != 1:
        fix = "give one of --wall FILE, --wall-watts WATTS and --wall-wh WH."
        raise ConfigError(given[0] if given else "wall", None if not given else "and others", fix)
    for name, value in (("wall_watts", wall.watts), ("wall_wh", wall.watt_hours)):
        if value is not None and not (isfinite(value) and value > 0):
            raise ConfigError(name, value, "give a number above 0, such as 412.")
    if len(names) != 1 and wall.log is None:
        raise ConfigError(given[0], wall.watts or wall.watt_hours, "it is the reading of a single run; name one run.")


def _chips(record: RunRecord, least_seconds: float = LEAST_SECONDS) -> Bounds[float]:
    """The energy of the chips of a run that is fit for a calibration, in joules."""
    energy = record.energy
    if energy.total_joules is None or record.duration_seconds < least_seconds:
        fix = f"it has no energy, or lasted less than {least_seconds:.0f} s; meter a longer run."
        raise ConfigError("run", record.run_id, fix)
    hosts = {rank.host for rank in record.ranks}
    if len(hosts) > 1 or record.world_size != len(record.ranks):
        raise ConfigError("run", record.run_id, "it ran on several machines, and a wall meter sees one of them.")
    model = None if record.machine is None else record.machine.hosts[0].model
    if model is not None and model.portion < 1:
        part = f"it had {model.portion:.0%} of the machine ({model.reason})"
        raise ConfigError("run", record.run_id, f"{part}, and a wall meter sees all of it; use the whole machine.")
    return Bounds(energy.total_joules, energy.low_joules, energy.high_joules)


def _stretch(record: RunRecord, chips: Bounds[float], joules: float) -> WallStretch:
    seconds = record.duration_seconds
    if joules < chips.low:
        told = f"{amount(joules, ENERGY)} at the wall are less than the {amount(chips.value, ENERGY)} of its chips"
        raise ConfigError("run", record.run_id, f"{told}; is this the plug of this machine, and in watts?")
    if joules / seconds > _MOST_RATIO * chips.value / seconds + KILO:
        told = f"{amount(joules / seconds, POWER)} at the wall are far above the {amount(chips.value / seconds, POWER)}"
        raise ConfigError("run", record.run_id, f"{told} of its chips; is this the plug of this machine, in watts?")
    return WallStretch(chips.value / seconds, chips.low / seconds, chips.high / seconds, joules / seconds)


def _class(records: Sequence[RunRecord]) -> RestModel:
    """The packaged class of the machine: that of the runs, else of this machine."""
    for record in records:
        model = None if record.machine is None else record.machine.hosts[0].model
        name = "" if model is None else model.machine.partition(",")[0]
        if name in MACHINES:
            return MACHINES[name]
    found = class_of_machine([]).machine.partition(",")[0]
    return MACHINES[found]


def _file(records: Sequence[RunRecord]) -> Path:
    """Where the calibration of this machine is kept, on which all runs have to have run."""
    here = system().node
    for record in records:
        if record.host.get("name") != here:
            fix = f"it ran on {record.host.get('name')}, and this is {here}; calibrate there, or add --no-keep."
            raise ConfigError("run", record.run_id, fix)
    path = calibration_file()
    if path is None:
        raise ConfigError("keep", True, "this machine has no /etc/machine-id to keep it by; add --no-keep.")
    return path


def _sheet(priced: Sequence[_Priced], model: RestModel) -> Sheet:
    rows = tuple(
        (
            run.record.run_name or run.record.run_id,
            amount(run.stretch.chips_watts, POWER),
            amount(run.stretch.wall_watts, POWER),
            NOTHING if run.record.machine is None else amount(run.record.machine.joules, ENERGY),
            amount(run.joules, ENERGY),
            NOTHING if run.record.carbon.grams_co2e is None else amount(run.record.carbon.grams_co2e, CO2E),
            amount(run.grams, CO2E),
        )
        for run in priced
    )
    share = f"{model.share:.1%} ({model.share_low:.1%} to {model.share_high:.1%}) of the chips"
    constant = f"{model.constant_watts:.3g} W ({model.constant_low_watts:.3g} to {model.constant_high_watts:.3g})"
    notes = (
        f"The rest of the machine: {constant} + {share}; 90 % intervals.",
        "Records stay as they are; the last columns are what they would say by the wall.",
    )
    head = ("Run", "Chips", "Wall", "Recorded", "At the wall", "CO2e recorded", "By the wall")
    return Sheet("Calibration of this machine", head, "<>>>>>>", rows, notes)


def _plain(priced: Sequence[_Priced], model: RestModel) -> dict[str, Any]:
    runs = [
        {
            "run_id": run.record.run_id,
            "chips_watts": run.stretch.chips_watts,
            "wall_watts": run.stretch.wall_watts,
            "recorded_machine_joules": None if run.record.machine is None else run.record.machine.joules,
            "wall_joules": run.joules,
            "recorded_grams_co2e": run.record.carbon.grams_co2e,
            "grams_co2e": run.grams,
        }
        for run in priced
    ]
    return {"schema": 1, "rest": plain(model), "runs": runs}
