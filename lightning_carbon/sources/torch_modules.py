"""The modules of a model of torch, which report when they begin and end, forward and backward, while it is watched.

Hooks are there only while steps are sampled. They change nothing: gradients are told of by hooks on tensors, since
torch's full backward hooks put a function of their own around each module, which forbids operations in place. Copies
and pickles of a model hold nothing of ours, and its ``state_dict`` is what it was.

A compiled module counts as a whole: hooks within would be compiled, too. Wrappers (DDP, FSDP, checkpointing, compiled
modules) count as the module that they wrap, and lists of modules are passed over.
"""

from __future__ import annotations

from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lightning_carbon.energy.module_reports import ModuleReports

MOST_MODULES: Final = 40
"""The most modules that are watched: of each level all or none, so forward and backward are at most 80 unknowns."""
_WRAPPED: Final = ("_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_orig_mod")
"""The names under which wrappers hold their module; DDP calls it ``module``, as others may."""
_PARALLEL: Final = {"DistributedDataParallel", "DataParallel"}
_LISTS: Final = (torch.nn.ModuleList, torch.nn.ModuleDict)
_MOST_NESTED: Final = 8
"""How deeply tensors may lie within the inputs and outputs of a module to be found."""


class WatchedModule(NamedTuple):
    """A module to watch.

    Args:
        path: Its name, without those of wrappers.
        module: The module, or the wrapper around it.
    """

    path: str
    module: torch.nn.Module


class TorchModel:
    """A model whose modules report, down to the deepest level that has not too many of them.

    Args:
        model: The model.
        called: Whether the model itself is called, as a Hugging Face Trainer does; Lightning calls a method of it.
    """

    def __init__(self, model: torch.nn.Module, *, called: bool = True) -> None:
        self._levels = list(_levels(model, called=called))
        self._handles: list[Any] = []
        self._compiled: list[tuple[torch.nn.Module, object]] = []
        self.name = type(_unwrapped(model)).__name__

    @property
    def modules(self) -> list[WatchedModule]:
        """The modules that are watched."""
        return [watched for level in self._levels for watched in level]

    def watch(self, reports: ModuleReports) -> None:
        """Put hooks on the modules."""
        try:
            passes = _Passes(reports)
            for path, module in self.modules:
                hooks = _Hooks(path, passes)
                if module._compiled_call_impl is not None:  # noqa: SLF001 - hooks of its own would be compiled
                    original = module._compiled_call_impl  # noqa: SLF001 - as above
                    self._compiled.append((module, original))
                    module._compiled_call_impl = hooks.around(module, original)  # noqa: SLF001 - as above
                    continue
                self._handles += [
                    module.register_forward_pre_hook(_Hook(hooks.before), prepend=True, with_kwargs=True),
                    module.register_forward_hook(_Hook(hooks.after), always_call=True, with_kwargs=True),
                ]
        except Exception:  # noqa: BLE001 - a model of any kind; the training goes on
            self._levels = []
            self.unwatch()

    def unwatch(self) -> None:
        """Take the hooks off."""
        handles, self._handles = self._handles, []
        for handle in handles:
            handle.remove()
        compiled, self._compiled = self._compiled, []
        for module, original in compiled:
            module._compiled_call_impl = original  # type: ignore[assignment]  # noqa: SLF001 - what it was

    def watch_less(self) -> bool:
        """Leave out the deepest level."""
        self._levels = self._levels[:-1]
        return bool(self._levels)


class _Hook:
    """A hook that copies and pickles of a module hold as something that does nothing, and needs nothing of ours."""

    def __init__(self, call: Callable[..., None]) -> None:
        self._call = call

    def __call__(self, *args: object) -> None:
        self._call(*args)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, str]]:
        return getattr, (nullcontext(), "__exit__")


class _Passes:
    """The backward passes of a model: the end of each is reported once.

    Args:
        reports: What gets the reports.
    """

    def __init__(self, reports: ModuleReports) -> None:
        self.reports = reports
        self._is_awaited = False

    def await_end(self) -> None:
        """Have the end of the present backward pass reported, as DDP and FSDP learn of it."""
        engine: Any = getattr(torch.autograd.Variable, "_execution_engine", None)
        if engine is not None and not self._is_awaited:
            engine.queue_callback(self._end)
            self._is_awaited = True

    def _end(self) -> None:
        self._is_awaited = False
        self.reports.end_backward()


class _Hooks:
    """The hooks of a module. Whatever happens in them, the training goes on.

    Args:
        path: The module.
        passes: The backward passes of the model.
    """

    def __init__(self, path: str, passes: _Passes) -> None:
        self._path = path
        self._passes = passes
        self._reports = passes.reports

    def before(self, module: object, *inputs: object) -> None:
        """The module is called: in a backward pass, to compute again what was not kept."""
        del module
        with suppress(Exception):
            self._reports.begin(self._path, is_backward=_in_backward())
            for tensor in _with_gradient(inputs):
                tensor.register_hook(self._end_backward)

    def after(self, module: object, *inputs_and_output: object) -> None:
        """The module returns, or an exception passes through it."""
        del module
        with suppress(Exception):
            self._reports.end(self._path, is_backward=_in_backward())
            for tensor in _with_gradient(inputs_and_output[-1]):
                # Hooks on gradients come before those on what they are given to: a module ends before another begins.
                tensor.grad_fn.register_prehook(self._begin_backward)

    def around(self, module: object, call: Callable[..., Any]) -> Callable[..., Any]:
        """A call with the hooks around it, for modules that are compiled with theirs."""

        def timed(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the original
            self.before(module, args, kwargs)
            output = None
            try:
                output = call(*args, **kwargs)
            finally:
                self.after(module, args, kwargs, output)
            return output

        return timed

    def _begin_backward(self, gradients: object) -> None:
        del gradients
        with suppress(Exception):
            self._reports.begin_backward(self._path)
            self._passes.await_end()

    def _end_backward(self, gradient: object) -> None:
        del gradient
        with suppress(Exception):
            self._reports.end(self._path, is_backward=True)


def _levels(model: torch.nn.Module, *, called: bool) -> Iterator[list[WatchedModule]]:
    """The modules of a model, level by level, as long as there are not too many."""
    level = [WatchedModule("", model)]
    left = MOST_MODULES
    if called:
        yield level
        left -= 1
    while level := [inner for outer in level for inner in _inner(outer)]:
        left -= len(level)
        if left < 0:
            return
        yield level


def _inner(outer: WatchedModule) -> Iterator[WatchedModule]:
    """The modules right within a module that are called; none of those of a compiled module."""
    module = outer.module
    while (held := _held(module)) is not None:
        if _is_compiled(module):
            return
        module = held
    if _is_compiled(module):
        return
    for name, child in module.named_children():
        path = f"{outer.path}.{name}" if outer.path else name
        if isinstance(_unwrapped(child), _LISTS):
            yield from _inner(WatchedModule(path, child))
        else:
            yield WatchedModule(path, child)


def _held(module: torch.nn.Module) -> torch.nn.Module | None:
    """The module that a wrapper wraps; ``None`` for any other module."""
    children = module._modules  # noqa: SLF001 - attributes of wrappers may come from what they wrap
    for name in _WRAPPED:
        if (held := children.get(name)) is not None:
            return held
    return children.get("module") if type(module).__name__ in _PARALLEL else None


def _unwrapped(module: torch.nn.Module) -> torch.nn.Module:
    while (held := _held(module)) is not None:
        module = held
    return module


def _is_compiled(module: torch.nn.Module) -> bool:
    """Whether what is within a module is compiled: by torch, or by Lightning, which compiles its methods."""
    known = vars(module)
    return (
        known.get("_compiled_call_impl") is not None
        or "_orig_mod" in module._modules  # noqa: SLF001 - as above
        or known.get("_compiler_ctx") is not None
        or isinstance(module, torch.jit.ScriptModule)
    )


def _with_gradient(value: object) -> Iterator[Any]:
    """The tensors among the inputs or outputs of a module whose gradients a backward pass will compute."""
    if torch.is_grad_enabled():
        for tensor in _tensors(value):
            if tensor.requires_grad and not tensor.is_leaf:
                yield tensor


def _tensors(value: Any, nested: int = 0) -> Iterator[torch.Tensor]:  # noqa: ANN401 - inputs and outputs of any kind
    """The tensors among the inputs or outputs of a module."""
    if isinstance(value, torch.Tensor):
        yield value
    elif nested < _MOST_NESTED and isinstance(value, tuple | list):
        for item in value:
            yield from _tensors(item, nested + 1)
    elif nested < _MOST_NESTED and isinstance(value, dict):
        for item in value.values():
            yield from _tensors(item, nested + 1)


def _in_backward() -> bool:
    """Whether this is called by a backward pass, as checkpointing asks it."""
    task: Any = getattr(torch._C, "_current_graph_task_id", None)  # noqa: SLF001 - as torch.utils.checkpoint does
    return task is not None and task() != -1
