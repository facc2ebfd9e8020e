"""Redfish without a network: answers as service processors give them."""
