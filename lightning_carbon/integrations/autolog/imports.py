"""Actions after the import of a module, for frameworks that are imported later, or never.

A finder at the head of ``sys.meta_path`` knows the names that it waits for, and leaves finding them to the others. The
module's own loader executes it and stays its loader; right after that the action is done. OpenTelemetry's and MLflow's
automatic logging wait for frameworks in the same way (wrapt's post-import hooks, PEP 369).

wrapt itself is not used: every Lightning callback would load it, 102 modules in 49 ms of processor time instead of two
in 1 ms (wrapt 2.5.2, `python -X importtime`, 2026); its hooks cannot be taken back, and an exception in a hook fails
the import. The guard and the taking back would stay here, half of this file.

References:
    https://docs.python.org/3/reference/import.html#the-meta-path
"""

from __future__ import annotations

import sys
from collections.abc import Callable, MutableMapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from lightning_carbon.integrations.shared.guard import logger

Action = Callable[[ModuleType], object]


class Imports:
    """The actions after imports that have not happened yet.

    Args:
        modules: The modules imported so far.
        meta_path: The finders of modules.
    """

    def __init__(
        self,
        modules: MutableMapping[str, ModuleType] = sys.modules,
        meta_path: list[Any] = sys.meta_path,
    ) -> None:
        self._modules = modules
        self._meta_path = meta_path
        self._finder = _Finder(self)
        self.actions: dict[str, Action] = {}

    def after(self, name: str, action: Action) -> None:
        """Do an action once a module has been imported; at once if it has been already.

        Args:
            name: The full name of the module. Of two actions for the same module, the latter counts.
            action: Takes the module. An exception in it is logged, and the import goes on.
        """
        module = self._modules.get(name)
        if module is not None and not getattr(module.__spec__, "_initializing", False):
            do(action, module)
            return
        self.actions[name] = action
        if self._finder not in self._meta_path:
            self._meta_path.insert(0, self._finder)

    def forget(self, name: str) -> None:
        """Drop the action after an import."""
        self.actions.pop(name, None)
        if not self.actions and self._finder in self._meta_path:
            self._meta_path.remove(self._finder)

    def find_elsewhere(self, name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        """Let the other finders find a module."""
        for finder in self._meta_path:
            find = None if finder is self._finder else getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = None if find is None else find(name, path, target)
            if spec is not None:
                return spec
        return None


def do(action: Action, module: ModuleType) -> None:
    """Do an action with a module; an import must not fail because of us."""
    try:
        action(module)
    except Exception:  # noqa: BLE001 - whatever it is, the program matters more
        logger.warning("%s is not as expected, so its trainers do not meter themselves", module.__name__, exc_info=True)


class _Finder(MetaPathFinder):
    def __init__(self, imports: Imports) -> None:
        self._imports = imports

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._imports.actions:
            return None
        spec = self._imports.find_elsewhere(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _TellingLoader(spec.loader, self._imports)
        return spec


class _TellingLoader(Loader):
    def __init__(self, loader: Loader, imports: Imports) -> None:
        self._loader = loader
        self._imports = imports

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # From here on this loader is out of the way: resources and sources are those of the module's own loader.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        action = self._imports.actions.get(module.__name__)
        self._imports.forget(module.__name__)
        if action is not None:
            do(action, module)
