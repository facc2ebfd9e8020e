"""The hooks on a model of torch: what they report, and that the model is what it was."""

from __future__ import annotations

import copy
import io
import pickle
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from lightning_carbon.energy.module_reports import ModuleReports, WatchedModel
from lightning_carbon.metering.module_sampling import ModuleSampling
from lightning_carbon.sources.torch_modules import MOST_MODULES, TorchModel
from lightning_carbon.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterator


OF_DYNAMO = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning")
"""Dynamo asks every tensor that it traces for its gradient."""


def hooks_on(net: nn.Module) -> int:
    """The number of modules that have a hook."""
    return sum(bool(vars(module)["_forward_hooks"] or vars(module)["_forward_pre_hooks"]) for module in net.modules())


class Reports:
    """Notes what hooks report, in short."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def begin(self, path: str, *, is_backward: bool) -> None:
        """A module is called."""
        self.told.append(f"{'again' if is_backward else 'call'} {path}")

    def begin_backward(self, path: str) -> None:
        """The gradients of its outputs are known."""
        self.told.append(f"back {path}")

    def end(self, path: str, *, is_backward: bool) -> None:
        """A module ends."""
        self.told.append(f"{'done' if is_backward else 'return'} {path}")

    def end_backward(self) -> None:
        """A backward pass has ended."""
        self.told.append("end")


class Block(nn.Module):
    """A block with an operation in place, called with arguments by name, that returns what is within a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Linear(4, 4)
        self.act = nn.ReLU(inplace=True)

    def forward(self, *, x: torch.Tensor) -> dict[str, list[torch.Tensor]]:
        """Compute the block."""
        return {"hidden": [self.act(self.up(x))]}


class Net(nn.Module):
    """A network with an embedding, a list of blocks and a head."""

    def __init__(self, *, again: bool | None = None) -> None:
        super().__init__()
        self.embed = nn.Embedding(10, 4)
        self.blocks = nn.ModuleList([Block()])
        self.head = nn.Linear(4, 2)
        self.again = again

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Compute the network."""
        hidden = self.embed(tokens)
        for block in self.blocks:
            if self.again is None:
                hidden = block(x=hidden)["hidden"][0]
            else:
                hidden = checkpoint(lambda x, block=block: block(x=x)["hidden"][0], hidden, use_reentrant=self.again)
        head: torch.Tensor = self.head(hidden)
        return head


@pytest.fixture
def reports() -> Reports:
    """What hooks report."""
    return Reports()


def trained(net: nn.Module, reports: Reports) -> Iterator[torch.Tensor]:
    """Train a step while the model is watched; the gradients."""
    model = TorchModel(net)
    model.watch(reports)
    net(torch.tensor([1, 2])).sum().backward()
    model.unwatch()
    return (parameter.grad for parameter in net.parameters() if parameter.grad is not None)


def test_modules_are_told_by_their_names_in_both_directions(reports: Reports) -> None:
    """Lists of modules are passed over, and gradients go through what comes by name and within dictionaries."""
    list(trained(Net(), reports))

    block = ["call blocks.0", "call blocks.0.up", "return blocks.0.up", "call blocks.0.act", "return blocks.0.act"]
    forward = ["call ", "call embed", "return embed", *block, "return blocks.0", "call head", "return head", "return "]
    assert forward == reports.told[: len(forward)]
    backward = reports.told[len(forward) :]
    order = ["back head", "back ", "done head", "back blocks.0.act", "back blocks.0", "done blocks.0.act"]
    assert [*order, "back blocks.0.up", "done blocks.0", "done blocks.0.up", "back embed", "end"] == backward


@pytest.mark.parametrize("again", [False, True])
def test_what_is_computed_again_is_backward(again: bool, reports: Reports) -> None:  # noqa: FBT001 - a parameter
    """Checkpointed blocks are called a second time, within the backward pass, in both ways of torch."""
    list(trained(Net(again=again), reports))

    assert "again blocks.0.up" in reports.told
    assert reports.told.index("back head") < reports.told.index("again blocks.0.up") < reports.told.index("end")
    assert 1 == reports.told.count("end")


@pytest.mark.parametrize("again", [None, False, True])
def test_gradients_are_what_they_are_without_hooks(again: bool | None, reports: Reports) -> None:  # noqa: FBT001
    """To the last bit."""
    torch.manual_seed(1)
    net = Net(again=again)
    alone = copy.deepcopy(net)
    alone(torch.tensor([1, 2])).sum().backward()

    for watched, parameter in zip(trained(net, reports), alone.parameters(), strict=True):
        assert parameter.grad is not None
        assert torch.equal(watched, parameter.grad)


def test_a_watched_model_is_copied_and_stored_as_it_was(reports: Reports) -> None:
    """Copies report nothing, pickles name nothing of ours, and the state is the same."""
    net = Net()
    state = set(net.state_dict())
    model = TorchModel(net)
    model.watch(reports)
    stored = pickle.dumps(net)
    copies = [copy.deepcopy(net), pickle.loads(stored)]  # noqa: S301 - our own
    torch.save(net, io.BytesIO())
    for held in copies:
        held(torch.tensor([1]))

    assert [] == reports.told
    assert b"lightning_carbon" not in stored
    assert state == set(net.state_dict())


@OF_DYNAMO
def test_nothing_is_left_when_the_watching_ends(reports: Reports) -> None:
    """No hook on any module, whatever came before."""
    net = Net()
    net.blocks[0].compile(backend="eager")
    compiled = net.blocks[0]._compiled_call_impl  # noqa: SLF001 - what torch keeps
    list(trained(net, reports))

    assert 0 == hooks_on(net)
    assert compiled is net.blocks[0]._compiled_call_impl  # noqa: SLF001 - as above


def test_an_exception_in_a_module_is_the_users_own(reports: Reports) -> None:
    """It passes, and ends each module on its way."""
    net = Net()
    model = TorchModel(net)
    model.watch(reports)
    with pytest.raises(IndexError):
        net(torch.tensor([99]))

    assert ["call ", "call embed", "return embed", "return "] == reports.told


@OF_DYNAMO
@pytest.mark.parametrize("way", ["wrapped", "in place"])
def test_a_compiled_module_counts_as_a_whole_and_is_compiled_once(way: str, reports: Reports) -> None:
    """Nothing within it has a hook, and it is not compiled again when it is watched."""
    graphs = []

    def backend(graph: torch.fx.GraphModule, inputs: object) -> object:
        del inputs
        graphs.append(graph)
        return graph.forward

    net = nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.Linear(4, 4), nn.Tanh()))
    if way == "wrapped":
        setattr(net, "1", torch.compile(net[1], backend=backend))
    else:
        net[1].compile(backend=backend)
    net(torch.ones(1, 4)).sum().backward()
    before = len(graphs)
    model = TorchModel(net)
    model.watch(reports)
    net(torch.ones(1, 4)).sum().backward()
    model.unwatch()
    net(torch.ones(1, 4)).sum().backward()

    assert before == len(graphs)
    assert ["", "0", "1"] == [watched.path for watched in model.modules]
    assert {"call 1", "return 1", "back 1", "done 1"} <= set(reports.told)


class DistributedDataParallel(nn.Module):
    """A wrapper that holds its module as torch's does."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module


class FullyShardedDataParallel(nn.Module):
    """A wrapper that holds its module as torch's does."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self._fsdp_wrapped_module = module


def test_wrappers_count_as_what_they_wrap() -> None:
    """Their own names are in none."""
    net = Net()
    net.blocks[0] = FullyShardedDataParallel(net.blocks[0])
    model = TorchModel(DistributedDataParallel(FullyShardedDataParallel(net)))

    assert "Net" == model.name
    assert ["", "embed", "blocks.0", "head", "blocks.0.up", "blocks.0.act"] == [path for path, _ in model.modules]


def test_modules_are_watched_as_deeply_as_their_number_allows() -> None:
    """Of each level all or none; and a level less where that is too much."""
    wide = nn.Sequential(*(nn.Sequential(*(nn.Identity() for _ in range(9))) for _ in range(4)))
    wider = nn.Sequential(*(nn.Identity() for _ in range(MOST_MODULES)))
    fits, too_many, method = TorchModel(wide, called=False), TorchModel(wider), TorchModel(Net(), called=False)
    counts = [len(fits.modules), len(too_many.modules), len(method.modules)]
    left = fits.watch_less(), len(fits.modules), fits.watch_less(), len(fits.modules)

    assert [40, 1, 5] == counts
    assert (True, 4, False, 0) == left


class Refusing(nn.Module):
    """A module that takes no hooks."""

    def register_forward_pre_hook(self, *args: object, **kwargs: object) -> object:  # type: ignore[override]
        """Refuse."""
        raise RuntimeError


def test_a_model_that_takes_no_hooks_is_trained_without(reports: Reports) -> None:
    """What other hooks there are by then is taken off."""
    net = nn.Sequential(nn.Identity(), Refusing())
    model = TorchModel(net)
    model.watch(reports)

    assert [] == model.modules
    assert 0 == hooks_on(net)


class Failing(Reports):
    """A program of ours that fails."""

    def begin(self, path: str, *, is_backward: bool) -> None:
        """Fail."""
        raise RuntimeError

    begin_backward = end = begin  # type: ignore[assignment]


def test_a_model_and_what_it_reports_to_fit_together() -> None:
    """Each has what the other calls."""
    clock = ManualClock()

    assert isinstance(TorchModel(nn.Identity()), WatchedModel)
    assert isinstance(ModuleSampling(500, clock, None), ModuleReports)
    assert isinstance(Reports(), ModuleReports)


def test_no_hook_of_ours_can_end_a_training() -> None:
    """Whatever happens in it."""
    assert 5 == len(list(trained(Net(), Failing())))
