"""What a search cost and what it gained, trial by trial: from the records of the ledger, so that nothing is left out.

Gain is the fall of the best validation loss so far, from that of guessing each token alike, the natural logarithm of
the vocabulary, before anything was trained.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from itertools import accumulate
from math import log
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.equivalents import equivalent_of
from lightning_carbon.errors import ConfigError
from lightning_carbon.records.numbers import CO2E, ENERGY, NOTHING, amount, digits, percent, table
from lightning_carbon.settings import ledger_folder
from lightning_carbon.units import JOULES_PER_KILOWATT_HOUR, JOULES_PER_WATT_HOUR, MICRO, CarbonMass
from lightning_carbon.wiring import open_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lightning_carbon.records.run import RunRecord

FINAL: Final = "final"
_MOST_OF_IT: Final = 0.9
_COLOURS: Final = {"complete": "tab:green", "pruned": "tab:orange", "fail": "tab:red"}


def name_of(number: int) -> str:
    """What the run of a trial is called."""
    return f"trial-{number:03}"


@dataclass(frozen=True)
class Candidate:
    """What Optuna knows of a trial.

    Args:
        architecture: What was tried.
        parameters: How many the model has; ``None`` where it came to no end.
        state: ``complete``, ``pruned``, ``fail``, ``running`` or ``waiting``.
        loss: Its last validation loss; ``None`` where there is none.
        error: Why it failed.
    """

    architecture: str
    parameters: int | None
    state: str
    loss: float | None
    error: str | None


@dataclass(frozen=True)
class Step:
    """A trial, with what it cost and what it gained.

    Args:
        run: The name of its run.
        architecture: What was tried.
        parameters: How many the model has.
        state: How the trial ended, for Optuna.
        status: How its run ended, for the ledger; ``None`` where it has none.
        loss: Its validation loss.
        joules: The energy; ``None`` where it is not known.
        joules_so_far: What all trials up to this one used.
        best_so_far: The lowest loss up to this one.
        gain: By how much this one lowered it.
        gain_per_kwh: That, for each kWh of this trial; ``None`` where its energy is not known.
    """

    run: str
    architecture: str
    parameters: int | None
    state: str
    status: str | None
    loss: float | None
    joules: float | None
    joules_so_far: float
    best_so_far: float
    gain: float
    gain_per_kwh: float | None


@dataclass(frozen=True)
class Results:
    """A search and its final training, as the ledger has them.

    Args:
        project: The project.
        records: Every run of it.
        candidates: What Optuna knows, by the name of the run.
        untrained_loss: The loss of guessing each token alike.
    """

    project: str
    records: tuple[RunRecord, ...]
    candidates: Mapping[str, Candidate]
    untrained_loss: float

    @classmethod
    def of(cls, ledger: str | None, project: str, candidates: Mapping[str, Candidate], vocabulary: int) -> Results:
        """Read the ledger. Runs that were killed are recovered from their journals there.

        Args:
            ledger: Its folder; the user's own where it is ``None``.
            project: The project.
            candidates: What Optuna knows, by the name of the run.
            vocabulary: How many tokens there are to guess from.
        """
        records = tuple(open_ledger(ledger_folder(ledger), print).runs(project))
        return cls(project, records, candidates, log(vocabulary))

    def check(self) -> None:
        """See that the project has the runs of this search alone.

        Raises:
            ConfigError: It has others, and totals of the project would not be those of the search.
        """
        others = [record for record in self.records if not self._is_ours(record)]
        if others:
            fix = f"it has {len(others)} runs that this search knows nothing of; give another, or the --out of theirs."
            raise ConfigError("project", self.project, fix)

    @property
    def trials(self) -> tuple[RunRecord, ...]:
        """The runs of the trials, killed ones included."""
        return tuple(record for record in self.records if not (record.run_name or "").startswith(FINAL))

    @property
    def final(self) -> RunRecord | None:
        """The last training of the best architecture that was completed, if any."""
        finals = [
            record
            for record in self.records
            if (record.run_name or "").startswith(FINAL) and record.status == "completed"
        ]
        return finals[-1] if finals else None

    def steps(self) -> list[Step]:
        """The trials in their order, with what each cost and gained."""
        by_name: dict[str, list[RunRecord]] = {}
        for record in self.trials:
            by_name.setdefault(record.run_name or "", []).append(record)
        steps = []
        so_far, best = 0, self.untrained_loss
        for name, candidate in sorted(self.candidates.items()):
            if candidate.state == "waiting":
                continue
            runs = by_name.get(name, [])
            known = [run for run in runs if run.energy.total_joules is not None]
            used = sum(map(microjoules, known))
            so_far += used
            reached = best if candidate.loss is None else min(best, candidate.loss)
            gain, best = best - reached, reached
            steps.append(
                Step(
                    run=name,
                    architecture=candidate.architecture,
                    parameters=candidate.parameters,
                    state=candidate.state,
                    status=runs[-1].status if runs else None,
                    loss=candidate.loss,
                    joules=used * MICRO if known else None,
                    joules_so_far=so_far * MICRO,
                    best_so_far=best,
                    gain=gain,
                    gain_per_kwh=gain / (used * MICRO) * JOULES_PER_KILOWATT_HOUR if used else None,
                )
            )
        return steps

    def _is_ours(self, record: RunRecord) -> bool:
        return (record.run_name or "").removeprefix(f"{FINAL}-") in self.candidates


def microjoules(record: RunRecord) -> int:
    """The energy of a run, as the whole number that it was counted in; nothing where it could not be metered."""
    return round((record.energy.total_joules or 0.0) / MICRO)


def write(results: Results, folder: Path) -> None:
    """Print the results, and put them as ``results.json`` and ``gain.png`` into a folder."""
    steps = results.steps()
    if not steps:
        print("No trial has begun.")
        return
    totals = _totals(results)
    (folder / "results.json").write_text(json.dumps({**totals, "trials": [asdict(step) for step in steps]}, indent=2))
    _plot(steps, folder / "gain.png")
    print()
    print("\n".join(table(list(_rows(steps)), "<<>>>>>>>>")))
    print()
    print("\n".join(_sentences(results, steps)))
    print(f"\nResults      {folder / 'results.json'}\nPlot         {folder / 'gain.png'}")
    print(f"Everything   lightning-carbon study development --project {results.project}")


def _totals(results: Results) -> dict[str, object]:
    search = sum(map(microjoules, results.trials))
    totals: dict[str, object] = {"project": results.project, "search_microjoules": search}
    totals["all_microjoules"] = sum(map(microjoules, results.records))
    if results.final is not None:
        totals |= {"final_run": results.final.run_name, "final_microjoules": microjoules(results.final)}
    return totals


def _rows(steps: Sequence[Step]) -> Iterator[tuple[str, ...]]:
    yield ("Trial", "architecture", "parameters", "ended", "loss", "Wh", "Wh so far", "best", "gained", "per kWh")
    for step in steps:
        # Optuna counts a trial that was stopped or killed as one that failed; the ledger knows better.
        ended = step.status if step.status == "interrupted" else {"fail": "failed"}.get(step.state, step.state)
        yield (
            step.run,
            step.architecture,
            NOTHING if step.parameters is None else f"{step.parameters:,}",
            ended,
            NOTHING if step.loss is None else f"{step.loss:.4f}",
            NOTHING if step.joules is None else digits(step.joules / JOULES_PER_WATT_HOUR),
            digits(step.joules_so_far / JOULES_PER_WATT_HOUR),
            f"{step.best_so_far:.4f}",
            f"{step.gain:.4f}",
            NOTHING if step.gain_per_kwh is None else digits(step.gain_per_kwh),
        )


def _sentences(results: Results, steps: Sequence[Step]) -> Iterator[str]:
    search, everything = sum(map(microjoules, results.trials)), sum(map(microjoules, results.records))
    grams = sum(record.carbon.grams_co2e or 0.0 for record in results.records)
    runs = f"{len(results.trials)} run{'s' if len(results.trials) > 1 else ''}"
    yield f"Search       {search * MICRO:,.6f} J in {runs} ({amount(search * MICRO, ENERGY)})"
    if results.final is not None:
        final = microjoules(results.final)
        times = f", so the search took {digits(search / final)} times that" if final else ""
        yield f"Final        {final * MICRO:,.6f} J ({results.final.run_name}){times}"
    equivalent = equivalent_of(CarbonMass(grams))
    beside = "" if equivalent is None else f", {equivalent.sentence}"
    yield f"All runs     {everything * MICRO:,.6f} J, {amount(grams, CO2E)}{beside}"
    modelled = sum(record.energy.modelled_joules for record in results.records)
    if everything and modelled:
        yield f"Of it        {percent(modelled / (everything * MICRO))} is modelled: no sensor stands behind it"
    yield from _point(steps)


def _point(steps: Sequence[Step]) -> Iterator[str]:
    """Where the gain came from, and where the energy went."""
    whole, used = sum(step.gain for step in steps), steps[-1].joules_so_far
    if whole <= 0 or used <= 0:
        return
    so_far = list(accumulate(step.gain for step in steps))
    number = next(index for index, gained in enumerate(so_far) if gained >= _MOST_OF_IT * whole)
    gained, spent = so_far[number] / whole, steps[number].joules_so_far / used
    yield (
        f"Gain         {percent(gained)} of it came with the first {number + 1} of {len(steps)} trials and "
        f"{percent(spent)} of the energy;"
    )
    yield f"             the rest of the energy, {percent(1 - spent)}, bought the last {percent(1 - gained)}"


def _plot(steps: Sequence[Step], path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    energy = [step.joules_so_far / JOULES_PER_KILOWATT_HOUR for step in steps]
    axes.step(
        [0.0, *energy], [steps[0].best_so_far + steps[0].gain, *(step.best_so_far for step in steps)], where="post"
    )
    for state, colour in _COLOURS.items():
        points = [
            (x, step.loss or step.best_so_far) for x, step in zip(energy, steps, strict=True) if step.state == state
        ]
        if points:
            axes.scatter(*zip(*points, strict=True), color=colour, zorder=3, label={"fail": "failed"}.get(state, state))
    axes.set_xlabel("energy of all trials so far, kWh")
    axes.set_ylabel("best validation loss so far")
    axes.set_title(f"{len(steps)} trials: what each unit of energy bought")
    axes.set_xlim(left=0)
    axes.grid(alpha=0.3)
    if axes.get_legend_handles_labels()[0]:
        axes.legend()
    figure.savefig(path, dpi=120)
