"""What the trainers are told of the machine, where nobody says otherwise."""

from __future__ import annotations

import torch


def computes_in_bfloat16() -> bool:
    """Whether there is a GPU that computes in bfloat16."""
    return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)


def lightning_defaults() -> dict[str, object]:
    """Arguments of Lightning's trainer."""
    return {"precision": "bf16-mixed" if computes_in_bfloat16() else "32-true"}


def hugging_face_defaults() -> dict[str, object]:
    """Arguments of Hugging Face's trainer."""
    return {"bf16": computes_in_bfloat16(), "dataloader_pin_memory": torch.cuda.is_available()}
