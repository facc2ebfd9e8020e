"""The tests of lightning-carbon."""
