"""The installed package, in programs that do not know of it: entry points, and what they cost who did not ask."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.lightning.support import PACKAGES

ROOT = Path(__file__).parents[2]

# Nothing in it imports lightning_carbon until the trainer has asked for it.
LIGHTNING = """
import json, os, sys, warnings
from importlib import import_module
from pathlib import Path

warnings.simplefilter("ignore")
import torch
from torch.utils.data import DataLoader

package, folder = sys.argv[1:]
pl = import_module(package)
said = {}

class Tiny(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)
    def training_step(self, batch, _):
        return self.layer(batch).mean()
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.01)

def make(callbacks=None):
    quiet = dict.fromkeys(("enable_checkpointing", "enable_model_summary", "enable_progress_bar", "logger"), False)
    return pl.Trainer(accelerator="cpu", max_epochs=1, callbacks=callbacks, default_root_dir=folder, **quiet)

def ours(trainer):
    return [type(one).__name__ for one in trainer.callbacks if "Carbon" in type(one).__name__]

def fit(trainer):
    trainer.fit(Tiny(), DataLoader(torch.ones(12, 4), batch_size=4))
    return ours(trainer)

for value in (None, "", "0"):
    if value is not None:
        os.environ["LIGHTNING_CARBON"] = value
    said[f"off {value!r}"] = ours(make())
said["loaded"] = sorted(name for name in sys.modules if name.split(".")[0] == "lightning_carbon")

os.environ["LIGHTNING_CARBON"] = "1"
said["on"] = fit(make())
os.environ["LIGHTNING_CARBON_PUE"] = "much"
try:
    make()
except ValueError as error:
    said["wrong"] = str(error)
del os.environ["LIGHTNING_CARBON_PUE"]

import lightning_carbon
said["home"] = lightning_carbon.__file__
said["by hand"] = fit(make(lightning_carbon.CarbonCallback(project="by hand")))
lightning_carbon.autolog(project="autolog")
said["autolog"] = fit(make())
lightning_carbon.autolog(disable=True)
said["disabled"] = ours(make())
print(json.dumps(said))
"""

HUGGING_FACE = """
import json, sys, warnings

warnings.simplefilter("ignore")
import lightning_carbon

lightning_carbon.autolog(project="autolog")
said = {"loaded": sorted({"torch", "transformers", "lightning", "pytorch_lightning"} & set(sys.modules))}

from transformers import TrainingArguments
from tests.prepared.huggingface import dataset, model
from transformers import Trainer

quiet = {"use_cpu": True, "disable_tqdm": True, "save_strategy": "no", "max_steps": 2}
trainer = Trainer(model, TrainingArguments(sys.argv[1], report_to=[], **quiet), train_dataset=dataset)
trainer.train()
said["loader"] = type(sys.modules["transformers.trainer"].__spec__.loader).__name__
said["joules"] = trainer.state.log_history[-1]["train_energy_joules"]
TrainingArguments(sys.argv[1], report_to="lightning_carbon", **quiet)
print(json.dumps(said))
"""


def run(script: str, installed: Path, folder: Path, *words: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Run a program that finds the installed package first.

    Returns:
        What it said, and the records that it left in the ledger, oldest first.
    """
    (folder / "program.py").write_text(script, encoding="utf-8")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("LIGHTNING_CARBON")},
        "LIGHTNING_CARBON_LEDGER": str(folder / "ledger"),
        "LIGHTNING_CARBON_PROJECT": "environment",
        "LIGHTNING_CARBON_REGION": "FR",
        "PYTHONPATH": f"{installed}{os.pathsep}{ROOT}",
    }
    done = subprocess.run(
        [sys.executable, str(folder / "program.py"), *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    files = sorted((folder / "ledger").rglob("record.json"), key=lambda file: file.stat().st_mtime_ns)
    return json.loads(done.stdout.splitlines()[-1]), [json.loads(file.read_text(encoding="utf-8")) for file in files]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_variable_meters_every_lightning_trainer(package: str, installed: Path, tmp_path: Path) -> None:
    """Without it an installed package adds nothing and loads one small module; with it, no line has to change."""
    said, records = run(LIGHTNING, installed, tmp_path, package, str(tmp_path))
    autolog = "lightning_carbon.integrations.autolog"
    tiny = ["lightning_carbon", "lightning_carbon.integrations", autolog, f"{autolog}.entry"]

    assert ([], [], []) == (said["off None"], said["off ''"], said["off '0'"])
    assert tiny == said["loaded"]
    assert str(installed / "lightning_carbon" / "__init__.py") == said["home"]
    fix = "give site energy over IT energy, 1.0 or more, such as 1.2."
    assert f"LIGHTNING_CARBON_PUE='much' cannot be used: {fix}" == said["wrong"]
    assert [["CarbonCallback"]] * 3 == [said[name] for name in ("on", "by hand", "autolog")]
    assert [] == said["disabled"]
    assert [(name, "FRA", 3, "completed") for name in ("environment", "by hand", "autolog")] == [
        (record["project"], record["carbon"]["intensity"]["region"], record["steps"], record["status"])
        for record in records
    ]


def test_autolog_waits_for_transformers(installed: Path, tmp_path: Path) -> None:
    """Said before any framework is imported, it imports none, and the Trainer that comes later meters itself."""
    said, [record] = run(HUGGING_FACE, installed, tmp_path, str(tmp_path / "out"))

    assert [] == said["loaded"]
    assert "SourceFileLoader" == said["loader"]
    assert ("autolog", 2, "completed") == (record["project"], record["steps"], record["status"])
    assert record["energy"]["total_joules"] == pytest.approx(said["joules"])
