"""Write the tables of docs/accuracy.md and METHODOLOGY.md that tell what was measured on GPUs.

    python tools/gpu_tables.py             # after a file came to tests/benchmarks/results
    python tools/gpu_tables.py --check     # writes nothing; fails where something would change
    python tools/gpu_tables.py --print     # writes nothing; prints the tables, for the summary of a job

They come from the files that `make test-gpu` leaves there, and from nothing else: of a GPU without a file nothing is
said, and what a file does not have is a dash.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.gpu.measuring.results import FOLDER, read_results  # noqa: E402 - the root has to be on the path first

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

BEGIN, END = "<!-- GPUs: written by tools/gpu_tables.py -->\n", "<!-- end of GPUs -->\n"
NOTHING = "–"
NONE_YET = "No GPU has been measured yet: [how to add one](CONTRIBUTING.md#results-of-gpus)."
MODELS = {"transformer_base": "Transformer base", "bert_base": "BERT base", "gpt2": "GPT-2"}
GAUGES = ("POWER_INSTANT", "POWER_AVERAGE", "nvmlDeviceGetPowerUsage")

Result = dict[str, Any]


def accuracy_part(results: Sequence[Result]) -> str:
    """What docs/accuracy.md says: how exact steps are, and what the callback costs trainings in bf16."""
    if not results:
        return NONE_YET
    head = [
        "GPU",
        "driver, torch",
        "counter moves every",
        "error of a step",
        *(f"speed, {model}" for model in MODELS.values()),
    ]
    rows = [
        [
            machine["machine"]["gpu"],
            f"{machine['machine']['driver']}, {machine['machine']['packages']['torch']}",
            _of(machine, "ticks", lambda ticks: _milliseconds(ticks["period_seconds"])),
            _of(machine, "attribution", _step_error),
            *(_of(machine, f"throughput/{model}", _speed) for model in MODELS),
        ]
        for machine in results
    ]
    return "\n".join(
        [
            *_table(head, rows),
            "",
            "One training with the callback and one without, in turns: speed is steps a second with it over those",
            "without it, the median of pairs and its standard error. The error of a step is the median, of steps of",
            "50 ms on average, against boundaries that were waited for.",
        ]
    )


def methodology_part(results: Sequence[Result]) -> str:
    """What METHODOLOGY.md says: the sensors, by load, and the power of the study's models."""
    if not results:
        return NONE_YET
    sensors = [
        [
            machine["machine"]["gpu"],
            _of(machine, "ticks", _tick),
            _of(machine, "ticks", lambda ticks: _milliseconds(ticks["read_seconds"])),
            *(_of(machine, "lag_seconds", lambda lags, name=name: _lag(lags, name)) for name in ("counter", *GAUGES)),
        ]
        for machine in results
    ]
    shapes = [
        [
            machine["machine"]["gpu"],
            shape["shape"],
            f"{shape['counter_watts']:.0f} W",
            *(_ratio(shape["ratios"].get(name)) for name in GAUGES),
        ]
        for machine in results
        for shape in machine["results"].get("shapes", [])
    ]
    models = [
        [machine["machine"]["gpu"], name.removeprefix("study/"), *_power(found)]
        for machine in results
        for name, found in machine["results"].items()
        if name.startswith("study/")
    ]
    lines = [
        "How often the counter moves (from the 5th to the 95th percentile), what a reading costs, and how late each",
        "sensor shows that a load began or ended (the median):",
        "",
        *_table(
            ["GPU", "counter moves every", "a reading", *(f"lag, {name}" for name in ("counter", *GAUGES))], sensors
        ),
    ]
    if shapes:
        lines += [
            "",
            "Power, integrated, over what the counter rose by:",
            "",
            *_table(["GPU", "load", "by the counter", *(f"`{name}`" for name in GAUGES)], shapes),
        ]
    if models:
        lines += [
            "",
            "Mean power of the study's models after warm-up:",
            "",
            *_table(["GPU", "model", "GPU power", "how", "steps a second"], models),
        ]
    made = [
        f"{machine['machine']['gpu']}: {machine['measured_at'][:10]}, driver {machine['machine']['driver']}, "
        f"torch {machine['machine']['packages']['torch']}, {machine['machine']['system']}"
        for machine in results
    ]
    return "\n".join([*lines, "", *(f"* {machine}" for machine in made)])


def with_part(text: str, part: str, name: str) -> str:
    """A page with its part put between the marks.

    Raises:
        SystemExit: It has lost the marks.
    """
    pattern = re.compile(f"(?<={re.escape(BEGIN)}).*?(?={re.escape(END)})", re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise SystemExit(f"{name} needs these two lines, once:\n{BEGIN}{END}")
    # Links are written as seen from the root.
    seen = part.replace("](", "](" + "../" * name.count("/"))
    return pattern.sub(lambda _: f"\n{seen}\n\n", text)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def _of(result: Result, section: str, tell: Callable[[Any], str]) -> str:
    found = result["results"].get(section)
    return NOTHING if found is None else tell(found)


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms"


def _tick(ticks: Result) -> str:
    low, high = (f"{ticks[name] * 1e3:.3g}" for name in ("low_seconds", "high_seconds"))
    return f"{_milliseconds(ticks['period_seconds'])} ({low} to {high})"


def _lag(lags: dict[str, list[float]], name: str) -> str:
    return f"{median(lags[name]) * 1e3:+.0f} ms" if lags.get(name) else NOTHING


def _step_error(found: Result) -> str:
    return f"{found['error_ratio']:.1%}".replace("%", " %")


def _speed(found: Result) -> str:
    return f"{found['ratio']:.4f} ± {found['standard_error']:.4f}"


def _ratio(ratio: float | None) -> str:
    return NOTHING if ratio is None else f"{ratio:.3f}"


def _power(found: Result) -> list[str]:
    gpus = [domain for domain in found["domains"] if domain["kind"] == "gpu" and domain["watts"] is not None]
    if not gpus:
        return [NOTHING, NOTHING, NOTHING]
    pace = found["speed"]["steps_per_second"]
    watts = sum(gpu["watts"] for gpu in gpus)
    how = ", ".join(sorted({f"{gpu['provenance']} {_range(gpu)}" for gpu in gpus}))
    return [f"{watts:.0f} W", how, NOTHING if pace is None else f"{pace:.3g}"]


def _range(gpu: Mapping[str, Any]) -> str:
    """The range of a sensor, as shares of what it shows."""
    accuracy = gpu.get("accuracy")
    if accuracy is None:
        return f"±{100 * gpu['uncertainty_ratio']:.0f} %"
    return f"-{100 * accuracy['below_ratio']:.0f}/+{100 * accuracy['above_ratio']:.0f} %"


def main() -> None:
    """Write the tables, or check them."""
    parser = argparse.ArgumentParser(description="Write the tables that tell what was measured on GPUs.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where something would change")
    parser.add_argument("--print", action="store_true", help="write nothing; print the tables")
    parser.add_argument("--results", type=Path, default=FOLDER, metavar="FOLDER", help="default: %(default)s")
    options = parser.parse_args()

    results = read_results(options.results)
    parts = {"docs/accuracy.md": accuracy_part(results), "METHODOLOGY.md": methodology_part(results)}
    if options.print:
        print("\n\n".join(dict.fromkeys(parts.values())))
        return
    pages = {
        ROOT / name: with_part((ROOT / name).read_text(encoding="utf-8"), part, name) for name, part in parts.items()
    }
    stale = [path for path, text in pages.items() if path.read_text(encoding="utf-8") != text]
    if options.check and stale:
        sys.exit(
            f"{', '.join(str(path.relative_to(ROOT)) for path in stale)}: out of date; run python tools/gpu_tables.py"
        )
    for path in stale:
        path.write_text(pages[path], encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
