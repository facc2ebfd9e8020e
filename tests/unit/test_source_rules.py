"""What holds for the source of the whole package, found by reading it."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from importlib import import_module
from pathlib import Path
from typing import Final, TypeGuard

import pytest

import lightning_carbon
from tests.documents import ROOT, blocks

PACKAGE: Final = Path(lightning_carbon.__file__).parent
MODULES: Final = {path: ast.parse(path.read_bytes()) for path in sorted(PACKAGE.rglob("*.py"))}
MOST_LINES: Final = 400
PUBLIC_MODULES: Final = (ROOT / "tests" / "data" / "public_modules.txt").read_text(encoding="utf-8").split()


def test_every_class_name_has_one_home() -> None:
    """A name means one thing in the whole package."""
    homes: defaultdict[str, set[str]] = defaultdict(set)
    for path, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                homes[node.name].add(str(path.relative_to(PACKAGE)))

    assert {} == {name: places for name, places in homes.items() if len(places) > 1}


FACTORS: Final = {3.6 * 10**power for power in (-3, 0, 3, 6, 9)} | {
    *(1e-9, 1e-6, 1e6, 1e9, 1e12),
    *(1_440, 86_400, 365, 365.25, 453.59237, 0.45359237),
}
"""What is a conversion factor wherever it stands."""
SMALL_FACTORS: Final = {1e-3, 24, 60, 1_000}
"""What is a conversion factor where something is multiplied or divided by it."""
PER: Final = re.compile(
    r"_?[A-Z]*(?:SECONDS|MINUTES|HOURS|DAYS|JOULES|WATTS|GRAMS|TONNES|NS)_PER_"
    r"[A-Z_]*(?:SECOND|MINUTE|HOUR|DAY|MONTH|YEAR|JOULE|WATT|GRAM|POUND|TONNE|MS)"
)
"""What the name of a conversion factor looks like."""
NO_FACTORS: Final = {
    ("carbon/equivalents.py", "_MOST"): "the most of a thing that a comparison counts",
    ("cli/runs/listing.py", "_MUCH"): "from where on a figure is shown with an exponent",
    ("ledger/lines.py", "MOST_JOURNAL_BYTES"): "the most that is read of a journal",
    ("sources/shares.py", "_PARTS_PER_MICROJOULE"): "how finely a share is counted, our choice",
    ("study/measured/table.py", "_NOTHING_LEFT"): "what rounding leaves of nothing",
}


def factors_in(tree: ast.Module) -> list[tuple[str, int]]:
    """The literals of a module that are conversion factors: the name they are assigned to, if any, and the line."""
    found = []
    for statement in ast.walk(tree):
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            name = target.id if isinstance(target, ast.Name) else ""
            value = statement.value
            is_named = PER.fullmatch(name) and isinstance(value, ast.Constant)
            found += [(name, statement.lineno)] if is_named or is_factor(value) else []
        elif isinstance(statement, ast.BinOp) and isinstance(statement.op, ast.Mult | ast.Div | ast.FloorDiv | ast.Mod):
            sides = (statement.left, statement.right)
            small = [side for side in sides if isinstance(side, ast.Constant) and side.value in SMALL_FACTORS]
            found += [("", side.lineno) for side in small]
    named = {line for _, line in found}
    return found + [("", node.lineno) for node in ast.walk(tree) if is_factor(node) and node.lineno not in named]


def is_factor(node: ast.AST | None) -> TypeGuard[ast.Constant]:
    """Whether it is a literal that converts units wherever it stands."""
    return isinstance(node, ast.Constant) and type(node.value) in {int, float} and node.value in FACTORS


def test_conversion_factors_stand_in_units_alone() -> None:
    """No other module has a literal that turns a unit into another."""
    found = [
        f"{place}:{line}"
        for path, tree in MODULES.items()
        if (place := str(path.relative_to(PACKAGE))) != "units.py"
        for name, line in factors_in(tree)
        if (place, name) not in NO_FACTORS
    ]

    assert [] == found


@pytest.mark.parametrize(
    "line", ["a = b / 3_600", "a = 1e6", "x = 60 * y", "_JOULES_PER_WATT_HOUR: int = 7", "f(g, 1e-9)"]
)
def test_a_conversion_factor_would_be_noticed(line: str) -> None:
    """The rule above can fail."""
    assert [1] == [number for _, number in factors_in(ast.parse(line))]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_fits_in_a_head(path: Path) -> None:
    """No file has more lines than a reader keeps in mind."""
    assert MOST_LINES >= len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("name", PUBLIC_MODULES)
def test_a_public_module_is_there_and_says_what_it_is_for(name: str) -> None:
    """Everything on the frozen list can be imported by that name; the rest of the house may move."""
    assert import_module(name).__doc__


def imported(tree: ast.AST) -> set[str]:
    """The modules of the package that a program imports from, its root aside."""
    named = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    named |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    return {name for name in named if name.startswith("lightning_carbon.")}


def test_pages_and_examples_import_public_modules_alone() -> None:
    """What people copy from the documentation goes on working when the rest of the house moves."""
    pages = [ast.parse(block.text) for block in blocks("python") if block.document != "CONTRIBUTING.md"]
    scripts = [ast.parse(path.read_bytes()) for path in sorted((ROOT / "examples").glob("*.py"))]
    used = {name for tree in (*pages, *scripts) for name in imported(tree)}

    assert set() == used - set(PUBLIC_MODULES)


EMPTY_NAMES: Final = {"one", "ones", "each"}
"""What no variable is called, since everything could be."""


def empty_names_in(tree: ast.AST) -> list[int]:
    """The lines of a program that bind a name which says nothing of what it holds."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in EMPTY_NAMES)
        or (isinstance(node, ast.arg) and node.arg in EMPTY_NAMES)
    ]


@pytest.mark.parametrize("folder", ["lightning_carbon", "tests", "examples", "tools", "docs"])
def test_a_variable_says_what_it_holds(folder: str) -> None:
    """No loop, comprehension, assignment, field or parameter has a name that would fit anything."""
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line in empty_names_in(MODULES.get(path) or ast.parse(path.read_bytes()))
    ]

    assert [] == found


@pytest.mark.parametrize(
    "line",
    ["for one in runs: pass", "{one: 1 for one in runs}", "f = lambda one: 1", "def f(each: int): ...", "one = 1"],
)
def test_an_empty_name_would_be_noticed(line: str) -> None:
    """The rule above can fail."""
    assert [1] == empty_names_in(ast.parse(line))


LEAST_WORDS: Final = 3
STUMBLES: Final = re.compile(
    r"\blikewise\b|\bt(?:ell|ells|old|elling) (?:\w+ ){0,4}apart\b|\bones\b|\bone's\b|\bone (?:that|which|who)\b"
    r"|\b(?:this|another|(?:the|a|an|its) (?!one\b)[a-z]+) one\b"
    r"|\b(?:callback|driver|job|package|program|rank|reader|run|sensor|source|thread|trainer|writer|process)s? who\b",
    re.IGNORECASE,
)
"""Words that CONTRIBUTING.md advises against, as far as a machine sees: "one" in the place of a noun, and others."""


def docstrings_of(tree: ast.AST) -> list[tuple[int, str]]:
    """The docstrings of a module, its classes, functions and variables, with their lines."""
    return [
        (node.lineno, " ".join(node.value.value.split()))
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]


def stumbles_in(tree: ast.AST) -> list[tuple[int, str]]:
    """The docstrings that a reader stumbles on, by their lines, with the words to blame."""
    found = []
    for line, text in docstrings_of(tree):
        short = len(text.split()) < LEAST_WORDS
        found += [(line, text)] if short else [(line, match[0]) for match in STUMBLES.finditer(text)]
    return found


def test_docstrings_say_something_and_name_what_they_speak_of() -> None:
    """None has fewer than three words, and none has "one" in the place of a noun."""
    found = {
        f"{path.relative_to(PACKAGE)}:{line}": words
        for path, tree in MODULES.items()
        for line, words in stumbles_in(tree)
    }

    assert {} == found


@pytest.mark.parametrize(
    "text",
    ["Start.", "Take the last one.", "A program who waits.", "It tells them both apart.", "The known ones first."],
)
def test_a_docstring_to_stumble_on_would_be_noticed(text: str) -> None:
    """The rule above can fail."""
    assert [1] == [line for line, _ in stumbles_in(ast.parse(f'"""{text}"""'))]
