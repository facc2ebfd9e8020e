"""The commands, their options, and what is said of bad ones."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from lightning_carbon import __version__
from lightning_carbon.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Iterator

FROZEN = Path(__file__).parents[2] / "data" / "cli_options.txt"


def surface() -> Iterator[str]:
    """Every command with every option and argument, one a line."""
    yield from _surface("lightning-carbon", get_command(app))


def _surface(name: str, command: Any) -> Iterator[str]:  # noqa: ANN401 - typer has a click of its own
    for subcommand in command.params:
        yield f"{name} {'|'.join(subcommand.opts)}"
    for below, subcommand in getattr(command, "commands", {}).items():
        yield from _surface(f"{name} {below}", subcommand)


def test_commands_and_options_are_those_on_the_list() -> None:
    """The public surface grows by an edited list."""
    listed = FROZEN.read_text().splitlines()

    assert listed == sorted(surface())


def test_the_version_is_told() -> None:
    """``--version`` prints name and version, and nothing else is needed."""
    result = CliRunner().invoke(app, ["--version"])

    assert (0, f"lightning-carbon {__version__}\n") == (result.exit_code, result.stdout)


def test_alone_it_shows_what_most_people_want() -> None:
    """Three commands, the callback, and where the rest is."""
    result = CliRunner().invoke(app, [])
    shown = [line.split()[1] for line in result.stdout.splitlines() if line.startswith("  ")]

    assert (0, ["doctor", "run", "runs"]) == (result.exit_code, shown)
    assert "CarbonCallback(region=" in result.stdout
    assert "--help" in result.stdout


def commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - typer has a click of its own
    """Every command that does something, by the words that call it."""
    below = getattr(command, "commands", {})
    for word, subcommand in below.items():
        yield from commands(f"{name} {word}".strip(), subcommand)
    if name and (not below or command.invoke_without_command):
        yield name, command


@pytest.mark.parametrize(("name", "command"), list(commands("", get_command(app))))
def test_the_help_of_a_command_has_an_example_that_it_takes(name: str, command: Any) -> None:  # noqa: ANN401 - as above
    """After "such as", with options that the command has."""
    [example] = re.findall(rf"[Ss]uch as: ({name}\b[^\n]*)", command.help)
    words = re.findall(r"(?<!\S)-[-\w]+", example.split(" -- ")[0])

    assert set(words) <= {word for parameter in command.params for word in parameter.opts}


def test_a_shell_can_complete_commands() -> None:
    """As bash asks for what may follow."""
    asked = {"_LIGHTNING_CARBON_COMPLETE": "complete_bash", "COMP_WORDS": "lightning-carbon do", "COMP_CWORD": "1"}
    result = CliRunner().invoke(app, [], env=asked, prog_name="lightning-carbon")

    assert "doctor" == result.stdout.strip()


def test_no_colours_are_shown_to_those_who_want_none() -> None:
    """``NO_COLOR`` wins over what forces colours; what is bold may stay."""
    forced = {"FORCE_COLOR": "1", "NO_COLOR": "1"}
    result = CliRunner().invoke(app, ["--help"], env=forced, color=True)

    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", result.stdout)


@pytest.mark.parametrize("words", [["run"], ["run", "--"], ["run", "--nonsense", "true"], ["nonsense"]])
def test_words_that_make_no_command_are_a_usage_error(words: list[str]) -> None:
    """Nothing to run, unknown options and unknown commands end with 2."""
    result = CliRunner().invoke(app, words)

    assert (2, "") == (result.exit_code, result.stdout)


@pytest.mark.linux
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--region", "Sweeden"], "--region Sweeden cannot be used: did you mean SE (Sweden)? "),
        (["--pue", "0.5"], "--pue 0.5 cannot be used: "),
        (["--intensity", "-3"], "--intensity -3 cannot be used: "),
        (["--intensity", "3", "--region", "SE"], "--intensity 3 cannot be used: the region 'SE' is given too"),
        (["--interval", "0"], "--interval 0.0 cannot be used: "),
        (["--devices", ","], "--devices , cannot be used: "),
        (["--project", "a/b"], "--project a/b cannot be used: "),
        (["--run-name", ""], "--run-name  cannot be used: "),
        (["--ledger", "/dev/null/ledger"], "--ledger /dev/null/ledger cannot be used: "),
        (["--json", "/dev/null/record.json"], "--json /dev/null/record.json cannot be used: "),
    ],
)
def test_a_bad_setting_is_one_line_that_names_the_option(words: list[str], said: str) -> None:
    """Nothing is started, and the line names option, value and fix."""
    result = CliRunner().invoke(app, ["run", *words, "--", "echo", "started"])

    assert (2, "", f"lightning-carbon: {said}", 1) == (
        result.exit_code,
        result.stdout,
        result.stderr[: len(said) + 18],
        result.stderr.count("\n"),
    )


@pytest.mark.parametrize(
    ("command", "variable", "value"),
    [
        ("run", "LIGHTNING_CARBON_REGION", "XX"),
        ("run", "LIGHTNING_CARBON_PUE", "much"),
        ("run", "LIGHTNING_CARBON_DEVICES", "0,,1"),
        pytest.param("run", "LIGHTNING_CARBON_LEDGER", "/dev/null/x", marks=pytest.mark.linux),
        ("doctor", "LIGHTNING_CARBON_REGION", "XX"),
        ("doctor", "LIGHTNING_CARBON_PUE", "0.3"),
        ("doctor", "LIGHTNING_CARBON_DEVICES", ","),
    ],
)
def test_a_bad_variable_is_named_as_what_it_is(command: str, variable: str, value: str) -> None:
    """Whoever gave no option is told of the variable, and nothing is started."""
    words = [command, "--", "echo", "started"] if command == "run" else [command]
    result = CliRunner(env={variable: value}).invoke(app, words)

    assert result.stderr.startswith(f"lightning-carbon: {variable}={value!r} cannot be used: ")
    assert (2, "") == (result.exit_code, result.stdout)
