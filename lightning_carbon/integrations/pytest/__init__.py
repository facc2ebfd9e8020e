"""The plugin for pytest: the energy of each test, with ``--energy``."""
