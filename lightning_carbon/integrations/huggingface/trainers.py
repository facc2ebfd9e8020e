"""Facts about a Trainer of Hugging Face: the devices it computes on, and its writer for TensorBoard.

Knows the Trainer's arguments, but none of its classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

_NO_ACCELERATORS: Final = {"cpu", "disk", "meta"}


@contextmanager
def writer_of(callback: Any, args: Any) -> Iterator[Any]:  # noqa: ANN401 - a TensorBoardCallback, TrainingArguments
    """The writer of the Trainer's callback for TensorBoard; where that is closed already, another for a moment.

    ``None`` where the callback has never written anything.
    """
    if callback.tb_writer is not None:
        yield callback.tb_writer
        return
    make = getattr(callback, "_SummaryWriter", None)
    # Up to transformers 4, the arguments name the folder.
    folder = getattr(callback, "logging_dir", None) or vars(args).get("logging_dir")
    if make is None or folder is None:
        yield None
        return
    writer = make(log_dir=folder)
    try:
        yield writer
    finally:
        writer.close()


def accelerators(args: Any, model: object) -> list[Any]:  # noqa: ANN401 - TrainingArguments
    """The devices that a process of the Trainer computes on.

    Usually a single device; all devices of the model where ``device_map`` has spread it; all visible devices where the
    Trainer finds several and wraps the model in ``DataParallel``.
    """
    spread: Mapping[str, Any] | None = getattr(model, "hf_device_map", None)
    if spread:
        return [device for device in dict.fromkeys(spread.values()) if str(device) not in _NO_ACCELERATORS]
    if args.n_gpu > 1:
        return list(range(args.n_gpu))
    return [args.device]
