"""The short config file that `foretag init` writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Answers:
    """What the admin said (or what was detected)."""

    platforms: Sequence[str]
    timezone: str
    preset: str = "small"
    currency: str = "USD"
    mode: str = "shadow"
    hours: str = "08:00-18:00"
    account_settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Settings inside a platform's block: `{"salesforce": {"instance_url": "https://…"}}`."""


def config_text(answers: Answers) -> str:
    """A commented config file of fewer than 20 lines for one account per platform; everything else is default."""
    lines = [
        "# foretag: every other setting has a sensible default; see config.example.toml for all of them.",
        f'preset = "{answers.preset}"',
        f'timezone = "{answers.timezone}"',
        f'currency = "{answers.currency}"',
        f'mode = "{answers.mode}"  # shadow writes nothing; then pilot (a share of people); then full',
    ]
    for platform in answers.platforms:
        lines += ["", f"[[{platform}]]  # its token is kept apart: foretag secret set {platform}"]
        settings = answers.account_settings.get(platform, {})
        lines += [f'{key} = "{value}"' for key, value in settings.items() if value]
    lines += [
        "",
        "[write]",
        f'hours = "{answers.hours}"  # when writing is allowed, in your time zone; "" for any time',
    ]
    return "\n".join(lines) + "\n"
