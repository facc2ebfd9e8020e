"""Acting on an import that somebody else makes, later or never."""

from __future__ import annotations

import importlib
import inspect
import logging
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from lightning_carbon.integrations.autolog.imports import Imports


class Library:
    """A finder that has one module, as the import system has its own.

    Args:
        name: Its name.
        file: Its source.
    """

    def __init__(self, name: str, file: Path) -> None:
        self._name = name
        self._file = file

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        """Find it."""
        return spec_from_file_location(name, self._file) if name == self._name else None


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[dict[str, ModuleType], list[object]]]:
    """Modules and finders of their own: nothing is imported, and one module can be."""
    file = tmp_path / "later.py"
    file.write_text('"""Comes later."""\nNAMES = ["one"]\n', encoding="utf-8")
    yield {}, [Library("later", file)]
    assert "later" not in sys.modules


def import_later(modules: dict[str, ModuleType], meta_path: list[object]) -> ModuleType:
    """Import the module as Python does: the first finder that has it tells how."""
    found = (finder.find_spec("later", None) for finder in meta_path if isinstance(finder, Library) or finder)  # type: ignore[attr-defined]
    spec = next(spec for spec in found if spec is not None)
    module = modules["later"] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_action_follows_the_import(world: tuple[dict[str, ModuleType], list[object]]) -> None:
    """It is done once the module is whole, and no trace of the waiting is left: not in the path, not in the module."""
    modules, meta_path = world
    [library] = meta_path
    imports = Imports(modules, meta_path)
    imports.after("later", lambda module: module.NAMES.append("two"))
    waiting = len(meta_path)
    module = import_later(modules, meta_path)

    assert (2, [library]) == (waiting, meta_path)
    assert ["one", "two"] == module.NAMES
    assert isinstance(module.__loader__, SourceFileLoader)
    assert module.__spec__ is not None
    assert module.__loader__ is module.__spec__.loader
    assert "Comes later" in inspect.getsource(module)


def test_an_action_on_a_module_that_is_there_is_done_at_once() -> None:
    """Nothing waits then."""
    meta_path: list[object] = []
    there = ModuleType("there")
    there.__spec__ = ModuleSpec("there", None)
    seen: list[ModuleType] = []
    Imports({"there": there}, meta_path).after("there", seen.append)

    assert ([there], []) == (seen, meta_path)


def test_what_is_forgotten_is_not_done(world: tuple[dict[str, ModuleType], list[object]]) -> None:
    """Whoever changes their mind before the import leaves nothing behind."""
    modules, meta_path = world
    imports = Imports(modules, meta_path)
    imports.after("later", lambda module: module.NAMES.append("two"))
    imports.forget("later")
    imports.forget("never")

    assert 1 == len(meta_path)
    assert ["one"] == import_later(modules, meta_path).NAMES


def test_other_imports_are_left_alone(world: tuple[dict[str, ModuleType], list[object]]) -> None:
    """The finder has only what it waits for, and a module that nobody has is still missing."""
    modules, meta_path = world
    Imports(modules, meta_path).after("missing", lambda _: None)
    finder = meta_path[0]

    assert None is finder.find_spec("json", None)  # type: ignore[attr-defined]
    assert None is finder.find_spec("missing", None)  # type: ignore[attr-defined]


def test_an_action_that_fails_does_not_fail_the_import(
    world: tuple[dict[str, ModuleType], list[object]], caplog: pytest.LogCaptureFixture
) -> None:
    """A later version of a framework may lack what is looked for: that is warned of, and the program goes on."""
    modules, meta_path = world
    Imports(modules, meta_path).after("later", lambda module: module.DEFAULT_CALLBACKS)
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        import_later(modules, meta_path)

    [message] = caplog.messages
    assert "later is not as expected" in message


def test_a_failed_import_is_waited_for_again(tmp_path: Path) -> None:
    """What could not be executed was not imported; the next try is told of."""
    file = tmp_path / "later.py"
    file.write_text("1 / 0\n", encoding="utf-8")
    modules: dict[str, ModuleType] = {}
    meta_path: list[object] = [Library("later", file)]
    seen: list[str] = []
    Imports(modules, meta_path).after("later", lambda module: seen.append(module.__name__))
    with pytest.raises(ZeroDivisionError):
        import_later(modules, meta_path)
    file.write_text("NAMES = []\n", encoding="utf-8")
    importlib.invalidate_caches()
    import_later(modules, meta_path)

    assert ["later"] == seen
