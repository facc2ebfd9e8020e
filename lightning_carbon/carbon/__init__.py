"""From energy to CO2e: intensity with its basis and range, and the footprint. Pure."""
