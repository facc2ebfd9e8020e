"""Reads back what TensorBoard's files have beside scalars."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar.metadata import CONFIG_SUMMARY_TAG


@dataclass(frozen=True)
class Show:
    """What was shown at the ends of runs in one folder of logs.

    Args:
        texts: Steps and texts, by name.
        images: Steps, widths and heights of images, by name.
        charts: The titles of the charts in the last layout.
        layouts: How many layouts were written.
    """

    texts: dict[str, list[tuple[int, str]]]
    images: dict[str, list[tuple[int, int, int]]]
    charts: list[str]
    layouts: int

    @classmethod
    def of(cls, folder: Path | str) -> Show:
        """Read a folder; what is told of a training's own settings is left out."""
        events: Any = EventAccumulator(str(folder), size_guidance={"images": 0, "tensors": 0}).Reload()
        texts = {}
        layouts = []
        for tag in events.Tags()["tensors"]:
            values = [(event.step, event.tensor_proto.string_val[0]) for event in events.Tensors(tag)]
            if tag == CONFIG_SUMMARY_TAG:
                layouts = [layout_pb2.Layout.FromString(content) for _, content in values]
            elif not tag.startswith(("args/", "model_config/")):
                texts[tag.removesuffix("/text_summary")] = [(step, text.decode()) for step, text in values]
        return cls(
            texts,
            {
                tag: [(event.step, event.width, event.height) for event in events.Images(tag)]
                for tag in events.Tags()["images"]
            },
            [chart.title for category in layouts[-1].category for chart in category.chart] if layouts else [],
            len(layouts),
        )
