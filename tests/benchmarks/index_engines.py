"""SQLite beside DuckDB as the index of 100,000 runs; ``python -m tests.benchmarks.index_engines`` prints it.

DuckDB is no dependency: ``pip install --target FOLDER duckdb``, and PYTHONPATH=FOLDER.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

RUNS: Final = 100_000

_CHILD: Final = """
import resource, sys, time
engine, path, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
began = time.perf_counter()
if engine == "sqlite3":
    import sqlite3
    index = sqlite3.connect(path, isolation_level=None)
else:
    import duckdb
    index = duckdb.connect(path)
opened = time.perf_counter() - began

def timed(what):
    began = time.perf_counter()
    what()
    return time.perf_counter() - began

def make():
    index.execute("CREATE TABLE runs (project TEXT, folder TEXT, inode BIGINT, mtime BIGINT, size BIGINT, status TEXT, "
                  "started_at TEXT, seconds DOUBLE, joules DOUBLE, grams DOUBLE, PRIMARY KEY (project, folder))")
    index.execute("BEGIN")
    index.execute("INSERT INTO runs SELECT 'project-' || (i % 20), 'run-' || i, i, i * 1000003, 4000 + i % 97, "
                  "CASE WHEN i % 9 = 0 THEN 'failed' ELSE 'completed' END, '2026-' || (10 + i % 3) || '-01', "
                  "i * 0.7, i * 1.1, i * 0.3 FROM " + ("(WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL "
                  "SELECT i + 1 FROM c WHERE i < ?) SELECT i FROM c)" if engine == "sqlite3"
                  else "(SELECT unnest(range(? + 1)) AS i)"),
                  [runs - 1])
    index.execute("COMMIT")

def replace():
    index.execute("BEGIN")
    for number in range(500):
        index.execute("DELETE FROM runs WHERE project = ? AND folder = ?", [f"project-{number % 20}", f"run-{number}"])
        index.execute("INSERT INTO runs VALUES (?, ?, 1, 2, 3, 'failed', '2026-11', 1.0, 2.0, 3.0)",
                      [f"project-{number % 20}", f"run-{number}"])
    index.execute("COMMIT")

if runs:
    make()
known = "SELECT project, folder, inode, mtime, size FROM runs"
stamps = timed(lambda: {row[:2]: row for row in index.execute(known).fetchall()})
sums = timed(lambda: index.execute("SELECT substr(started_at, 1, 7), count(*), sum(joules), sum(grams) FROM runs "
                                   "WHERE status = 'failed' GROUP BY 1").fetchall())
wrote = timed(replace)
print(opened, stamps, sums, wrote, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def main() -> None:
    """Print what each engine takes, in a process of its own, on an index that is there."""
    for engine in ("sqlite3", "duckdb"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "index"
            first = _run(engine, path, RUNS)
            if first is None:
                print(f"{engine:8} is not installed")
                continue
            figures = min(filter(None, (_run(engine, path, 0) for _ in range(3))), key=sum)
            size = sum(file.stat().st_size for file in Path(folder).iterdir())
        opened, stamps, sums, wrote, memory = figures
        print(
            f"{engine:8} import and open {opened:.3f} s, all stamps {stamps:.3f} s, sums {sums:.3f} s, "
            f"500 runs replaced {wrote:.3f} s, {memory:.0f} MiB, {size / 2**20:.0f} MiB on disk"
        )


def _run(engine: str, path: Path, runs: int) -> list[float] | None:
    words = [sys.executable, "-c", _CHILD, engine, str(path), str(runs)]
    child = subprocess.run(words, check=False, capture_output=True, text=True)
    return None if child.returncode else [float(word) for word in child.stdout.split()]


if __name__ == "__main__":
    main()
