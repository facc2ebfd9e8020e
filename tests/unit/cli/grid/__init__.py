"""Tests of the commands under grid."""
