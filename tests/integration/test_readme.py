"""The documentation, executed: code runs, commands exist, links lead somewhere, tables say what the code says."""

from __future__ import annotations

import inspect
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from configparser import ConfigParser
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from typer.main import get_command

from lightning_carbon import CarbonCallback, CarbonTrainerCallback, Meter
from lightning_carbon.cli.app import app
from lightning_carbon.grid.factors import intensity_of
from lightning_carbon.grid.pue import WORLD_AVERAGE
from lightning_carbon.integrations.autolog.entry import SWITCH
from lightning_carbon.records.rows import METRICS
from lightning_carbon.report.board import SHOWN
from lightning_carbon.settings import SETTINGS
from lightning_carbon.settings.checks import DEFAULT_INTERVAL_SECONDS, DEFAULT_PROJECT
from tests.documents import (
    DOCUMENTS,
    GUIDES,
    ROOT,
    Block,
    anchors,
    blocks,
    code_words,
    commands,
    images,
    links,
    read,
    table,
)
from tests.programs import Programs
from tests.reality import walls

ALONE = tuple(document for document in DOCUMENTS if document not in GUIDES)
"""The pages each of whose blocks stands alone; tests/integration/test_guides.py runs the others."""
PYTHON = [block for block in blocks("python") if block.document in ALONE]
ESTIMATING = [block for block in PYTHON if "estimate.estimating" in block.text]
ELSEWHERE = ("from setfit", "from trl", "from sentence_transformers")
"""What is in the examples that huggingface/test_library_examples.py runs, all in one process."""
METERING = [
    block for block in PYTHON if block not in ESTIMATING and not any(words in block.text for words in ELSEWHERE)
]
FIRST_CODE_WITHIN = 30
FRAMEWORKS = {"lightning": "pytorch_lightning", "huggingface": "transformers.trainer"}
"""What a program imports that takes seconds, by what is prepared for it."""


@dataclass(frozen=True)
class Executed:
    """What running a block of code left behind."""

    folder: Path
    output: str
    errors: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records in its ledger."""
        return [json.loads(file.read_text()) for file in sorted((self.folder / "ledger").rglob("record.json"))]

    def tags(self) -> set[str]:
        """The scalars in its TensorBoard logs."""
        found: set[str] = set()
        for file in self.folder.rglob("events.out.tfevents.*"):
            found |= set(EventAccumulator(str(file.parent)).Reload().Tags()["scalars"])
        return found


def prepared_for(block: Block) -> str:
    """The module with what the block takes for granted."""
    modules = {
        "pytorch_lightning": "lightning",
        "transformers": "huggingface",
        "sensor": "source",
        "framework": "framework",
    }
    for word, module in modules.items():
        if word in block.text:
            return module
    return "loop"


def execute(block: Block, folder: Path, programs: Programs) -> Executed:
    """Run a block of code as a program of its own, in an empty folder and with a ledger of its own."""
    program = folder / "program.py"
    program.write_text(f"from tests.prepared.{prepared_for(block)} import *\n\n{block.text}", encoding="utf-8")
    environment = {**os.environ, "LIGHTNING_CARBON_LEDGER": str(folder / "ledger"), "HF_HOME": str(folder / "hf")}
    done = programs.run(program, environment)
    assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
    return Executed(folder, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def executed(
    tmp_path_factory: pytest.TempPathFactory, programs: Callable[[str], Programs]
) -> Callable[[Block], Executed]:
    """Runs a block of code, once however often it is asked for and on however many pages it stands."""
    done: dict[str, Executed] = {}

    def run(block: Block) -> Executed:
        if block.text not in done:
            framework = programs(FRAMEWORKS.get(prepared_for(block), "torch"))
            done[block.text] = execute(block, tmp_path_factory.mktemp("block"), framework)
        return done[block.text]

    return run


def first_block(*words: str) -> Block:
    """The first block of Python in the documentation with these words in it."""
    return next(block for block in PYTHON if all(word in block.text for word in words))


# -- code -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", METERING, ids=str)
def test_a_block_of_code_runs_and_leaves_a_closed_record(block: Block, executed: Callable[[Block], Executed]) -> None:
    """Copied from the page into a file, it meters, fails nowhere, and warns of nothing of ours."""
    run = executed(block)

    assert run.records
    for record in run.records:
        assert "completed" == record["status"]
        assert record["energy"]["total_joules"] > 0
        assert ("SWE" if 'region="SE"' in block.text else "WORLD") == record["carbon"]["intensity"]["region"]
    assert "the training goes on" not in run.errors
    if "summary()" in block.text:
        assert run.records[-1]["run_id"] in run.output
        assert "CO2e" in run.output


def test_the_estimate_is_printed_and_nothing_is_metered(executed: Callable[[Block], Executed]) -> None:
    """The block prints the two ends of the energy and the CO2e, and leaves no record."""
    [block] = ESTIMATING
    run = executed(block)
    low, high, kilograms = map(float, run.output.split())

    assert 0 < low < high
    assert kilograms > 0
    assert [] == run.records


def test_the_readme_shows_code_at_once_and_each_way_to_meter() -> None:
    """Within the first thirty lines, and for both trainers and a plain loop; the two trainers' are equally short."""
    readme = [block for block in PYTHON if block.document == "README.md"]
    lightning, huggingface, loop = readme[:3]

    assert readme[0].line <= FIRST_CODE_WITHIN
    assert ("CarbonCallback(", "CarbonTrainerCallback(", "Meter(") == tuple(
        name
        for block, name in ((lightning, "CarbonCallback("), (huggingface, "CarbonTrainerCallback("), (loop, "Meter("))
        if name in block.text
    )
    assert (8, 8) == (len(lightning.text.splitlines()), len(huggingface.text.splitlines()))


def test_what_lightning_logs_is_in_the_table(executed: Callable[[Block], Executed]) -> None:
    """Beside the loss, TensorBoard has the table's tags, and no tag of ours that the table does not have."""
    tags = executed(first_block("pytorch_lightning", "summary()")).tags()
    ours = {tag for tag in tags if tag.startswith(("energy/", "power/", "carbon/"))}
    listed = {row[0].strip("`") for row in table("docs/metrics.md", "metric", "unit")}

    assert "train/loss" in tags
    assert ours <= listed
    # What does not depend on the sensors and batches of this machine.
    assert {"energy/row_joules", "energy/run_kwh", "power/total_watts", "carbon/run_grams_co2e"} <= ours
    assert "energy/joules_per_sample" in ours


def test_what_the_trainer_logs_is_in_the_table(executed: Callable[[Block], Executed]) -> None:
    """TensorBoard has the table's tags under ``train/``, and the totals beside the Trainer's own."""
    tags = executed(first_block("transformers")).tags()
    listed = {"train/" + row[0].strip("`") for row in table("docs/metrics.md", "metric", "unit")}
    rows = {tag for tag in tags if tag.startswith(("train/energy/", "train/power/", "train/carbon/"))}

    assert rows <= listed
    assert {"train/energy/row_joules", "train/power/total_watts", "train/carbon/run_grams_co2e"} <= rows
    assert any(tag.endswith("train_energy_joules") for tag in tags)


def test_a_budget_ends_the_training(executed: Callable[[Block], Executed]) -> None:
    """The page's budget, set to almost nothing, ends the training after the first of its three epochs."""
    block = first_block("EarlyStopping")
    assert "divergence_threshold=500.0" in block.text
    tight = Block(block.document, block.line, block.language, block.text.replace("500.0", "1e-12"))

    [record] = executed(tight).records

    assert 60 == record["steps"]


@pytest.mark.parametrize("block", [block for block in blocks("yaml") if "trainer:" in block.text], ids=str)
def test_the_yaml_makes_the_callbacks_that_it_names(block: Block, tmp_path: Path) -> None:
    """Every entry is a public class of ours, and its arguments are taken."""
    entries = yaml.safe_load(block.text)["trainer"]["callbacks"]

    assert entries
    for entry in entries:
        assert "lightning_carbon.CarbonCallback" == entry["class_path"]
        assert CarbonCallback(**entry["init_args"], ledger=tmp_path).record is None


def test_the_integration_in_the_manual_loses_nothing(executed: Callable[[Block], Executed]) -> None:
    """The rows that its callback logs, the last one after the end, add up to the record."""
    [block] = [block for block in PYTHON if "LoopCallback" in block.text]
    total = 'print("logged", sum(row["energy/row_joules"] for row in loop.logged))\n'
    run = executed(Block(block.document, block.line, block.language, block.text + total))
    [record] = run.records

    assert 5 == record["steps"]
    assert record["energy"]["total_joules"] == pytest.approx(float(run.output.split("logged ")[-1]))


def test_the_drawing_of_the_house_is_the_contract() -> None:
    """Every layer that import-linter holds stands in it, in the same order, with the same rooms."""
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    layers = [line.split(" | ") for line in setup["importlinter:contract:layers"]["layers"].split("\n")[1:]]
    [drawing] = [block.text for block in blocks("") if block.document == "CONTRIBUTING.md" and "wiring" in block.text]

    assert [rooms for rooms in layers if rooms != ["__main__"]] == [
        re.split(r" +│ +", re.split(r" {3,}", line.strip())[0]) for line in drawing.splitlines()
    ]


# -- commands -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [word for word in commands() if word.startswith("make")])
def test_a_make_target_exists(command: str) -> None:
    """Make knows what it would do."""
    environment = {
        name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    }
    words = ["make", "--dry-run", *shlex.split(command)[1:]]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=500)

    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_make_target_in_a_sentence_exists(document: str) -> None:
    """Every ``make WORD`` between backticks is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        name
        for word in code_words(document)
        if word.startswith("make ")
        for name in re.findall(r" ([a-z-]+)", re.sub(r'"[^"]*"', "", word))
    }

    assert named <= targets


@pytest.mark.parametrize("command", [word for word in commands() if word.startswith("pip ")])
def test_an_extra_exists(command: str) -> None:
    """What pip is told to install is the package or this folder, with extras that setup.cfg has."""
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    match = re.fullmatch(r"pip install '?(?:\.|lightning-carbon)(?:\[([\w,]+)\])?'?", command)
    assert match is not None

    assert set((match[1] or "").split(",")) - {""} <= set(setup["options.extras_require"])


@pytest.mark.parametrize("command", [word for word in commands() if word.startswith("lightning-carbon ")])
def test_a_subcommand_has_the_options_that_it_is_shown_with(command: str) -> None:
    """The command line has the subcommand and takes the options, up to the program that is metered."""
    _, *words = shlex.split(command)
    own = words[: words.index("--")] if "--" in words else words
    found: Any = get_command(app)
    while own and own[0] in getattr(found, "commands", {}):
        found = found.commands[own[0]]
        own = own[1:]
    known = {option for parameter in found.params for option in parameter.opts}

    assert {word for word in own if word.startswith("-")} <= known


@pytest.mark.parametrize("command", [word for word in commands() if word.startswith(".venv/bin/python ")])
def test_a_script_exists_with_the_files_that_it_is_given(command: str) -> None:
    """The script, its configuration and the folders of tests are where the page says; pytest takes its options."""
    words = shlex.split(command)[1:]
    if words[:2] == ["-m", "pytest"]:
        # Collecting a whole folder takes many times as long as one file of it.
        pattern = f"test_*{words[words.index('-k') + 1]}*.py" if "-k" in words else "test_*.py"
        files = [next((ROOT / word).rglob(pattern)) if (ROOT / word).is_dir() else word for word in words]
        collect = [sys.executable, *map(str, files), "--collect-only", "--quiet", "-p", "no:cacheprovider"]
        done = subprocess.run(collect, cwd=ROOT, capture_output=True, text=True, check=False, timeout=500)

        assert done.returncode == 0, done.stdout + done.stderr
    else:
        files = [word for word in words if "/" in word]

        assert files
        assert all((ROOT / file).is_file() for file in files)


@pytest.mark.parametrize("command", [word for word in commands() if "python train.py" in word and "--" not in word])
def test_a_variable_before_a_program_of_the_user_exists(command: str) -> None:
    """It is the switch, or one of those in the table of settings."""
    words = shlex.split(command)
    names = {word.partition("=")[0] for word in words[: words.index("python")]}

    assert names <= {SWITCH, *(cells[1].strip("`") for cells in settings().values())}


@pytest.mark.parametrize("command", [word for word in commands() if word.startswith("python train.py ")])
def test_a_flag_of_a_program_of_the_user_is_an_argument_of_ours(command: str) -> None:
    """LightningCLI's flags name the class and its arguments."""
    flags = dict(word.removeprefix("--trainer.callbacks").split("=") for word in shlex.split(command)[3:])

    assert "lightning_carbon.CarbonCallback" == flags.pop("")
    assert {name.removeprefix(".") for name in flags} <= set(settings())


@pytest.mark.parametrize("command", [word for word in commands() if word.startswith(".ci/")])
def test_a_script_of_continuous_integration_exists_and_knows_the_word(command: str) -> None:
    """It can be executed, and has a case for what it is told."""
    script, *words = command.split()
    cases = (ROOT / script).read_text(encoding="utf-8")

    assert os.access(ROOT / script, os.X_OK)
    assert all(f"\n    {word})" in cases for word in words)


def test_every_command_is_of_a_kind_that_is_checked() -> None:
    """What is typed is make, pip, our own command, a script, or what the extras bring; guides are run whole."""
    as_root = 'sudo -E env "PATH=$PATH" lightning-carbon '
    checked = (
        as_root,
        "make",
        "pip install ",
        "lightning-carbon ",
        ".venv/bin/python ",
        ".ci/",
        "python train.py ",
        SWITCH,
    )
    programs = {command.split()[0] for command in commands(ALONE) if not command.startswith(checked)}

    assert programs <= {f".venv/bin/{script.name}" for script in entry_points(group="console_scripts")}


# -- links and tables -----------------------------------------------------------------------------------------------


def test_every_page_is_tested() -> None:
    """No Markdown file of the repository is left out."""
    folders = [ROOT / name for name in (".ci", ".github", "configs", "docs", "examples", "lightning_carbon", "tools")]
    here = [*ROOT.glob("*.md"), *(page for folder in folders for page in folder.rglob("*.md"))]

    assert set(DOCUMENTS) == {page.relative_to(ROOT).as_posix() for page in here}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_to_files_and_headings_that_exist(document: str) -> None:
    """Whatever a page links to in this repository is there, down to the heading."""
    broken = []
    for link in links(document):
        if link.startswith(("https://", "http://")):
            continue
        name, _, anchor = link.partition("#")
        target = (ROOT / document).parent / name if name else ROOT / document
        if not target.exists() or (anchor and anchor not in anchors(target.resolve().relative_to(ROOT).as_posix())):
            broken.append(link)

    assert [] == broken


@pytest.mark.parametrize("document", DOCUMENTS)
def test_pictures_are_there_small_and_told_in_words(document: str) -> None:
    """Nobody's clone grows by much, and who cannot see them is told what they show."""
    for source, words in images(document):
        if not source.startswith("https://"):
            picture = (ROOT / document).parent / source

            assert picture.read_bytes().startswith(b"\x89PNG")
            assert picture.stat().st_size < 200_000
        assert len(words) > 20


def test_what_is_shown_at_the_end_is_the_code_s() -> None:
    """Name, tab and meaning of all that TensorBoard gets, and the charts after them."""
    shown = table("docs/metrics.md", "at the end", "in the tab")

    assert [[f"`{metric.name}`", metric.tab, metric.meaning] for metric in SHOWN] == shown[:-1]
    assert ["charts", "Custom Scalars"] == shown[-1][:2]


def settings() -> dict[str, list[str]]:
    """The table of settings, by argument."""
    return {row[0].strip("`"): row[1:] for row in table("docs/settings.md", "argument", "unset")}


def test_the_table_of_settings_has_every_argument() -> None:
    """The three front doors take what the table says, and those that only some take are marked."""
    meter, lightning, huggingface = (
        list(inspect.signature(door).parameters) for door in (Meter, CarbonCallback, CarbonTrainerCallback)
    )
    marked = {name: cells[2].split(". ")[0] for name, cells in settings().items()}

    assert list(settings()) == lightning
    assert meter == [name for name in lightning if marked[name] not in {"Callbacks only", "Lightning only"}]
    assert huggingface == [name for name in lightning if marked[name] != "Lightning only"]


def test_the_table_of_settings_has_the_defaults() -> None:
    """What holds where nothing is said is what the code has."""
    unset = {name: cells[0] for name, cells in settings().items()}

    assert (f"`{DEFAULT_INTERVAL_SECONDS}`", f"`{DEFAULT_PROJECT}`") == (unset["interval_seconds"], unset["project"])
    assert f"that of the cloud in `region`, else {WORLD_AVERAGE.value}, marked as assumed" == unset["pue"]
    parameters = inspect.signature(CarbonCallback).parameters
    flags = {
        name: f"`{parameter.default}`" for name, parameter in parameters.items() if isinstance(parameter.default, bool)
    }
    assert flags == {name: unset[name] for name in flags}


def test_the_table_of_settings_has_the_variables() -> None:
    """Each variable stands beside its argument; the pages name those of the package and of `make reality`, no more."""
    beside = {name: cells[1].strip("`") for name, cells in settings().items() if cells[1]}
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "lightning_carbon").rglob("*.py"))
    pages = "".join((ROOT / name).read_text(encoding="utf-8") for name in DOCUMENTS)
    variable = re.compile(r"LIGHTNING_CARBON_[A-Z_]+")

    assert {setting.name: setting.variable for setting in SETTINGS if setting.variable} == beside
    assert {*variable.findall(code), walls.VARIABLE} == set(variable.findall(pages))


@pytest.mark.parametrize(("region", "place"), [("SE", "in Sweden"), ("IN", "in India")])
def test_the_factors_of_the_readme_are_the_packaged_ones(region: str, place: str) -> None:
    """The two countries that the README sets side by side have the factors that it names."""
    grams = intensity_of(region).value

    assert re.search(rf"\b{grams:.0f} g (of CO2e )?{place}", read("README.md"))


def test_the_table_of_metrics_is_the_code_s() -> None:
    """Name, unit and meaning of every metric, in the order of the code."""
    expected = [[f"`{metric.name}`", metric.unit, metric.meaning] for metric in METRICS]

    assert expected == table("docs/metrics.md", "metric", "unit")


def keys_of(mapping: dict[str, Any], prefix: str = "") -> set[str]:
    """The keys of a record as docs/record.md writes them; those named after phases, hosts or causes are none."""
    found: set[str] = set()
    for name, value in mapping.items():
        many = isinstance(value, list) and name != "devices"  # a list of names is one value
        key = f"{prefix}{name}[]" if many else prefix + name
        found.add(key)
        if name in {"host", "phases", "phase_seconds", "parts", "part_seconds", "gauges", "throttled", "causes"}:
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                found |= keys_of(item, f"{key}.")
    return found


def test_the_pages_have_every_key_of_a_record(executed: Callable[[Block], Executed]) -> None:
    """A record of a real run has the keys that are explained, all of them and no others."""
    [record] = executed(first_block("Meter(")).records
    explained = {row[0].strip("`") for row in table("docs/record.md", "key", "meaning")}
    shown = [key.strip("` ") for row in table("docs/ledger.md", "key", "holds") for key in row[0].split(",")]

    # This training was not resumed, metered alone, and priced with its region; where everything could be measured,
    # nothing is listed as absent.
    empty = ["attempts[].", "lineage.", "spent.", "overlaps[]."]
    empty += ["carbon.series.", "carbon.market.", "carbon.scopes.", "water.", "budget.", "waste[]."]
    empty += ["energy.domains[].device."]
    empty += [] if record["energy"]["absent"] else ["energy.absent[]."]
    assert keys_of(record) == {key for key in explained if not key.startswith(tuple(empty))}
    assert sorted(record) == sorted(shown)


def test_the_written_parts_are_up_to_date() -> None:
    """Running the script that writes parts of the documentation would change nothing."""
    script = [sys.executable, str(ROOT / "tools" / "update_docs.py"), "--check"]
    done = subprocess.run(script, capture_output=True, text=True, check=False, timeout=500)

    assert (0, "") == (done.returncode, done.stderr)


def test_a_stale_page_is_noticed_and_written_again(tmp_path: Path) -> None:
    """A table that somebody edited by hand fails the check, and is as before after the script ran."""
    pages = sorted(page for page in DOCUMENTS if page.startswith("docs/"))
    for name in (*pages, "tools/update_docs.py", "tests/data/trackers.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        shutil.copy(ROOT / name, tmp_path / name)
    page = tmp_path / "docs" / "metrics.md"
    page.write_text(page.read_text(encoding="utf-8").replace("`energy/row_joules` | J", "`energy/row_joules` | kJ"))
    script = [sys.executable, str(tmp_path / "tools" / "update_docs.py")]
    check = subprocess.run([*script, "--check"], capture_output=True, text=True, check=False, timeout=500)
    subprocess.run(script, capture_output=True, check=True, timeout=500)

    assert (1, "docs/metrics.md: out of date; run python tools/update_docs.py\n") == (check.returncode, check.stderr)
    assert (ROOT / "docs" / "metrics.md").read_bytes() == page.read_bytes()
