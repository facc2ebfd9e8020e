"""Hold what the callback counts of TRL's trainers against what this script has counted itself.

``.venv/bin/python tools/try_trl.py`` makes a throw-away environment with torch and the newest TRL, and trains tiny
models in it, made of configurations: no hub is asked.
``python tools/try_trl.py 1.16.0`` takes that version of TRL. Needs a package index.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
_TORCH: Final = "torch==2.13.0"
_INSIDE: Final = "--inside"
_WORDS: Final = ["sun", "moon", "star", "sea", "hill", "tree", "rain", "snow"]


@dataclass
class Truth:
    """What a training has seen, by the script's own count."""

    samples: int = 0
    tokens: int = 0
    steps: int = 0
    phases: set[str] = field(default_factory=lambda: {"train"})


def sentence(number: int, least: int = 3) -> str:
    """A sentence of its own length, a token a word."""
    return " ".join(_WORDS[(number + place) % len(_WORDS)] for place in range(least + number % 5))


def tokenizer_of_words() -> Any:  # noqa: ANN401 - TRL and transformers are not here when this is checked
    """A tokenizer that knows a few words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {word: number for number, word in enumerate(["<pad>", "<eos>", "<unk>", *_WORDS])}
    made = Tokenizer(models.WordLevel(words, unk_token="<unk>"))  # noqa: S106 - no password
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>")  # noqa: S106


def tiny_model() -> Any:  # noqa: ANN401 - see above
    """A language model of a few thousand weights."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=16,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=256,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=1,
    )
    return LlamaForCausalLM(config)


def usual(folder: Path, **settings: object) -> dict[str, Any]:
    """Settings of every trainer."""
    fixed = {
        "output_dir": str(folder),
        "report_to": [],
        "use_cpu": True,
        "bf16": False,
        "save_strategy": "no",
        "logging_steps": 1,
        "disable_tqdm": True,
    }
    return {**fixed, **settings}


def sft(folder: Path, **settings: object) -> tuple[Any, Truth]:
    """Fine-tuning on sentences of several lengths."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    tokenizer, count = tokenizer_of_words(), 16
    texts = [sentence(number) for number in range(count)]
    truth = Truth(samples=count, tokens=sum(len(text.split()) + 1 for text in texts))  # with the end of the sentence
    args = SFTConfig(
        **usual(folder, num_train_epochs=1, per_device_train_batch_size=2, gradient_accumulation_steps=2),
        **{"max_length": 32, **settings},
    )
    trainer = SFTTrainer(
        tiny_model(), args=args, train_dataset=Dataset.from_dict({"text": texts}), processing_class=tokenizer
    )
    return trainer, truth


def dpo(folder: Path, **settings: object) -> tuple[Any, Truth]:
    """Pairs of preferences: a sample is a pair, with the tokens of both sides."""
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    tokenizer, count = tokenizer_of_words(), 8
    rows = {
        "prompt": [sentence(number) for number in range(count)],
        "chosen": [" " + sentence(number, 2) for number in range(count)],
        "rejected": [" " + sentence(number + 1, 2) for number in range(count)],
    }
    tokens = sum(
        2 * len(prompt.split()) + len(chosen.split()) + len(rejected.split()) + 2
        for prompt, chosen, rejected in zip(*rows.values(), strict=True)
    )
    args = DPOConfig(
        **usual(folder, num_train_epochs=1, per_device_train_batch_size=2, gradient_accumulation_steps=2), **settings
    )
    trainer = DPOTrainer(
        tiny_model(), tiny_model(), args=args, train_dataset=Dataset.from_dict(rows), processing_class=tokenizer
    )
    return trainer, Truth(samples=count, tokens=tokens)


def online(folder: Path, names: tuple[str, str], **settings: object) -> tuple[Any, Truth]:
    """Completions that are generated and rewarded: a sample is a completion that is learnt from."""
    import trl
    from datasets import Dataset

    tokenizer = tokenizer_of_words()
    prompts = [sentence(number) for number in range(8)]
    truth = Truth(phases={"train", "rollout"})
    steps, batch, accumulated = 4, 4, 2

    def reward(prompts: list[str], completion_ids: list[list[int]], **_: object) -> list[float]:
        truth.tokens += sum(len(prompt.split()) for prompt in prompts) + sum(map(len, completion_ids))
        return [float(len(ids)) for ids in completion_ids]

    config, trainer_class = (getattr(trl, name) for name in names)
    args = config(
        **usual(folder, max_steps=steps, per_device_train_batch_size=batch, gradient_accumulation_steps=accumulated),
        num_generations=2,
        max_completion_length=6,
        beta=0.0,  # no model to stay near to
        **settings,
    )
    trainer = trainer_class(
        tiny_model(),
        reward_funcs=reward,
        args=args,
        train_dataset=Dataset.from_dict({"prompt": prompts}),
        processing_class=tokenizer,
    )
    truth.samples = steps * batch * accumulated
    return trainer, truth


def online_dpo(folder: Path) -> tuple[Any, Truth]:
    """Pairs of completions that are generated and judged: a sample is a prompt, and TRL counts no tokens."""
    from datasets import Dataset
    from trl.experimental.online_dpo import OnlineDPOConfig, OnlineDPOTrainer

    args = OnlineDPOConfig(
        **usual(folder, max_steps=4, per_device_train_batch_size=2, gradient_accumulation_steps=2),
        max_new_tokens=6,
        max_length=32,
    )
    trainer = OnlineDPOTrainer(
        tiny_model(),
        tiny_model(),
        reward_funcs=lambda completions, **_: [float(len(text)) for text in completions],
        args=args,
        train_dataset=Dataset.from_dict({"prompt": [sentence(number) for number in range(16)]}),
        processing_class=tokenizer_of_words(),
    )
    return trainer, Truth(samples=16, phases={"train", "rollout"})


CASES: Final[dict[str, Callable[[Path], tuple[Any, Truth]]]] = {
    "SFT, padded": sft,
    "SFT, padding-free": lambda folder: sft(folder, padding_free=True, max_length=None),
    "SFT, packed": lambda folder: sft(folder, packing=True),
    "DPO": dpo,
    "GRPO": lambda folder: online(folder, ("GRPOConfig", "GRPOTrainer")),
    "GRPO, two passes": lambda folder: online(
        folder, ("GRPOConfig", "GRPOTrainer"), num_iterations=2, steps_per_generation=4
    ),
    "RLOO": lambda folder: online(folder, ("RLOOConfig", "RLOOTrainer")),
    "OnlineDPO": online_dpo,
}


def try_case(name: str, folder: Path) -> bool:
    """Train, and hold the record against the truth.

    Returns:
        Whether they are the same.
    """
    from lightning_carbon import CarbonTrainerCallback
    from lightning_carbon.sources.simulated import SimulatedCounter

    trainer, truth = CASES[name](folder / "out")
    callback = CarbonTrainerCallback(
        region="SE", ledger=folder / "ledger", sources=[SimulatedCounter()], detail="step"
    ).attach(trainer)
    trainer.train()
    record = callback.record
    assert record is not None  # noqa: S101 - it was attached
    truth.steps = trainer.state.global_step
    phases = {phase for phase in ("train", "rollout") if record.energy.phases.get(phase, 0.0) > 0.0}
    told = Truth(record.samples or 0, record.tokens or 0, record.steps, phases)
    logged = next((log["num_tokens"] for log in reversed(trainer.state.log_history) if "num_tokens" in log), None)
    print(f"{name}: {'right' if told == truth else 'WRONG'}: {told}, truth {truth}, TRL logs {logged} tokens")
    return told == truth


def try_inside() -> int:
    """Try every case, in the environment that has TRL."""
    print(", ".join(f"{package} {version(package)}" for package in ("torch", "transformers", "trl")))
    wrong = []
    for name in CASES:
        print(f"-- {name}", flush=True)
        with tempfile.TemporaryDirectory(prefix="trl-") as folder:
            if not try_case(name, Path(folder)):
                wrong.append(name)
    print(f"wrong: {', '.join(wrong)}" if wrong else "all as counted")
    return len(wrong)


def main() -> int:
    """Make the environment, and try TRL there.

    Returns:
        Zero if all that is counted is right.
    """
    if _INSIDE in sys.argv:
        return try_inside()
    trl = f"trl=={sys.argv[1]}" if len(sys.argv) > 1 else "trl"
    with tempfile.TemporaryDirectory(prefix="trl-") as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        install: list[str] = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        for packages in ([_TORCH], [trl, "nvidia-ml-py", "psutil", "platformdirs"]):
            subprocess.run([*install, *packages], check=True)  # noqa: S603 - fixed words
        offline = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
        return subprocess.run([python, __file__, _INSIDE], env=offline, check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
