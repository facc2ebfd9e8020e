"""The configurations of the examples: that every one is understood, and that the published sizes are the papers'."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import bert
import elmo
import gpt2
import language_models
import pytest
import torch
import transformer
from building import model_of, read_config, training_of
from command_line import parse_hugging_face, run_lightning
from corpus import DATASET_HELP
from jsonargparse import ArgumentParser, capture_parser

from lightning_carbon import CarbonCallback

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
EXAMPLES = ["bert", "elmo", "gpt2", "transformer"]

PUBLISHED_ROWS = {"transformer_base", "transformer_big", "elmo", "bert_base", "gpt2"}
"""What the study has a row for, of the models that are trained here."""

PARAMETERS = {
    "transformer_base": 65e6,  # Vaswani et al. (2017), Table 3
    "transformer_big": 213e6,  # likewise
    "elmo": 93.6e6,  # AllenNLP's list of models, "Original"; without the softmax
    "bert_base": 110e6,  # Devlin et al. (2019), section 3
    "gpt2": 124e6,  # the authors' repository, where the 117 million of the paper are corrected
    "gpt2_xl": 1542e6,  # Radford et al. (2019), Table 2
}
VOCABULARIES = {
    "transformer_base": 37_000,
    "transformer_big": 37_000,
    "elmo": 793_471,
    "bert_base": 30_522,
    "gpt2": 50_257,
    "gpt2_xl": 50_257,
}
SHAPES: dict[str, dict[str, object]] = {
    "transformer_base": {"width": 512, "heads": 8, "layers": 6, "hidden": 2048, "norm_first": False},
    "transformer_big": {"width": 1024, "heads": 16, "layers": 6, "hidden": 4096, "norm_first": False},
    "elmo": {"width": 512, "hidden": 4096, "layers": 2, "highways": 2, "letter_width": 16},
    "bert_base": {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12},
    "gpt2": {"n_embd": 768, "n_layer": 12, "n_head": 12, "n_positions": 1024},
    "gpt2_xl": {"n_embd": 1600, "n_layer": 48, "n_head": 25, "n_positions": 1024},
}


def parser_of(example: str) -> ArgumentParser:
    """The parser of an example's command line."""
    if example == "transformer":
        return capture_parser(
            lambda: run_lightning(transformer.Translator, transformer.Translations, transformer.LINKS)
        )
    if example == "elmo":
        return capture_parser(lambda: run_lightning(elmo.Elmo, elmo.Sentences, elmo.LINKS))
    if example == "bert":
        return capture_parser(lambda: language_models.run_hugging_face(bert.make))
    return capture_parser(lambda: language_models.run_hugging_face(gpt2.make))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_example_that_a_configuration_names_understands_it(path: Path) -> None:
    """Every word of it is known to the example, and ``--dataset`` reaches the data."""
    study = read_config(path)["study"]
    script, *words = study["command"]
    assert (path.parent / script).resolve().is_file()
    given = [word.format(config=path) for word in words]
    parsed = parser_of(Path(script).stem).parse_args([*given, "--dataset=somewhere"])
    mine = parsed["fit"] if "fit" in given else parsed

    assert mine["data"]["dataset"] == "somewhere"
    assert study.keys() <= {"name", "command", "published", "steps_per_epoch"}
    assert study.get("published", "gpt2") in PUBLISHED_ROWS


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_configuration_meters_itself(path: Path) -> None:
    """It brings the callback along; with Lightning, also what counts the tokens of its batches."""
    config = read_config(path)
    [carbon] = [
        callback
        for callback in [*config.get("trainer", {}).get("callbacks", []), config.get("carbon")]
        if callback and callback["class_path"].startswith("lightning_carbon.")
    ]
    script = Path(config["study"]["command"][0]).stem

    assert carbon["init_args"].get("count_batch") == (f"{script}.count_tokens" if "trainer" in config else None)


def test_every_published_row_is_answered_by_one_configuration() -> None:
    """Small configurations answer none, nor does a size that the study has no row for."""
    answered = {path.stem: read_config(path)["study"].get("published") for path in CONFIGS}

    assert sorted(row for row in answered.values() if row) == sorted(PUBLISHED_ROWS)
    assert {name for name, row in answered.items() if row is None} == {
        *(f"{example}_small" for example in EXAMPLES),
        "gpt2",
    }


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_explains_data_sets_in_the_same_words(example: str, capsys: pytest.CaptureFixture[str]) -> None:
    """``--help`` says what ``--dataset`` takes."""
    with pytest.raises(SystemExit):
        parser_of(example).parse_args([*(["fit"] if example in {"elmo", "transformer"} else []), "--help"])

    assert DATASET_HELP in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_published_size_has_the_parameters_of_its_paper(name: str) -> None:
    """Built from its configuration with the published vocabulary, it has as many within 3 %; ELMo's without softmax."""
    path = ROOT / "configs" / f"{name}.yaml"
    config = read_config(path)
    with torch.device("meta"):
        model = model_of(path)
    counted = sum(part.numel() for part in model.parameters())
    if isinstance(model, elmo.Elmo):
        counted -= sum(part.numel() for part in model.softmax.parameters())
        assert sum(part.numel() for part in model.softmax.parameters()) == 793_471 * (512 + 1)

    assert counted == pytest.approx(PARAMETERS[name], rel=0.03)
    assert config["data"]["vocabulary"] == VOCABULARIES[name]
    assert config["model"].items() >= SHAPES[name].items()


def test_models_and_data_are_built_without_the_command_lines_library() -> None:
    """Images for GPUs often lack jsonargparse: only a program that is started as an example needs it."""
    script = (
        "import sys; sys.modules['jsonargparse'] = None\n"
        "import bert, building, elmo, gpt2, transformer\n"
        f"building.training_of({str(ROOT / 'configs' / 'transformer_small.yaml')!r}, callbacks=[])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "examples")])},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )

    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU, on which it can be trained")
def test_a_published_size_where_it_cannot_be_trained_says_what_to_change(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a GPU, Hugging Face's Trainer refuses bfloat16: no traceback, but the way out."""
    with pytest.raises(SystemExit) as left:
        parse_hugging_face(bert.make, [f"--config={ROOT / 'configs' / 'bert_base.yaml'}"])

    assert left.value.code == 2
    assert "--training.bf16 false" in capsys.readouterr().err


def test_a_published_size_trains_with_fewer_tokens_than_its_vocabulary_has() -> None:
    """The embedded text has fewer byte pairs than the model: the rest never occurs, and the model is as large."""
    changes: dict[str, object] = {
        "data.batch_tokens": 300,
        "trainer.max_steps": 1,
        "trainer.accelerator": "cpu",
        "trainer.logger": False,
        "trainer.enable_checkpointing": False,
        "trainer.enable_progress_bar": False,
        "trainer.enable_model_summary": False,
        # A narrow one, for the sake of the tests' time.
        "model.width": 8,
        "model.hidden": 8,
        "model.heads": 1,
    }
    training: Any = training_of(ROOT / "configs" / "transformer_base.yaml", changes, callbacks=[])
    training.fit()
    data = training.trainer.datamodule

    assert data.tokenizer.get_vocab_size() < 37_000
    assert training.model.embedding.num_embeddings == 37_000
    assert training.trainer.global_step == 1


def test_a_configuration_can_be_trained_without_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``training_of`` takes the callbacks of the configuration, and changes by the names of the command line."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIGHTNING_CARBON_LEDGER", str(tmp_path / "ledger"))
    changes: dict[str, object] = {
        "trainer.max_steps": 3,
        "trainer.val_check_interval": None,
        "trainer.limit_val_batches": 0,
        "trainer.log_every_n_steps": 1,
        "trainer.enable_progress_bar": False,
        "trainer.enable_model_summary": False,
    }
    training = training_of(ROOT / "configs" / "elmo_small.yaml", changes)
    training.fit()
    [carbon] = [callback for callback in training.trainer.callbacks if isinstance(callback, CarbonCallback)]
    record = carbon.record
    assert record is not None

    assert (record.steps, record.samples, record.tokens) == (3, 3 * 32, 3 * 32 * 20)
