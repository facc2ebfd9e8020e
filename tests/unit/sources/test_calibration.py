"""The calibration of this machine, as it is found at the start of a run."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from lightning_carbon.grid.machines import DESKTOP, MACHINES
from lightning_carbon.records.fields import plain
from lightning_carbon.sources.calibration import calibration_file, calibration_of

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_calibration_is_found_in_the_folder_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is none, nobody asks which folder it would be in; a file in the user's folder is read."""
    for name in ("XDG_DATA_HOME", "ANDROID_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/machine-id").write_text("0123456789abcdef", encoding="utf-8")
    model = replace(MACHINES[DESKTOP], machine="this one", assumed=False)

    assert calibration_of(tmp_path, {}) is None

    path = calibration_file(tmp_path, {})
    assert path is not None
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(plain(model)), encoding="utf-8")

    assert model == calibration_of(tmp_path, {})
