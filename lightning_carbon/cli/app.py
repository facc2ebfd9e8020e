"""The commands and their options; other modules of this folder do the work."""

from __future__ import annotations

from typing import Annotated

import typer

from lightning_carbon import __version__
from lightning_carbon.cli import NAME
from lightning_carbon.cli.calibrate.app import calibrating_app
from lightning_carbon.cli.check.command import CHECK_HELP, check
from lightning_carbon.cli.dashboard.command import DASHBOARD_HELP, dashboard
from lightning_carbon.cli.doctor.options import CertifyOption, ForOption, OutputOption, certify_to
from lightning_carbon.cli.forms import JsonOption, LatexOption, MarkdownOption, form_of
from lightning_carbon.cli.grid.app import grid_app
from lightning_carbon.cli.options import (
    BudgetOption,
    CopyOption,
    DevicesOption,
    IntensityOption,
    IntervalOption,
    JoinOption,
    LedgerOption,
    MachineFlag,
    MarketIntensityOption,
    OnBudgetOption,
    OwnProjectOption,
    PeriodOption,
    PidOption,
    PriceOption,
    ProjectOption,
    PueOption,
    RegionOption,
    RoleOption,
    RunNameOption,
    SweepOption,
    TrialOption,
    WueOption,
)
from lightning_carbon.cli.report.command import REPORT_HELP, report
from lightning_carbon.cli.run import RUN_HELP
from lightning_carbon.cli.runs.app import runs_app
from lightning_carbon.cli.say import notice
from lightning_carbon.cli.statements.app import statements_app
from lightning_carbon.cli.study.app import study_app
from lightning_carbon.cli.tune.command import TUNE_HELP, tune
from lightning_carbon.cli.usage_errors import told
from lightning_carbon.cli.watch.command import WATCH_HELP, watch
from lightning_carbon.settings.checks import DEFAULT_INTERVAL_SECONDS

app = typer.Typer(
    name=NAME,
    help="The energy meter of model training: joules, watts and gCO2e beside the loss.",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_FIRST_WORDS = f"""\
{NAME} {__version__}: the energy meter of model training

  {NAME} doctor                     what can be metered on this machine, and how well
  {NAME} run -- python train.py     meter any program
  {NAME} runs                       what your runs took

In a training: Trainer(callbacks=[CarbonCallback(region="SE")]), or CarbonTrainerCallback with Hugging Face.
All commands: {NAME} --help"""

_COMPARE_HELP = (
    "Tell which of two trainings takes less energy, and how sure that is.\n\n"
    'Such as: compare --runs 5 -- "python train.py" "python train.py --compile"\n\n'
    "Commands are run in turn, A B B A, after a first run of each that does not count. Runs of the ledger are compared "
    "by their ids or names: several of each by whole runs, one of each by blocks of its steps."
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{NAME} {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    context: typer.Context,
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    del version
    if context.invoked_subcommand is None:
        typer.echo(_FIRST_WORDS)


@app.command()
def doctor(
    region: RegionOption = None,
    pue: PueOption = None,
    devices: DevicesOption = None,
    seconds: Annotated[
        float, typer.Option(min=0.1, max=60.0, metavar="SECONDS", help="How long sensors are watched.")
    ] = 1.0,
    output: OutputOption = None,
    time: ForOption = "10min",
    *,
    certify: CertifyOption = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Report what can be metered on this machine, how well, and what would fix the rest.

    Such as: doctor --region SE --seconds 5

    Ends with 0 when at least one source can be used, else with 1.
    """
    from lightning_carbon.cli.doctor.examine import examine
    from lightning_carbon.measuring.kept_limits import put_back_left_over

    with told({"region": region, "pue": pue, "devices": devices, "output": output, "for": time}):
        put_back_left_over(notice)
        if certify:
            return certify_to(output, time, devices)
        report = examine(region=region, pue=pue, devices=devices, seconds=seconds)
    if json:
        typer.echo(report.as_json())
    else:
        from lightning_carbon.cli.doctor.render import show

        show(report)
    raise typer.Exit(0 if report.usable else 1)


@app.command(context_settings={"allow_interspersed_args": False}, help=RUN_HELP)
def run(
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="COMMAND", help="The program and its arguments, after --.", show_default=False),
    ] = None,
    pid: PidOption = None,
    period: PeriodOption = None,
    project: OwnProjectOption = None,
    run_name: RunNameOption = None,
    region: RegionOption = None,
    intensity: IntensityOption = None,
    pue: PueOption = None,
    market_intensity: MarketIntensityOption = None,
    wue: WueOption = None,
    ledger: LedgerOption = None,
    interval: IntervalOption = DEFAULT_INTERVAL_SECONDS,
    devices: DevicesOption = None,
    budget: BudgetOption = None,
    price_per_kwh: PriceOption = None,
    on_budget: OnBudgetOption = "warn",
    join: JoinOption = None,
    role: RoleOption = None,
    sweep: SweepOption = None,
    trial: TrialOption = None,
    json: CopyOption = None,
    *,
    machine: MachineFlag = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no summary at the end.")] = False,
) -> None:
    """Meter any program; its exit code is ours."""
    from lightning_carbon.cli.run.choosing import metered_as_asked

    settings = {
        "region": region,
        "intensity": intensity,
        "pue": pue,
        "market_intensity": market_intensity,
        "wue": wue,
        "project": project,
        "run_name": run_name,
        "ledger": ledger,
        "interval_seconds": interval,
        "devices": devices,
        "budget": budget,
        "price_per_kwh": price_per_kwh,
        "on_budget": on_budget,
        "join": join,
        "role": role,
        "sweep": sweep,
        "trial": trial,
    }
    with told({**settings, "json": json, "pid": pid, "for": period}):
        asked = {"command": command, "pid": pid, "machine": machine, "period": period}
        code = metered_as_asked(asked, settings, copy_to=json, quiet=quiet)
    raise typer.Exit(code)


@app.command()
def estimate(
    gpu: Annotated[
        str | None, typer.Option(metavar="NAME", help="The accelerator, such as H100.", show_default=False)
    ] = None,
    count: Annotated[int, typer.Option(metavar="NUMBER", help="The number of accelerators.")] = 1,
    hours: Annotated[
        float | None,
        typer.Option(metavar="HOURS", help="The duration; or else give --params and --tokens.", show_default=False),
    ] = None,
    params: Annotated[
        float | None, typer.Option(metavar="NUMBER", help="The model's parameters, such as 7e9.", show_default=False)
    ] = None,
    tokens: Annotated[
        float | None,
        typer.Option(metavar="NUMBER", help="The tokens it is trained on, such as 1e12.", show_default=False),
    ] = None,
    mfu: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE", help="The share of the dense peak that the model's arithmetic takes.", show_default=False
        ),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(metavar="FORMAT", help="fp32, tf32, fp16, bf16 or fp8; bf16 where known.", show_default=False),
    ] = None,
    utilisation: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="The share of the time in which accelerators compute.", show_default=False),
    ] = None,
    gpu_watts: Annotated[
        float | None,
        typer.Option(
            metavar="WATTS", help="The power limit of an accelerator, instead of its rating.", show_default=False
        ),
    ] = None,
    machine: Annotated[
        str | None,
        typer.Option(
            metavar="CLASS", help="Their machine, such as workstation; by number and model.", show_default=False
        ),
    ] = None,
    region: RegionOption = None,
    intensity: IntensityOption = None,
    pue: PueOption = None,
    usd_per_kwh: Annotated[
        float | None, typer.Option(metavar="USD", help="The price of a kWh.", show_default=False)
    ] = None,
    what_if: Annotated[
        str | None,
        typer.Option(
            metavar="CODES", help="Other regions, separated by commas; or default, or all.", show_default=False
        ),
    ] = None,
    *,
    list_gpus: Annotated[bool, typer.Option("--list-gpus", help="Print the table of accelerators.")] = False,
    json: JsonOption = False,
    markdown: MarkdownOption = False,
    latex: LatexOption = False,
) -> None:
    """Estimate the energy, CO2e and cost of a training, with ranges, before any run.

    Such as: estimate --gpu H100 --count 8 --hours 24 --region SE
    """
    from lightning_carbon.cli.estimate import command

    job = {
        "gpu": gpu,
        "count": count,
        "hours": hours,
        "utilisation": utilisation,
        "params": params,
        "tokens": tokens,
        "mfu": mfu,
        "precision": precision,
        "gpu_watts": gpu_watts,
        "machine": machine,
    }
    place = {"region": region, "intensity": intensity, "pue": pue, "usd_per_kwh": usd_per_kwh, "what_if": what_if}
    with told({**job, **place, "json": json, "markdown": markdown, "latex": latex}):
        form = form_of(json=json, markdown=markdown, latex=latex)
        if list_gpus:
            command.list_gpus(form)
            return
        command.show_estimate(
            job,
            region=region,
            intensity=intensity,
            pue=pue,
            usd_per_kwh=usd_per_kwh,
            places=what_if,
            form=form,
        )


app.add_typer(runs_app, name="runs", invoke_without_command=True)
app.add_typer(grid_app, name="grid")
app.add_typer(study_app, name="study")
app.add_typer(statements_app)
app.command("report", help=REPORT_HELP)(report)
app.command("dashboard", help=DASHBOARD_HELP)(dashboard)
app.command("watch", help=WATCH_HELP)(watch)
app.command("check", help=CHECK_HELP)(check)
app.command("tune", context_settings={"allow_interspersed_args": False}, help=TUNE_HELP)(tune)
app.add_typer(calibrating_app)


@app.command("compare", help=_COMPARE_HELP)
def compare(
    sides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="A B",
            help="Two runs, or two names that several runs have; with --runs two commands, each in quotes.",
            show_default=False,
        ),
    ] = None,
    runs: Annotated[
        int | None,
        typer.Option(
            "--runs", metavar="NUMBER", help="Run two commands in turn, so many times each.", show_default=False
        ),
    ] = None,
    per: Annotated[
        str | None,
        typer.Option(
            metavar="UNIT",
            help="What decides: token, sample, step or run; by default the first known.",
            show_default=False,
        ),
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The logged loss that both are to reach; by default the densest.", show_default=False
        ),
    ] = None,
    power: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE", help="Say how many runs of each show a change of this share.", show_default=False
        ),
    ] = None,
    noise: Annotated[
        float, typer.Option(metavar="SHARE", help="With --power: the standard deviation of a run.")
    ] = 0.05,
    project: ProjectOption = None,
    ledger: LedgerOption = None,
    *,
    json: JsonOption = False,
    markdown: MarkdownOption = False,
    latex: LatexOption = False,
) -> None:
    """Compare two trainings."""
    from lightning_carbon.cli import compare as work

    given = {"project": project, "ledger": ledger, "per": per, "runs": runs, "noise": noise, "power": power}
    with told({**given, "json": json, "markdown": markdown, "latex": latex}):
        form = form_of(json=json, markdown=markdown, latex=latex)
        if power is not None:
            work.tell_trials(power, noise)
        elif runs is None:
            work.compare_runs(sides or [], ledger=ledger, project=project, per=per, loss=loss, form=form)
        else:
            work.compare_commands(sides or [], runs, ledger=ledger, project=project, per=per, loss=loss, form=form)
