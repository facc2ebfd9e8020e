"""The energy and carbon of a model in its card: the Hub's metadata, and a section that people read.

The metadata are those of the Hub's guide to carbon emissions in model cards (2025): ``co2_eq_emissions`` with emissions
in grams, source, training type, place and hardware. The section stands between two comments and is replaced as a whole,
so that writing it twice changes nothing. Everything else in the card stays as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.errors import ConfigError
from lightning_carbon.records.numbers import CO2E, ENERGY, duration
from lightning_carbon.report.sheets import Sheet, as_markdown
from lightning_carbon.report.statements.consumption import listed
from lightning_carbon.report.statements.ranges import in_joules, scaled
from lightning_carbon.units import JOULES_PER_KILOWATT_HOUR

if TYPE_CHECKING:
    from pathlib import Path

    from lightning_carbon.report.statements.consumption import Consumption

TRAINING_TYPES: Final = ("pre-training", "fine-tuning")
METADATA: Final = "co2_eq_emissions"
_BEGIN: Final = "<!-- lightning-carbon: begin -->"
_END: Final = "<!-- lightning-carbon: end -->"
_SECTION: Final = re.compile(re.escape(_BEGIN) + ".*?" + re.escape(_END), re.DOTALL)


def check_training_type(training_type: str | None) -> str | None:
    """Check the type of training, which the Hub knows two of.

    Raises:
        ConfigError: It is none of them.
    """
    if training_type is not None and training_type not in TRAINING_TYPES:
        raise ConfigError("training_type", training_type, f"give one of {', '.join(TRAINING_TYPES)}.")
    return training_type


def metadata_of(usage: Consumption, training_type: str | None = None) -> dict[str, Any]:
    """The value of ``co2_eq_emissions`` in the metadata of a card.

    Args:
        usage: The usage of the model's runs.
        training_type: ``pre-training`` or ``fine-tuning``; left out where it is not known.
    """
    where = listed(usage.regions)
    return {
        "emissions": float(f"{usage.grams_co2e.value:.6g}"),
        "source": f"lightning-carbon, {usage.runs_text()}, {usage.came_about()}",
        **({} if training_type is None else {"training_type": training_type}),
        **({} if "the carbon intensity" in usage.assumed else {"geographical_location": where}),
        "hardware_used": usage.hardware_text(),
    }


def section_of(usage: Consumption) -> str:
    """The section of a card, in Markdown, with the comments around it."""
    joules, grams = usage.machine_kilowatt_hours.times(JOULES_PER_KILOWATT_HOUR), usage.grams_co2e
    rows = (
        ("CO2e", scaled(grams, CO2E, usage.likely.grams_co2e)),
        (
            f"energy of the {listed(usage.boundaries)}",
            scaled(joules, ENERGY, in_joules(usage.likely.machine_kilowatt_hours)),
        ),
        ("how the energy of the chips is known", usage.came_about()),
        ("training", f"{usage.runs_text()}, {duration(usage.seconds)}"),
        *([("model", listed(usage.models))] if usage.models else []),
        ("hardware", usage.hardware_text()),
        ("carbon intensity", listed(usage.intensities)),
        ("PUE", listed(usage.pues)),
    )
    table = as_markdown(Sheet("", ("", "value"), "<<", rows, tuple(usage.caveats())))
    made = "Measured with lightning-carbon" if not usage.is_modelled else "Modelled with lightning-carbon"
    return f"{_BEGIN}\n## Environmental impact\n\n{table}\n\n{made}.\n{_END}"


def write_card(path: Path, usage: Consumption, training_type: str | None = None) -> None:
    """Write energy and carbon into a model card, which is made where there is none.

    Args:
        path: The card, usually ``README.md``.
        usage: The usage of the model's runs.
        training_type: ``pre-training`` or ``fine-tuning``.

    Raises:
        ConfigError: The card cannot be read or written.
    """
    try:
        from huggingface_hub.repocard import metadata_load, metadata_save
        from yaml import YAMLError
    except ImportError:
        fix = "cards need huggingface_hub: pip install 'lightning-carbon[report]'."
        raise ConfigError("card", str(path), fix) from None
    try:
        content = path.read_bytes().decode("utf-8") if path.exists() else ""
        section = section_of(usage)
        found, count = _SECTION.subn(lambda _: section, content, count=1)
        written = found if count else f"{content.rstrip()}\n\n{section}\n".lstrip("\n")
        before = metadata_load(path) if path.exists() else None
    except (OSError, ValueError, YAMLError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError("card", str(path), f"it cannot be read: {reason}.") from error
    metadata = dict(before or {})
    metadata[METADATA] = {**_of_users(metadata.get(METADATA)), **metadata_of(usage, training_type)}
    try:
        path.write_bytes(written.encode("utf-8"))
        metadata_save(path, metadata)
    except OSError as error:
        raise ConfigError("card", str(path), f"it cannot be written: {error.strerror or error}.") from error


def _of_users(known: object) -> dict[str, Any]:
    """The fields that a user or another program has written, such as a place."""
    return dict(known) if isinstance(known, dict) else {}
