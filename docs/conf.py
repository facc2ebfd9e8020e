"""How the pages are built: ``make docs``.

The root of the sources is the root of the repository, so that README.md and its neighbours are pages as they are, and
their links lead where they lead on GitHub. The reference is made of the docstrings and of the command line's own help,
so what is new appears by itself. Nothing is fetched.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections import defaultdict
from contextlib import suppress
from functools import reduce
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from sphinx.util.docutils import SphinxDirective
from typer.main import get_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from docutils import nodes
    from sphinx.application import Sphinx

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import lightning_carbon  # noqa: E402 - of this tree, wherever else it is installed
from lightning_carbon.cli import NAME  # noqa: E402 - likewise
from lightning_carbon.cli.app import app as command_line  # noqa: E402 - likewise

project = "lightning-carbon"
author = "the authors of lightning-carbon"
copyright = author  # noqa: A001 - Sphinx's name for it
release = version = lightning_carbon.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md", "examples/data/README.md"]
html_theme = "furo"
html_title = f"lightning-carbon {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]

# GitHub's names for headings, so that links to them work in both places.
myst_heading_anchors = 4

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 100


def _import_types(module: ModuleType) -> None:
    """Do what stands there for type checkers alone, so that signatures lead to what they name.

    Not by ``typing.TYPE_CHECKING = True``: modules that name each other's types could not be imported then.
    """
    for block in ast.parse(inspect.getsource(module)).body:
        if not isinstance(block, ast.If) or ast.unparse(block.test) != "TYPE_CHECKING":
            continue
        for statement in block.body:
            if not isinstance(statement, ast.ClassDef):
                with suppress(ImportError, NameError):  # stubs, and what another module has not done yet
                    exec(compile(ast.Module([statement], []), str(module.__file__), "exec"), vars(module))  # noqa: S102 - ours


PUBLIC = (ROOT / "tests" / "data" / "public_modules.txt").read_text(encoding="utf-8").split()
"""What the reference describes: the modules that users may rely on. All others may move."""

MODULES = [import_module(name) for name in PUBLIC]
for module in MODULES * 2:  # some are about names that others make
    _import_types(module)
for module in MODULES:
    for thing in vars(module).values():
        # A named tuple's constructor does not know where its class was written, and what names mean there.
        if isinstance(thing, type) and issubclass(thing, tuple) and thing.__module__ == module.__name__:
            thing.__new__.__annotations__.update(get_type_hints(thing))

nitpicky = True
nitpick_ignore_regex = [
    # What a docstring names in full has to exist. Types of others are named, too, whose inventories are not fetched.
    ("py:.*", r"(?!lightning_carbon).*"),
    # Type variables, which are described nowhere.
    *(
        ("py:.*", re.escape(f"{module.__name__}.{name}"))
        for module in MODULES
        for name, thing in vars(module).items()
        if isinstance(thing, TypeVar)
    ),
]


class PublicNames(SphinxDirective):
    """Everything in ``lightning_carbon.__all__``, under the names that users import."""

    def run(self) -> list[nodes.Node]:
        """The descriptions."""
        return self.parse_text_to_nodes("\n".join(f".. {kind}:: {name}\n" for kind, name in _public_names()))


class Modules(SphinxDirective):
    """The public modules in the packages that are named, each as a section, without what is described elsewhere."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """The sections."""
        elsewhere = defaultdict(list)
        for name in lightning_carbon.__all__:
            home = getattr(getattr(lightning_carbon, name), "__module__", None)
            elsewhere[home].append(name)
        lines: list[str] = []
        for package in self.content:
            for module in [name for name in PUBLIC if f"{name}.".startswith(f"{package.strip()}.")]:
                lines += [f"``{module}``", "-" * (len(module) + 4), "", f".. automodule:: {module}"]
                lines += [f"   :exclude-members: {', '.join(elsewhere[module])}", ""]
                lines += [f".. {kind}:: {module}.{name}\n" for kind, name in _handed_on(import_module(module))]
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


class Commands(SphinxDirective):
    """Every command with its arguments and options, as its help has them."""

    def run(self) -> list[nodes.Node]:
        """A section for each command; nothing in its help is markup."""
        lines: list[str] = []
        for name, command in _commands(NAME, get_command(command_line)):
            lines += [f"``{name}``", "-" * (len(name) + 4), "", _as_text(command.help), ""]
            lines += [line for parameter in command.params for line in _parameter(parameter)]
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def setup(app: Sphinx) -> None:
    """Tell Sphinx of the directives."""
    app.connect("autodoc-process-bases", _without_private_ones)
    app.connect("missing-reference", _name_what_may_move)
    app.connect("autodoc-process-docstring", _list_references, priority=100)  # before napoleon's
    app.add_directive("publicnames", PublicNames)
    app.add_directive("modules", Modules)
    app.add_directive("commands", Commands)


def _public_names() -> Iterator[tuple[str, str]]:
    for name in lightning_carbon.__all__:
        yield _directive_of(getattr(lightning_carbon, name)), f"lightning_carbon.{name}"


def _handed_on(package: ModuleType) -> Iterator[tuple[str, str]]:
    """What a public package imports for others to import, beside the names of the front doors."""
    for statement in ast.parse(inspect.getsource(package)).body:
        for alias in statement.names if isinstance(statement, ast.ImportFrom) else ():
            if alias.name == alias.asname and alias.name not in lightning_carbon.__all__:
                yield _directive_of(getattr(package, alias.name)), alias.name


def _directive_of(thing: object) -> str:
    return "autoclass" if isinstance(thing, type) else "autofunction" if callable(thing) else "autodata"


def _name_what_may_move(_app: Sphinx, _env: object, node: nodes.Element, content: nodes.Node) -> nodes.Node | None:
    """Leave a name as it is that exists in a module which is not described; one that does not exist is warned of."""
    return content if _exists(str(node.get("reftarget"))) else None


def _exists(name: str) -> bool:
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        with suppress(ImportError, AttributeError):
            reduce(getattr, parts[cut:], import_module(".".join(parts[:cut])))
            return parts[0] == "lightning_carbon"
    return False


def _list_references(_app: Sphinx, _kind: str, _name: str, _thing: object, _options: object, lines: list[str]) -> None:
    """Make a list of the references of a docstring, which stand below each other, the rest of each indented."""
    if "References:" not in lines:
        return
    for number in range(lines.index("References:") + 1, len(lines)):
        line = lines[number]
        if line and not line.startswith("    "):
            return
        if line and not line.startswith(("     ", "    * ")):
            lines[number] = f"    * {line.strip()}"
        elif line.startswith("     "):
            lines[number] = f"      {line.strip()}"


def _without_private_ones(_app: Sphinx, _name: str, _class: type, _options: object, bases: list[type]) -> None:
    """Show what a private base class derives from in its place."""
    bases[:] = [parent for base in bases for parent in (base.__bases__ if base.__name__.startswith("_") else (base,))]


def _commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - click's, or typer's copy of it
    yield name, command
    for below, subcommand in getattr(command, "commands", {}).items():
        yield from _commands(f"{name} {below}", subcommand)


def _parameter(parameter: Any) -> Iterator[str]:  # noqa: ANN401 - likewise
    """An entry of a list of definitions, the name and what it is."""
    names = [*parameter.opts, *parameter.secondary_opts]
    if not names[0].startswith("-"):
        names = [parameter.metavar or names[0].upper()]
    elif not getattr(parameter, "is_flag", False):
        names = [f"{option} {parameter.metavar or parameter.type.name.upper()}" for option in names]
    yield from (", ".join(f"``{option}``" for option in names), f"   {_as_text(parameter.help)}", "")


def _as_text(words: str | None) -> str:
    escaped = re.sub(r"([*`|_\\])", r"\\\1", inspect.cleandoc(words or ""))
    return re.sub(r"(?<![\w-])--[\w-]*", lambda option: f"``{option[0]}``", escaped)  # two hyphens are two hyphens
