"""Commands that hold secrets, and those that only look so."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.measuring.secrets import without_secrets

WORD = "Tr0ub4dor&3"
HF = "hf_" + "aB3" * 11


@pytest.mark.parametrize(
    "command",
    [
        "train.py --hf_token {} --epochs 3",
        "train.py --hf-token={} --epochs 3",
        "train.py --hfToken {}",
        "train.py -token {}",
        "train.py --api-key {}",
        "train.py --wandb.api_key={}",
        "train.py --openaiApiKey={}",
        "train.py --wandb_key {}",
        "train.py --db_password {}",
        "train.py --PASSWD={}",
        "train.py --my-secret-thing {}",
        "train.py logger.api_key={}",
        "env WANDB_API_KEY={} python train.py",
        "env HF_TOKEN={} python train.py",
        "env AWS_SECRET_ACCESS_KEY={} python train.py",
        "docker run --env=HF_TOKEN={} image",
        'train.py --config \'{{"api_key": "{}", "lr": 1}}\'',
        "train.py --header 'Authorization: Bearer {}'",
        "python -c \"import os; os.environ['HF_TOKEN'] = '{}'\"",
        "train.py --data https://bucket/data?token={}&part=1",
        "train.py --database postgres://lisa:{}@host/db",
    ],
)
def test_what_is_given_to_a_telling_name_is_hidden(command: str) -> None:
    """However name and value are written; the rest of the command stays."""
    secret = WORD.replace("&", "") if "?" in command else WORD
    words = shlex.split(command.format(secret))
    told = without_secrets(words)

    assert [] == [word for word in told if secret in word]
    assert "***" in " ".join(told)
    assert len(words) == len(told)
    assert words[0] == told[0]


@pytest.mark.parametrize(
    "secret",
    [HF, "sk-" + "a1B2" * 8, "ghp_" + "x9" * 18, "AKIA" + "A1B2" * 4, "glpat-" + "x1" * 10, "xoxb-1234567890-abcdef"],
)
def test_a_secret_of_a_known_shape_is_hidden_wherever_it_is(secret: str) -> None:
    """Even where its name tells nothing."""
    told = without_secrets(["train.py", secret, "--model", secret, f"--login={secret}", f"{secret}@hub"])

    assert ["train.py", "***", "--model", "***", "--login=***", "***@hub"] == list(told)


@pytest.mark.parametrize(
    "command",
    [
        "train.py --max_tokens 512 --tokenizer bert-base --lr=1e-4",
        "train.py --pad_token '<pad>' --eos-token=</s>",
        "train.py --label_key target --keys a,b --author lisa",
        "train.py fit --config model.yaml trainer.max_epochs=3 a:b http://host:80/path",
        "sk-short hf_short -- --",
        "train.py -",
        "train.py --=x",
    ],
)
def test_what_is_no_secret_stays(command: str) -> None:
    """Tokens of a text, keys of a table and paths are as they were."""
    words = shlex.split(command)

    assert words == list(without_secrets(words))


def test_an_option_after_an_option_is_no_value() -> None:
    """A switch that has a telling name hides nothing after it."""
    assert ("--use-auth", "--epochs", "3") == without_secrets(["--use-auth", "--epochs", "3"])


def test_a_word_that_is_a_program_is_not_told() -> None:
    """Nobody reads it in a table, and what is in it is anybody's guess."""
    assert ("python", "-c", "***") == without_secrets(["python", "-c", "x = 1\n" * 1_000])


@given(st.lists(st.text()))
def test_any_words_are_told(words: list[str]) -> None:
    """As many as there were, and hiding twice hides no more."""
    told = without_secrets(words)

    assert len(words) == len(told)
    assert told == without_secrets(told)
