"""A file that shows power as Linux's hwmon does, in the folder where the code runs."""

from pathlib import Path

__all__: list[str] = []

Path("power1_input").write_text("42000000\n", encoding="ascii")
