"""The options of ``lightning-carbon check``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from lightning_carbon.cli.options import LedgerOption, ProjectOption
from lightning_carbon.cli.usage_errors import told
from lightning_carbon.errors import ConfigError

CHECK_HELP: Final = (
    "Compare the energy of a run's steps and tokens with a baseline of the same GPU model and the same work.\n\n"
    "Such as: check nightly --runs 5 --baseline energy.json --tolerance 0.05\n\n"
    "With five runs or more on both sides, the 95 % interval of the change decides. Ends with 0 where energy has not "
    "risen by more than the tolerance, or that is unclear, 1 where it has, 2 where the two cannot be compared, 3 where "
    "there is no baseline yet. What was measured is never compared with what was modelled."
)


def check(
    run: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="Its id, the beginning of its id, its name, or the path of its record.json; or several.",
            show_default=False,
        ),
    ],
    baseline: Annotated[
        Path, typer.Option(metavar="FILE", help="The baseline; --update writes it.", show_default=False)
    ],
    runs: Annotated[
        int | None,
        typer.Option(
            "--runs", metavar="NUMBER", help="Take the last so many completed runs of that name.", show_default=False
        ),
    ] = None,
    tolerance: Annotated[
        float, typer.Option(metavar="RATIO", help="The share by which energy may rise: 0.1 is 10 %.")
    ] = 0.1,
    gpu_model: Annotated[
        str, typer.Option(metavar="NAME", help="The hardware of the entry; auto is the GPUs of the run.")
    ] = "auto",
    work: Annotated[
        str, typer.Option(metavar="NAME", help="The name of the work in FILE; auto is the run's project and name.")
    ] = "auto",
    project: ProjectOption = None,
    ledger: LedgerOption = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown, for the summary of a job.")] = False,
    update: Annotated[bool, typer.Option("--update", help="Write these runs into FILE as the new baseline.")] = False,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="End with 0 where FILE has no entry of this kind yet.")
    ] = False,
) -> None:
    """Compare runs with a baseline."""
    from lightning_carbon.cli.check.checking import check_runs

    with told({"project": project, "ledger": ledger, "baseline": baseline, "tolerance": tolerance, "runs": runs}):
        if json and markdown:
            raise ConfigError("json", json, "--markdown is given too; give one of the two.")
        code = check_runs(
            run,
            baseline,
            last=runs,
            tolerance=tolerance,
            gpu_model=gpu_model,
            work=work,
            ledger=ledger,
            project=project,
            form="json" if json else "markdown" if markdown else "text",
            update=update,
            allow_missing=allow_missing,
        )
    raise typer.Exit(code)
