"""The pretended account: everything the routes read and write, in one place."""

from sandbox.mailchimp.audience import Audience
from sandbox.mailchimp.mail import Mail
from sandbox.mailchimp.shop import Shop
from sandbox.mailchimp.writes import Writer
from sandbox.platform import SandboxClock


class Account:
    """Audience, mailings and shop with the date and the way to write."""

    def __init__(self, clock: SandboxClock) -> None:
        self.clock = clock
        self.audience = Audience()
        self.mail = Mail()
        self.shop = Shop()
        self.writer = Writer(self.audience, clock)
