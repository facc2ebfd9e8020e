"""Tests of the command line that start no process and ask no hardware."""
