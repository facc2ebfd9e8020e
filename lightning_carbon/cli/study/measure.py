"""``lightning-carbon study measure`` and ``study table``: the study's method on this machine, and all rows together."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from lightning_carbon.cli import NAME
from lightning_carbon.cli.forms import Form
from lightning_carbon.cli.output import show
from lightning_carbon.cli.say import notice, say
from lightning_carbon.errors import ConfigError, RecordError, StudyError
from lightning_carbon.ledger.files import read_json
from lightning_carbon.measuring import Measured, measure
from lightning_carbon.measuring.configuration import looks_like_config, subject_of
from lightning_carbon.measuring.following import measured_runs
from lightning_carbon.measuring.pricing import as_told, published_model_of, row_of
from lightning_carbon.records.numbers import duration
from lightning_carbon.settings import PROJECT, ledger_folder
from lightning_carbon.study.measured.measurement import from_mapping
from lightning_carbon.study.measured.table import beside, component_sheet, measured_mapping, measured_sheet, trainings
from lightning_carbon.study.measured.training_length import TrainingLength
from lightning_carbon.study.published.tables import published_rows
from lightning_carbon.systems import signals
from lightning_carbon.units import MINUTES_PER_HOUR
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    from lightning_carbon.measuring import Progress as Step
    from lightning_carbon.report.sheets import Sheet
    from lightning_carbon.study.measured.measurement import Measurement
    from lightning_carbon.study.method import Method
    from lightning_carbon.study.rows import StudyRow

_FAILED: Final = 2
_SIGNALLED: Final = 128
_ENDING: Final = signals("SIGTERM", "SIGHUP")
_LOOKS_A_SECOND: Final = 2


@dataclass(frozen=True, slots=True)
class MeasureRequest:
    """A request to measure a model.

    Args:
        words: The configuration, or a command, or both.
        minutes: How long it should train.
        warmup_seconds: The end of the warm-up, where the user gives it.
        setup_minutes: How long it may take before it trains.
        name: The name of the model.
        published: The matching row of the study.
        ledger: The folder of all runs.
    """

    words: Sequence[str]
    minutes: float
    warmup_seconds: float | None
    setup_minutes: float
    name: str | None
    published: str | None
    ledger: str | None


def measure_and_show(asked: MeasureRequest, method: Method, length: TrainingLength, *, form: Form) -> int:
    """Measure a model and print its row.

    Returns:
        The exit code.

    Raises:
        ConfigError: The request cannot be met; nothing was started.
        LedgerError: The ledger cannot be written.
    """
    config, command = _split(asked.words)
    _check(asked, config, command, length=length)
    try:
        with _ended_by_signals(), _shown() as on_progress:
            found = measure(
                config,
                minutes=asked.minutes,
                command=command,
                warmup_seconds=asked.warmup_seconds,
                name=asked.name,
                published=asked.published,
                ledger=asked.ledger,
                length=length,
                setup_minutes=asked.setup_minutes,
                on_progress=on_progress,
            )
    except StudyError as error:
        say(f"{NAME}: {error}", err=True)
        return _FAILED
    except KeyboardInterrupt:
        notice("interrupted; the program was ended, and nothing was measured")
        return _SIGNALLED + signal.SIGINT
    except _Told as told:
        return _SIGNALLED + told.number
    return _show(found, method, length, form=form)


def show_table(project: str | None, ledger: str | None, *, method: Method, length: TrainingLength, form: Form) -> None:
    """Print every measured row of a ledger beside the published rows.

    Raises:
        ConfigError: There is no such folder, or a row cannot be projected as asked.
    """
    folder = ledger_folder(ledger).expanduser().absolute()
    if not folder.is_dir() and (ledger is not None or folder.exists()):
        raise ConfigError("ledger", str(folder), "there is no such folder; give the one that runs were written to.")
    name = None if project is None else PROJECT.check(project)
    found = list(_read(measured_runs(folder, name)))
    if not found:
        where = f" of project {name}" if name is not None else ""
        notice(f"nothing{where} in {folder} has been measured yet: `{NAME} study measure CONFIG`")
    given = None if length == TrainingLength() else length
    measured = [(measurement, row_of(measurement, method, given)) for measurement in found]
    rows = beside(published_rows(), measured)
    mappings = {row.id: measured_mapping(measurement, row) for measurement, row in measured}
    show(
        form,
        [measured_sheet(rows, _priced(found, method), title="Measured beside published")],
        [mappings.get(row.id) or row.as_mapping() for row in rows],
        label="measured",
    )


def _split(words: Sequence[str]) -> tuple[Path | None, tuple[str, ...]]:
    """Split words into configuration and command; a first word that names no YAML begins a command."""
    first, *rest = words
    path = Path(first)
    is_file = path.is_file() and not os.access(path, os.X_OK)
    return (path, tuple(rest)) if looks_like_config(first) or path.is_dir() or is_file else (None, tuple(words))


def _check(asked: MeasureRequest, config: Path | None, command: tuple[str, ...], *, length: TrainingLength) -> None:
    """Refuse, before minutes of training, a projection that would be impossible after them."""
    subject = subject_of(config, command)
    hours = asked.minutes / MINUTES_PER_HOUR
    if length.hours is not None and length.hours < hours:
        fix = f"{asked.minutes:g} minutes are measured, so give {hours:.3g} hours at least, or fewer --minutes."
        raise ConfigError("hours", length.hours, fix)
    published = asked.published or subject.published
    known = [row.id for row in trainings(published_rows())]
    if published is not None and published not in known:
        raise ConfigError("published", published, f"the study has {', '.join(known)}; give one of these.")


def _show(found: Measured, method: Method, length: TrainingLength, *, form: Form) -> int:
    measurement = found.measurement
    kept = f"The measurement is in {found.location}"
    try:
        row = row_of(measurement, method, length)
    except ConfigError as error:
        notice(f"--{error.argument} {error.value} cannot be used: {error.fix}")
        notice(f"{kept}, and `{NAME} study table` shows it")
        return _FAILED
    show(form, _sheets(measurement, row, method), measured_mapping(measurement, row), label="measured")
    say(kept, err=True)
    return 0


def _sheets(measurement: Measurement, row: StudyRow, method: Method) -> list[Sheet]:
    published = published_model_of(measurement)
    answered = [] if published is None else [known for known in trainings(published_rows()) if known.id == published.id]
    rows = [*answered, row]
    title = "Measured beside published" if published is not None else "Measured"
    return [component_sheet(measurement), measured_sheet(rows, _priced([measurement], method), title=title)]


def _priced(measurements: Sequence[Measurement], method: Method) -> list[tuple[Measurement, Method]]:
    return [(measurement, as_told(method, measurement)) for measurement in measurements]


def _read(paths: Sequence[Path]) -> Iterator[Measurement]:
    for path in paths:
        try:
            yield from_mapping(read_json(path))
        except OSError as error:
            notice(f"{path}: it cannot be read: {error.strerror or error}")
        except RecordError as error:
            notice(f"{path}: {error}")


class _Told(BaseException):
    """A signal asked us to end; not an ``Exception``, so nothing takes it for an error of the program.

    Args:
        number: The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """End the program with us when a signal asks us to end."""

    def told(number: int, frame: FrameType | None) -> None:
        del frame
        raise _Told(number)

    before = {
        number: signal.signal(number, told) for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _shown() -> Iterator[Callable[[Step], None]]:
    """Show a progress bar on stderr where that is a terminal, and nothing elsewhere."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[said]}"))
    with Progress(*columns, console=console, transient=True, refresh_per_second=_LOOKS_A_SECOND) as bars:
        task = bars.add_task("setting up", total=None, said="")

        def on_progress(step: Step) -> None:
            if not step.training_seconds:
                return
            watts = f"{step.watts:.1f} W, " if step.watts is not None else ""
            said = f"of {duration(step.of_seconds)}: {watts}{step.steps:,} steps"
            done = min(step.training_seconds, step.of_seconds)
            now = "training" if done < step.of_seconds else "ending"
            bars.update(task, description=now, total=step.of_seconds, completed=done, said=said)

        yield on_progress
