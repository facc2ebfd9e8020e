"""What the import contracts cannot see: the root module, and what Python really loads.

import-linter reads the source (`make lint`). Here a fresh interpreter says what an import brought
in, and the pure part is held to an allowlist, where the contract can only name what is forbidden.
"""

import subprocess
import sys
from configparser import ConfigParser
from fnmatch import fnmatch
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
HEAVY = frozenset(
    {
        "lightning",
        "numpy",
        "psutil",
        "pynvml",
        "pytorch_lightning",
        "rich",
        "torch",
        "transformers",
        "typer",
    }
)
PURE = ("errors", "values", "units", "energy", "carbon", "records", "ports")
VALUE_MODULES = frozenset(
    {
        "__future__",
        "bisect",
        "collections",
        "contextlib",  # context managers of the own code alone
        "datetime",
        "decimal",
        "enum",
        "fractions",
        "functools",
        "html",  # of which the pure part takes what quotes a text
        "itertools",
        "math",
        "operator",
        "re",
        "statistics",
        "types",
        "typing",
    }
)


def heavy_modules_loaded_by(statement: str) -> set[str]:
    """Run one statement in a fresh interpreter and tell which heavy packages it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        check=True,
        text=True,
    )
    return set(done.stdout.split()) & HEAVY


def test_importing_the_package_loads_no_driver_and_no_framework() -> None:
    """Whoever imports lightning_carbon pays for nothing they have not asked for."""
    assert set() == heavy_modules_loaded_by("import lightning_carbon")


@pytest.mark.parametrize("module", ["psutil", "pynvml", "rich"])
def test_a_heavy_import_would_be_noticed(module: str) -> None:
    """The check above can fail: it names a heavy package that a statement does load."""
    found = heavy_modules_loaded_by(f"import lightning_carbon, {module}")

    assert {module} == found


def test_a_public_name_brings_what_it_needs_and_nothing_else() -> None:
    """Asking for the meter loads neither a framework nor torch."""
    found = heavy_modules_loaded_by("from lightning_carbon import Meter")

    assert set() == found & {"lightning", "pytorch_lightning", "torch", "transformers"}


def test_a_start_loads_nothing_that_few_runs_need() -> None:
    """Not what looks into code, which takes longer to load than a run to start, nor what only some settings ask for."""
    program = "from lightning_carbon import Meter; import sys; meter = Meter(); meter.start(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    few_need = {
        *("ast", "dataclasses", "hashlib", "inspect", "shlex", "sqlite3"),
        *(f"lightning_carbon.{name}" for name in ("energy.module_powers", "exporting.prometheus", "report", "study")),
    }

    assert set() == few_need & set(done.stdout.split())
    assert "lightning_carbon.metering.run" in done.stdout.split()


@pytest.mark.parametrize(
    ("missing", "name", "framework"),
    [
        (["transformers"], "CarbonTrainerCallback", "transformers"),
        (["lightning", "pytorch_lightning"], "CarbonCallback", "Lightning"),
        (["accelerate"], "CarbonTracker", "Accelerate"),
    ],
)
def test_a_framework_that_is_missing_is_named_with_what_installs_it(
    missing: list[str], name: str, framework: str
) -> None:
    """The error of the import is the command to type."""
    program = f"import sys; sys.modules.update(dict.fromkeys({missing})); from lightning_carbon import {name}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, text=True)

    assert f"ImportError: {name} needs {framework}: pip install 'lightning-carbon[{framework.lower()}]'" in done.stderr


EXCEPTIONS = {
    # Those of the standard library, for whatever its own are too late or too little for; loaded where they are needed.
    ("lightning_carbon.values", "dataclasses"),
    # With a fixed seed, which makes it a function.
    ("lightning_carbon.carbon.monte_carlo", "random"),
    ("lightning_carbon.energy.module_powers", "random"),
    # A record's ``plot()``, which users call, and the type of its figure: neither is imported before.
    ("lightning_carbon.records.run", "lightning_carbon.wiring"),
    ("lightning_carbon.records.run", "matplotlib"),
}
"""The imports of single modules that the rest of the pure part may not have."""


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    """Every import that the package's source spells out."""
    return grimp.build_graph("lightning_carbon", include_external_packages=True, cache_dir=None)


@pytest.mark.parametrize("part", PURE)
def test_the_pure_part_imports_only_itself_and_value_modules(imports: grimp.ImportGraph, part: str) -> None:
    """A pure module knows no clock, no file, no environment and no third party; each exception is still needed."""
    root = f"lightning_carbon.{part}"
    allowed = VALUE_MODULES | {f"lightning_carbon.{name}" for name in PURE}
    strangers = {
        (module, imported)
        for module in {root} | imports.find_descendants(root)
        for imported in imports.find_modules_directly_imported_by(module)
        if not any(imported == name or imported.startswith(f"{name}.") for name in allowed)
    }

    excepted = {(module, imported) for module, imported in EXCEPTIONS if f"{module}.".startswith(f"{root}.")}

    assert excepted == strangers


def test_coverage_follows_all_that_it_reports() -> None:
    """What is left out while tests run would be missing in the report, whatever that demands."""
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg")
    reported = settings["coverage:report"]["include"].split()
    omitted = settings["coverage:run"]["omit"].split()

    assert reported
    assert omitted
    assert not [(name, pattern) for name in reported for pattern in omitted if fnmatch(name, pattern)]


def test_a_stranger_in_the_pure_part_would_be_noticed(imports: grimp.ImportGraph) -> None:
    """The graph does hold imports of drivers: the check above is not blind to them."""
    importers = imports.find_modules_that_directly_import("pynvml")

    assert importers
    assert all(module.startswith("lightning_carbon.sources.nvml") for module in importers)


def test_a_meter_that_is_given_a_folder_needs_no_package_for_the_default_one() -> None:
    """Where the source tree alone is on the path; without a folder it says what is missing and what to do."""
    program = (
        "import sys\n"
        "sys.modules['platformdirs'] = None\n"
        "from lightning_carbon.settings import configure\n"
        "print(configure(ledger='runs').ledger.name)\n"
        "try:\n"
        "    configure({})\n"
        "except ValueError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    folder, error = done.stdout.splitlines()

    assert "runs" == folder
    assert error.startswith("ledger=None cannot be used: the package platformdirs, which knows the default folder")
    assert error.endswith("set LIGHTNING_CARBON_LEDGER, or pip install platformdirs.")
