"""A pretended HubSpot portal: contacts, deals, forms, properties, with its limits and its refusals."""

from sandbox.hubspot.platform import TOKEN, HubSpot

__all__ = ["TOKEN", "HubSpot"]
