"""The modules of a run as a flame graph: a tree of energies, as SVG for pages and as JSON for speedscope. Pure.

Below the steps stand forward, backward, the optimizer and the rest, below these the model and the modules in it. Names
of modules are a program's own: the SVG has them as escaped text alone, and the JSON as strings.
"""

from __future__ import annotations

from dataclasses import field
from html import escape
from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.energy.module_passes import ModulePass
from lightning_carbon.records.module_words import module_name
from lightning_carbon.records.numbers import ENERGY, amount, percent, printable, shorten
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lightning_carbon.records.module_table import ModulesRecord
    from lightning_carbon.records.run import RunRecord

SCHEMA: Final = "https://www.speedscope.app/file-format-schema.json"
"""The format of speedscope (MIT, Jamie Wong); figures without a unit of its own are ``none``, here joules."""
WIDTH: Final = 960
"""The width of the picture, in pixels of its own."""
MOST_LEVELS: Final = 12
"""The most levels that are drawn; what is deeper is in the module above it."""
_HEIGHT: Final = 22
_LETTER: Final = 7.2
_THINNEST: Final = 0.6
_COLOURS: Final = {
    ModulePass.FORWARD: "#56b4e9",
    ModulePass.BACKWARD: "#e69f00",
    ModulePass.OPTIMIZER: "#009e73",
    ModulePass.REST: "#bbbbbb",
}
"""Colours that people who see few colours can distinguish (Okabe and Ito, 2008)."""


@dataclass(slots=True)
class Flame:
    """A node of the tree.

    Args:
        name: What it is.
        colour: Its colour.
        own: Its energy without that of its children, in joules.
        children: The nodes in it, by name.
    """

    name: str
    colour: str = "#dddddd"
    own: float = 0.0
    children: dict[str, Flame] = field(default_factory=dict)

    @property
    def joules(self) -> float:
        """The energy of the node, with all in it."""
        return self.own + sum(child.joules for child in self.children.values())

    @property
    def levels(self) -> int:
        """How many levels the tree has from here on."""
        return 1 + max((child.levels for child in self.children.values()), default=0)

    def within(self, name: str, colour: str) -> Flame:
        """The child of a name."""
        return self.children.setdefault(name, Flame(name, colour))


def flame_of(modules: ModulesRecord) -> Flame:
    """The tree of the modules of a run."""
    root = Flame("steps")
    for row in modules.rows:
        kind = ModulePass(row.direction)
        colour = _COLOURS[kind]
        if kind in {ModulePass.OPTIMIZER, ModulePass.REST}:
            root.within(module_name(row, modules.model), colour).own += row.joules
            continue
        node = root.within(kind.value, colour).within(printable(modules.model), colour)
        for name in row.path.split(".", MOST_LEVELS) if row.path else ():
            node = node.within(printable(name), colour)
        node.own += row.joules
    return root


def flame_svg(record: RunRecord) -> str | None:
    """The flame graph of a run as SVG; ``None`` where nothing is known of its modules."""
    if record.modules is None or not record.step_joules:
        return None
    root = flame_of(record.modules)
    height = _HEIGHT * root.levels
    boxes = "".join(_boxes(root, 0.0, WIDTH / root.joules, level=0)) if root.joules else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'font-family="sans-serif" font-size="12"><title>{escape(flame_words(record))}</title>{boxes}</svg>'
    )


def flame_words(record: RunRecord) -> str:
    """What the flame graph of a run shows, for people who do not see it."""
    modules, whole = record.modules, record.step_joules
    if modules is None or not whole:
        return ""
    most = ", ".join(
        f"{module_name(row, modules.model)} {row.direction} {percent(min(1.0, row.joules / whole))}"
        for row in modules.rows[:4]
    )
    return f"The energy of the steps, {amount(whole, ENERGY)}, by module and direction. The most: {most}."


def speedscope(record: RunRecord, exporter: str) -> dict[str, Any] | None:
    """The flame graph of a run for https://www.speedscope.app; ``None`` where nothing is known of its modules.

    Args:
        record: The run.
        exporter: Who writes it.
    """
    if record.modules is None:
        return None
    frames: list[dict[str, str]] = []
    samples: list[list[int]] = []
    weights: list[float] = []
    for stack, joules in _stacks(flame_of(record.modules), ()):
        places = []
        for name in stack:
            frame = {"name": name}
            if frame not in frames:
                frames.append(frame)
            places.append(frames.index(frame))
        samples.append(places)
        weights.append(joules)
    profile = {
        "type": "sampled",
        "name": "energy of the steps in joules",
        "unit": "none",
        "startValue": 0,
        "endValue": sum(weights),
        "samples": samples,
        "weights": weights,
    }
    name = printable(record.run_name or record.run_id)
    return {"$schema": SCHEMA, "exporter": exporter, "name": name, "shared": {"frames": frames}, "profiles": [profile]}


def _stacks(node: Flame, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], float]]:
    stack = (*above, node.name)
    if node.own:
        yield stack, node.own
    for child in node.children.values():
        yield from _stacks(child, stack)


def _boxes(node: Flame, left: float, scale: float, *, level: int) -> Iterator[str]:
    width = node.joules * scale
    if width < _THINNEST:
        return
    top = level * _HEIGHT
    letters = int((width - 6) / _LETTER)
    label = escape(shorten(node.name, letters)) if letters > 2 else ""  # noqa: PLR2004 - fewer say nothing
    text = f'<text x="{left + 4:.2f}" y="{top + 15}">{label}</text>' if label else ""
    yield (
        f"<g><title>{escape(node.name)}: {escape(amount(node.joules, ENERGY))}, "
        f"{escape(percent(min(1.0, width / WIDTH)))}</title>"
        f'<rect x="{left:.2f}" y="{top}" width="{width:.2f}" height="{_HEIGHT - 1}" fill="{node.colour}" '
        f'stroke="#ffffff" stroke-width="0.5"/>{text}</g>'
    )
    for child in sorted(node.children.values(), key=lambda child: -child.joules):
        yield from _boxes(child, left, scale, level=level + 1)
        left += child.joules * scale
