"""The callbacks, without their frameworks."""
