"""Install a wheel into fresh environments, as users do, and try it there.

    python tools/try_wheel.py dist/lightning_carbon-0.1.0-py3-none-any.whl                    # this interpreter
    python tools/try_wheel.py WHEEL --python python3.11 --python python3.14                   # others
    python tools/try_wheel.py WHEEL --with torch==2.13.0 --with pytorch-lightning==2.2.0      # with a framework
    python tools/try_wheel.py WHEEL --with torch==2.13.0 --with 'transformers[torch]'

In each environment the command line answers, a loop is metered, and its run is found in the ledger. Where Lightning or
transformers are among the packages, a training of a moment is metered through the callback. Needs a registry of
packages; this file alone, and nothing else of the repository.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

METER = """\
import sys
from lightning_carbon import Meter
with Meter(region="SE", project="tried") as meter:
    for _ in range(20):
        sum(range(200_000))
        meter.step_done(samples=1)
record = meter.record
assert record.steps == 20, record.steps
assert record.energy.total_joules is None or record.energy.total_joules >= 0
print("steps", record.steps, "python", sys.version.split()[0])
"""
LIGHTNING = """\
import pytorch_lightning as pl, torch
from lightning_carbon import CarbonCallback
class Tiny(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(8, 1)
    def training_step(self, batch, index):
        return self.layer(batch[0]).square().mean()
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.01)
data = torch.utils.data.TensorDataset(torch.randn(64, 8))
carbon = CarbonCallback(region="SE", project="tried")
pl.Trainer(max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
           callbacks=[carbon]).fit(Tiny(), torch.utils.data.DataLoader(data, batch_size=8))
assert carbon.record.steps == 16, carbon.record.steps
print("pytorch-lightning", pl.__version__, "torch", torch.__version__)
"""
TRANSFORMERS = """\
import torch, transformers
from lightning_carbon import CarbonTrainerCallback
config = transformers.BertConfig(vocab_size=64, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
                                 intermediate_size=16, max_position_embeddings=16)
rows = [{"input_ids": torch.randint(64, (8,)), "labels": torch.tensor(0)} for _ in range(32)]
carbon = CarbonTrainerCallback(region="SE", project="tried")
args = transformers.TrainingArguments("out", per_device_train_batch_size=8, max_steps=4, report_to="none", use_cpu=True,
                                      save_strategy="no", disable_tqdm=True)
transformers.Trainer(transformers.BertForSequenceClassification(config), args, train_dataset=rows,
                     callbacks=[carbon]).train()
assert carbon.record.steps == 4, carbon.record.steps
print("transformers", transformers.__version__, "torch", torch.__version__)
"""


def tried(words: list[str], folder: Path) -> str:
    """What a program says, or its error, with which everything ends.

    Args:
        words: The program and its arguments.
        folder: Where it runs, and where its ledger is.
    """
    outer = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
    environment = {**outer, "LIGHTNING_CARBON_LEDGER": str(folder / "ledger"), "HF_HUB_OFFLINE": "1", "NO_COLOR": "1"}
    done = subprocess.run(words, cwd=folder, capture_output=True, check=False, env=environment, text=True)  # noqa: S603 - words of this file
    if done.returncode:
        sys.exit(f"{' '.join(words)[:200]} ended with {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout


def try_on(interpreter: str, wheel: Path, packages: list[str]) -> None:
    """Try the wheel in an environment of its own.

    Args:
        interpreter: The Python of the environment.
        wheel: What is tried.
        packages: In pip's words; the first goes first, so that torch's pin decides which build the others have.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        tried([interpreter, "-m", "venv", "env"], folder)
        programs = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
        python, command = str(programs / "python"), str(programs / "lightning-carbon")
        for number in range(len(packages)):
            tried([python, "-m", "pip", "install", "--quiet", *packages[: number + 1]], folder)
        tried([python, "-m", "pip", "install", "--quiet", str(wheel), *packages], folder)
        said = [tried([command, "--version"], folder), tried([python, "-c", METER], folder)]
        trainers = {"pytorch-lightning": LIGHTNING, "transformers": TRANSFORMERS}
        said += [
            tried([python, "-c", script], folder)
            for name, script in trainers.items()
            if any(package.startswith(name) for package in packages)
        ]
        tried([command, "doctor"], folder)
        found = tried([command, "runs", "--json"], folder).count('"run_id"')
        if found != len(said) - 1:
            sys.exit(f"{found} runs in the ledger, not {len(said) - 1}")
        print(", ".join(text.strip().splitlines()[-1] for text in said), f"ledger {found}", sep=", ")


def main() -> None:
    """Try it on every interpreter that is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--python", action="append", help="an interpreter; may be given more than once")
    parser.add_argument("--with", action="append", default=[], dest="packages", help="a package, such as torch==2.13.0")
    words = parser.parse_args()
    for interpreter in words.python or [sys.executable]:
        try_on(interpreter, words.wheel.absolute(), words.packages)


if __name__ == "__main__":
    main()
