"""Loops on Lightning Fabric."""
