"""What kind of tracker a thing is."""

from __future__ import annotations

from lightning_carbon.integrations.trackers.kinds import is_called


def test_a_class_is_known_by_its_name_wherever_it_is_from() -> None:
    """There are two copies of Lightning's loggers, and people derive from them."""
    made = type("TensorBoardLogger", (), {})

    assert is_called(type("Mine", (made,), {})(), "TensorBoardLogger")
    assert not is_called(object(), "TensorBoardLogger")
