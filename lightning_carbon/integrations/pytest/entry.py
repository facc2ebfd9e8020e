"""The entry point that pytest loads in every session of an environment with this package.

It adds the options and the mark, and imports nothing: whoever does not ask for ``--energy`` pays for nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # by its name, as type checkers take it
if TYPE_CHECKING:
    import pytest

NAME = "lightning_carbon_energy"
"""The name under which the plugin that measures is registered."""
MARK = 'energy_budget(amount): the most energy that the test may take, such as "50 J"; judged with --energy.'


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("energy", "energy of the tests (lightning-carbon)")
    group.addoption("--energy", action="store_true", help="meter each test, and show those that took the most energy")
    group.addoption("--energy-json", metavar="FILE", help="also write the energy of each test here; implies --energy")


def pytest_configure(config: pytest.Config) -> None:
    """Announce the mark, and begin to measure where that is asked for."""
    config.addinivalue_line("markers", MARK)
    is_asked = config.getoption("energy") or config.getoption("energy_json")
    if is_asked and not config.pluginmanager.has_plugin(NAME):
        from lightning_carbon.integrations.pytest.plugin import EnergyPlugin

        config.pluginmanager.register(EnergyPlugin(config), NAME)
