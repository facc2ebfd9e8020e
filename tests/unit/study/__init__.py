"""The study of 2019."""
