"""What a model whose modules are watched has to do, and what it reports to. Pure."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class ModuleReports(Protocol):
    """The reports of a model's hooks: which module begins or ends. None of them raises or waits."""

    def begin(self, path: str, *, is_backward: bool) -> None:
        """A module is called; in a backward pass, to compute again what was not kept."""

    def begin_backward(self, path: str) -> None:
        """The gradients of a module's outputs are known."""

    def end(self, path: str, *, is_backward: bool) -> None:
        """A module ends, in a direction, and whatever is left of those that began within it."""

    def end_backward(self) -> None:
        """A backward pass has ended, with all modules in it."""


@runtime_checkable
class WatchedModel(Protocol):
    """A model whose modules report when they begin and end, while they are watched. No method raises."""

    @property
    def name(self) -> str:
        """What the model is called, for people."""

    def watch(self, reports: ModuleReports) -> None:
        """Begin to report."""

    def unwatch(self) -> None:
        """Report no more, and leave the model as it was."""

    def watch_less(self) -> bool:
        """From now on watch a level of modules less; false where only the whole model is left."""
