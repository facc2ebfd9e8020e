"""``lightning-carbon runs export``: the figures of runs as a file of CSV or Parquet."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any

from lightning_carbon.cli.runs.choosing import known_runs
from lightning_carbon.cli.runs.figures import FIGURES, as_csv
from lightning_carbon.cli.say import say
from lightning_carbon.errors import ConfigError
from lightning_carbon.ledger.files import scratch_beside

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lightning_carbon.ledger.facts import Facts
    from lightning_carbon.ledger.filters import RunFilter


def export_runs(ledger: str | None, wanted: RunFilter, *, parquet: Path | None, csv: Path | None) -> None:
    """Write the figures of runs into files, each all or nothing.

    Args:
        ledger: The folder of all runs that the user named, if any.
        wanted: The runs.
        parquet: The file of Parquet, if it is wanted.
        csv: The file of CSV, if it is wanted.

    Raises:
        ConfigError: No file is named, a file cannot be written, pyarrow is missing, or no run matches.
    """
    if parquet is None and csv is None:
        raise ConfigError("parquet", None, "name a file, such as --parquet runs.parquet or --csv runs.csv.")
    for name, path in (("parquet", parquet), ("csv", csv)):
        if path is not None and not path.absolute().parent.is_dir():
            raise ConfigError(name, str(path), f"there is no folder {path.absolute().parent}; make it first.")
    write_parquet = None if parquet is None else _parquet_writer(parquet)
    runs = known_runs(ledger, wanted.project)
    found = runs.ledger.select(wanted)
    if not found:
        raise ConfigError("ledger", runs.folder, "no run there matches, and no file is written.")
    if parquet is not None and write_parquet is not None:
        write_whole("parquet", parquet, partial(write_parquet, found, runs.ledger.tags))
    if csv is not None:
        text = "".join(as_csv(found, runs.ledger.tags))
        write_whole("csv", csv, lambda scratch: scratch.write_text(text, encoding="utf-8"))
    say(f"{len(found):,} runs in {' and '.join(str(path) for path in (parquet, csv) if path is not None)}")


def write_whole(name: str, path: Path, write: Callable[[Path], object]) -> None:
    """Write a file all or nothing.

    Raises:
        ConfigError: It cannot be written.
    """
    scratch = scratch_beside(path)
    try:
        write(scratch)
        scratch.replace(path)
    except OSError as error:
        raise ConfigError(name, str(path), f"it cannot be written: {error.strerror or error}.") from error
    finally:
        with contextlib.suppress(OSError):
            scratch.unlink(missing_ok=True)


def _parquet_writer(path: Path) -> Callable[[Sequence[Facts], Callable[[Facts], Sequence[str]], Path], None]:
    """The writer of Parquet.

    Raises:
        ConfigError: pyarrow is missing.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        fix = "pyarrow, which writes it, is not there; pip install 'lightning-carbon[parquet]', or give --csv."
        raise ConfigError("parquet", str(path), fix) from None

    def write(found: Sequence[Facts], tags: Callable[[Facts], Sequence[str]], scratch: Path) -> None:
        columns: dict[str, Any] = {name: [value(facts) for facts in found] for name, value in FIGURES}
        columns["tags"] = [[*tags(facts)] for facts in found]
        kinds = {str: pa.string(), int: pa.int64(), float: pa.float64()}
        arrays = {}
        for name, values in columns.items():
            kind = next((kinds[type(value)] for value in values if type(value) in kinds), None)
            if name == "tags":
                kind = pa.list_(pa.string())
            elif name.endswith(("joules", "seconds")) or "grams" in name:
                kind = pa.float64()
            arrays[name] = pa.array(values, type=kind or pa.int64())
        parquet.write_table(pa.table(arrays), scratch)

    return write
