"""The subject of a measurement: the ``study:`` block of a training's own YAML, or a command.

::

    study:
      name: Transformer (small)
      command: [../examples/transformer.py, fit, --config, "{config}"]
      published: transformer_base   # the study's row that it answers, if it answers one
      steps_per_epoch: 562          # for --epochs, where the trainer does not tell or something else is meant

``command`` lists the arguments for the Python interpreter. Its first word is relative to the folder of the file, unless
it is an option such as ``-m``; ``{config}`` stands for the file itself.
"""

from __future__ import annotations

import math
import shutil
import sys
from pathlib import Path
from typing import Any, Final

from lightning_carbon.errors import ConfigError
from lightning_carbon.values import dataclass

_KEYS: Final = ("name", "command", "published", "steps_per_epoch")
_CONFIG: Final = "{config}"
_SUFFIXES: Final = {".yaml", ".yml", ".json"}


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be measured.

    Args:
        name: The name of the model.
        command: The program and its arguments, ready to be started.
        published: The id of the matching row of the study, or ``None``.
        steps_per_epoch: The number of steps of an epoch, where it is given.
    """

    name: str
    command: tuple[str, ...]
    published: str | None = None
    steps_per_epoch: float | None = None


def looks_like_config(word: str) -> bool:
    """Whether a word names a configuration rather than a program."""
    return Path(word).suffix.lower() in _SUFFIXES


def subject_of(config: Path | None, command: tuple[str, ...] = ()) -> Subject:
    """Read the subject of a measurement.

    Args:
        config: The training's YAML; ``None`` where the command is enough.
        command: A program and its arguments, instead of those in the file; ``{config}`` stands for the file.

    Raises:
        ConfigError: The file does not exist, does not parse or has no usable ``study:`` block; or there is no such
            program.
    """
    if config is None:
        if not command:
            raise ConfigError("config", "", "give the YAML of a training, or a command after --.")
        return Subject(Path(_script(command)).stem, _found(command))
    block = _block(config, needs_command=not command)
    words = tuple(word.replace(_CONFIG, str(config)) for word in command) or _words(config, block)
    return Subject(
        name=_text(config, block, "name") or config.stem,
        command=_found(words),
        published=_text(config, block, "published"),
        steps_per_epoch=_number(config, block, "steps_per_epoch"),
    )


def _parsed(config: Path) -> object:
    try:
        import yaml
    except ImportError:
        raise ConfigError("config", str(config), "reading it takes PyYAML: pip install pyyaml.") from None
    try:
        return yaml.safe_load(config.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError("config", str(config), "there is no such file; check the spelling and the folder.") from None
    except IsADirectoryError:
        raise ConfigError("config", str(config), "it is a folder; give the YAML of a training.") from None
    except OSError as error:
        raise ConfigError("config", str(config), f"it cannot be read: {error.strerror}.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        said = " ".join(str(error).split())
        raise ConfigError("config", str(config), f"it is no YAML: {said}.") from None


def _block(config: Path, *, needs_command: bool) -> dict[str, Any]:
    fix = "add a block with the words for the Python interpreter: `study: {command: [train.py, --config, '{config}']}`"
    whole = _parsed(config)
    block = whole.get("study") if isinstance(whole, dict) else None
    if block is None and not needs_command:
        return {}
    if block is None:
        raise ConfigError("config", str(config), f"it has no `study:` block; {fix}, or give the command after --.")
    if not isinstance(block, dict):
        raise ConfigError("config", str(config), f"its `study:` is no mapping; {fix}.")
    unknown = [str(key) for key in block if key not in _KEYS]
    if unknown:
        raise ConfigError(
            "config", str(config), f"its `study:` has {', '.join(unknown)}, and only {', '.join(_KEYS)} are known."
        )
    if needs_command and "command" not in block:
        raise ConfigError("config", str(config), f"its `study:` has no command; {fix}, or give the command after --.")
    return block


def _words(config: Path, block: dict[str, Any]) -> tuple[str, ...]:
    words = block["command"]
    if not isinstance(words, list) or not words or not all(isinstance(word, str | int | float) for word in words):
        fix = "its `study: command` is no list of words, such as [train.py, --config, '{config}']."
        raise ConfigError("config", str(config), fix)
    first, *rest = (str(word) for word in words)
    if not first.startswith("-"):
        script = config.parent / first
        if not script.is_file():
            raise ConfigError("config", str(config), f"its `study: command` names {script}, which is not there.")
        first = str(script)
    return (sys.executable, first, *(word.replace(_CONFIG, str(config)) for word in rest))


def _text(config: Path, block: dict[str, Any], key: str) -> str | None:
    value = block.get(key)
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise ConfigError("config", str(config), f"its `study: {key}` is {value!r}, and has to be a text.")
    return value


def _number(config: Path, block: dict[str, Any], key: str) -> float | None:
    value = block.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        raise ConfigError("config", str(config), f"its `study: {key}` is {value!r}, and has to be a number above 0.")
    return float(value)


def _found(words: tuple[str, ...]) -> tuple[str, ...]:
    path = shutil.which(words[0])
    if path is None and Path(words[0]).suffix == ".py" and Path(words[0]).is_file():
        return (sys.executable, *words)
    if path is None:
        raise ConfigError(
            "command", words[0], "there is no such program that can be executed; check the spelling and PATH."
        )
    return (path, *words[1:])


def _script(command: tuple[str, ...]) -> str:
    """The name of a program: its script, where an interpreter runs one."""
    return next((word for word in command[1:] if Path(word).suffix == ".py"), command[0])
