"""A pretended Mailchimp: one audience, its mailings and a connected store, behind the routes of the Marketing API."""

from sandbox.mailchimp.mailchimp import Mailchimp

__all__ = ["Mailchimp"]
