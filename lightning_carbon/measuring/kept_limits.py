"""Power limits that are changed for a while: put back whatever happens, by a later process if need be.

Before the first change a file says what the limits were. It goes when they are back, so a file whose process is gone
is that of a process which was killed. The file of an earlier boot is of no use, since the driver has started anew.
"""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import psutil

from lightning_carbon.errors import ConfigError, LedgerError, RecordError, SourceError
from lightning_carbon.ledger.files import read_json, write_json
from lightning_carbon.records.fields import at, check_schema, each, mapping, number, read, reading, whole
from lightning_carbon.sources import nvml
from lightning_carbon.sources.launchers import host_id
from lightning_carbon.units import MILLIWATTS_PER_WATT
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

_SCHEMA: Final = 1
_MOST_BYTES: Final = 1 << 16
_OWN: Final = 0o600


@dataclass(frozen=True, slots=True)
class FormerLimit:
    """The power limit of a GPU before it was changed.

    Args:
        index: NVML's index.
        uuid: Its UUID.
        milliwatts: The limit.
    """

    index: int
    uuid: str
    milliwatts: int


def limits_file() -> Path:
    """The file of this host, in the user's folder for states."""
    from platformdirs import user_state_path

    name = f"power-limits-{sha256(host_id().encode()).hexdigest()[:16]}.json"
    return user_state_path("lightning-carbon", appauthor=False) / name


class KeptLimits:
    """The power limits of some GPUs, which a ``with`` block may change.

    Args:
        gpus: The GPUs, with the limits that they have now.
        path: The file that remembers them.
        tell: Told in a line when a limit could not be put back.
    """

    def __init__(self, gpus: Sequence[nvml.LimitedGpu], path: Path, tell: Callable[[str], None]) -> None:
        self._former = [FormerLimit(gpu.index, gpu.uuid, gpu.milliwatts) for gpu in gpus]
        self._path = path
        self._tell = tell

    def __enter__(self) -> Self:
        """Remember the limits, on the disk, too.

        Raises:
            ConfigError: The file cannot be written, and a process that is killed would leave its limits for good.
        """
        process = psutil.Process()
        values = {
            "schema": _SCHEMA,
            "pid": process.pid,
            "started": process.create_time(),
            "gpus": [{"index": was.index, "uuid": was.uuid, "milliwatts": was.milliwatts} for was in self._former],
        }
        try:
            write_json(self._path, values, mode=_OWN)
        except LedgerError as error:
            raise ConfigError("XDG_STATE_HOME", str(self._path.parent), f"{error}.") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put the limits back."""
        _put_back(self._former, self._path, self._tell)

    def set(self, milliwatts: Sequence[int]) -> None:
        """Set the limit of each GPU.

        Raises:
            SourceUnavailable: The driver does not allow it.
        """
        for was, limit in zip(self._former, milliwatts, strict=True):
            nvml.set_power_limit(was.uuid, limit)


def put_back_left_over(tell: Callable[[str], None], path: Path | None = None) -> int | None:
    """Put back the limits that a process which was killed has left, and say so in a line.

    Args:
        tell: Told what was put back, or what could not be.
        path: The file; by default that of this host.

    Returns:
        The number of the process that still changes limits, if there is one; nothing is put back then.
    """
    path = limits_file() if path is None else path
    try:
        with reading("former power limits"):
            values = mapping(read_json(path, _MOST_BYTES))
            check_schema(values, _SCHEMA, "it")
            former = at(values, "gpus", partial(each, reader=partial(read, FormerLimit)))
            pid, started = at(values, "pid", whole), at(values, "started", number)
    except FileNotFoundError:
        return None
    except (OSError, RecordError) as error:
        tell(f"{path} does not tell which power limits to put back: {error}; see nvidia-smi -q -d POWER")
        return None
    if _runs(pid, started):
        return pid
    if _put_back(former, path, tell):
        said = ", ".join(f"GPU {was.index} to {_watts(was)}" for was in former)
        tell(f"a tune that was killed had left its power limits: put back {said}")
    return None


def _put_back(former: Sequence[FormerLimit], path: Path, tell: Callable[[str], None]) -> bool:
    """Put limits back and forget them; those that cannot be put back stay in the file, and are told."""
    is_whole = True
    for was in former:
        try:
            nvml.set_power_limit(was.uuid, was.milliwatts)
        except SourceError as error:
            is_whole = False
            fix = f"sudo nvidia-smi -i {was.index} -pl {round(was.milliwatts / MILLIWATTS_PER_WATT)}"
            tell(f"the power limit of GPU {was.index} could not be put back: {error}; put it back with: {fix}")
    if is_whole:
        path.unlink(missing_ok=True)
    return is_whole


def _runs(pid: int, started: float) -> bool:
    """Whether a process still runs, and is the same as then."""
    try:
        return abs(psutil.Process(pid).create_time() - started) < 1
    except (psutil.Error, OverflowError, ValueError):
        return False


def _watts(was: FormerLimit) -> str:
    return f"{was.milliwatts / MILLIWATTS_PER_WATT:g} W"
