"""The plugin for pytest, in sessions of its own."""
