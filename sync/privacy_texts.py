"""Texts about the processing, filled in from the config: a passage for the privacy notice, and the start of a DPIA."""

import textwrap
from collections.abc import Iterable, Iterator

from sync.config import Config
from sync.config_accounts import MODES
from sync.config_sections import Meaning, Objective
from sync.fields import SEGMENTS, field_specs

WIDTH = 100
PLATFORMS = {"hubspot": "HubSpot", "mailchimp": "Mailchimp", "salesforce": "Salesforce"}
PLAIN: dict[Meaning, str] = {
    "repeat_purchase": "whether you will buy again",
    "churn": "whether you will stop buying",
    "silence": "whether you will stop buying",
    "high_value": "whether you will be among our customers who spend most",
    "value": "how much you will spend",
    "response": "whether you will answer a mailing",
    "leaving": "whether you will leave us",
    "conversion": "whether you will take a step for the first time",
}
READ = (
    "when and for how much you ordered, and what was returned or cancelled",
    "which mailings you were sent, opened, clicked or answered",
    "forms you filled in, and dealings with us that are on record",
    "since when you have been known to us",
)
"""What is read, in a customer's words."""
_NO_ADVICE = (
    "This text is a starting point that was filled in from the config file. It is no legal advice. Check every "
    "sentence, complete what stands in [brackets], and have somebody look at it who knows the law that applies to you."
)


def notice_text(config: Config) -> str:
    """A passage for the privacy notice on the shop's site, addressed to its customers."""
    excluded = (
        " We then make a note on your contact that leaves you out of them." if config.privacy.exclude_when else ""
    )
    silent = config.boldest_mode == "shadow"
    shown = "" if silent else " Estimates, group and the reasons for them are kept there as well."
    return _joined(
        _paragraph(_NO_ADVICE),
        "HOW WE PREDICT WHAT OUR CUSTOMERS NEED",
        _paragraph(
            "[Name and address of the company] estimates from earlier purchases and from how mailings were received "
            "what people who are in our customer records will probably do next. We do so in order to send fewer and "
            "more fitting messages. The legal basis is [our legitimate interest, Art. 6(1)(f) GDPR / your consent]."
        ),
        _paragraph("We estimate:"),
        _points(f"{PLAIN[each.meaning]} ({_horizon(each)})" for each in config.objectives),
        _paragraph("For that we read from our customer records:"),
        _points(READ),
        _paragraph(
            "We do not use your name, address, age or sex, and nothing about health, belief or origin for it. From the "
            f"estimates you are put in one of {len(SEGMENTS)} groups. A program on our own computer does this; the "
            f"data come from {_platforms(config)}.{shown} They are given to nobody else."
        ),
        _paragraph(
            "What you are charged, and whether you can order, does not depend on the estimates: [confirm that this is "
            "so]. No decision with legal or similarly significant effect is made automatically."
        ),
        _paragraph(_kept_text(config)),
        _paragraph(
            "You may ask what is stored about you and which reasons led to an estimate, have it corrected or deleted, "
            f"and object to the estimates at any time, without giving reasons.{excluded} Write to [address]. You may "
            "also complain to a supervisory authority."
        ),
    )


def dpia_text(config: Config) -> str:
    """The start of a data protection impact assessment, for the shop's own files."""
    return _joined(
        "DATA PROTECTION IMPACT ASSESSMENT: PREDICTIONS WITH FORETAG",
        _paragraph(_NO_ADVICE),
        "1. WHAT IS DONE",
        _paragraph(
            f"foretag reads contacts and what they did from {_platforms(config)} into a file on [this machine], "
            "predicts for every person, puts them in one of nine segments, and writes the result back."
        ),
        _points(_mode_points(config)),
        "2. WHAT FOR",
        _points(f"{each.title}: {each.predict}, {_horizon(each)}" for each in config.objectives),
        _paragraph("[Why this is needed, and why it cannot be had with less: …]"),
        "3. WHOSE DATA, AND WHICH",
        _paragraph("All contacts of these accounts, except those who object to profiling:"),
        _points(_account_points(config)),
        _paragraph("These features are computed from them; no other property of a person goes into a prediction:"),
        _paragraph(", ".join([*_features(), *config.model.immutable])),
        _paragraph("Who is left out by a rule of the config:"),
        _points(
            config.privacy.exclude_when or ["nobody; only those whose platform says that they object to profiling"]
        ),
        "4. WHAT IS WRITTEN",
        _points(f"{spec.label} ({config.write.prefix}{spec.key}): {spec.description}" for spec in field_specs(config)),
        "5. HOW LONG IT IS KEPT",
        _paragraph(
            "What foretag has read, and which segments a person moved between, is kept as long as the person has a "
            f"contact on a platform, and {config.retention.deleted.days:,} days longer; what people did "
            f"{_activities_kept(config)}. Earlier scores are thinned out, and gone after "
            f"{config.retention.total.days:,} days ([retention] in the config). Copies of the store hold what it held: "
            f"the daemon keeps {config.backup.keep} copies and replaces the oldest at each new one; [other copies, and "
            "who deletes them]. Values on the platforms stand until newer ones replace them. foretag privacy forget "
            "deletes one person, foretag cleanup takes everything off the platforms."
        ),
        "6. RISKS, AND WHAT IS DONE AGAINST THEM",
        _points(_RISKS),
        _paragraph("[Further risks in your case, how likely and how grave they are, and what remains: …]"),
        "7. WHAT IS LEFT TO DECIDE",
        _points(_OPEN),
    )


def _kept_text(config: Config) -> str:
    """How long data are kept, to the customers."""
    keep = config.retention
    limit = f" What you did is deleted after {keep.activities.days:,} days at the latest." if keep.activities else ""
    return (
        "What was read and estimated is kept as long as you are in our customer records, and is deleted "
        f"{keep.deleted.days:,} days after that, or as soon as you ask for it.{limit} Estimates are deleted after "
        f"{keep.total.days:,} days at the latest. Safety copies are overwritten after [days]."
    )


def _activities_kept(config: Config) -> str:
    keep = config.retention.activities
    return f"is gone after {keep.days:,} days" if keep else "has no end of its own: [your own limit]"


def _mode_points(config: Config) -> Iterator[str]:
    modes = {
        "shadow": "Mode shadow: nothing is written to the platforms.",
        "pilot": f"Mode pilot: values are written for {config.pilot.share:.0%} of the people"
        f"{' that [pilot] names' if config.pilot.only or config.pilot.segments else ''}.",
        "full": "Mode full: values are written for everyone who has not opted out of marketing.",
    }
    own = {account.name: config.mode_of(account) for account in config.accounts}
    for mode in MODES:
        names = [name for name, its in own.items() if its == mode]
        if names:
            yield modes[mode] + (f" ({', '.join(names)})" if len(names) < len(own) else "")
    yield f"{config.holdout.share:.0%} of the people are a control group, marked so that campaigns can leave them out."
    yield (
        f"Features and scores are computed on the Spark at {config.engine.master}."
        if config.engine.kind == "spark"
        else "Everything is computed on this machine."
    )


def _account_points(config: Config) -> Iterator[str]:
    for account in config.accounts:
        more = f"; asked for besides: {', '.join(account.properties)}" if account.properties else ""
        yield (
            f"{account.name} ({PLATFORMS[account.kind]}): address, name, consent, dates, orders, mailings and other "
            f"contact with them{more}"
        )


_RISKS = (
    (
        "A prediction is wrong about somebody: probabilities are calibrated and compared with what happened; the "
        "reasons stand beside the score; a human decides on campaigns."
    ),
    (
        "Somebody gets mailings against their will: foretag cannot change a subscription or create a contact, because "
        "an allow-list limits its requests; people who have opted out are not scored, and their fields are emptied."
    ),
    (
        "Somebody does not want to be profiled: they are taken out of training and scores, and their fields are "
        "emptied (exclude_when, foretag privacy forget)."
    ),
    "The file is stolen: it is readable by its owner only; [encrypted disk, access to the machine: …].",
    "Scores are used for what they were not made for (price, credit, refusal): [rule in your house: …].",
    (
        "Data are passed on: nothing is sent but to the accounts named above and, where alerts are switched on, counts "
        "to the place named for them. There is no telemetry."
    ),
)
_OPEN = (
    "Legal basis, and the weighing of interests if it is legitimate interest: […]",
    "Contracts with the platforms as processors, transfers to third countries: […]",
    "How people are informed (foretag privacy notice), and who answers them (foretag privacy export): […]",
    "Whether these times are right for you, and who deletes what foretag does not: […]",
    "Opinion of the data protection officer; date and name of who decided; date of the next look: […]",
)


def _features() -> tuple[str, ...]:
    from scoring.features import FEATURES

    return FEATURES


def _horizon(objective: Objective) -> str:
    if objective.own_rhythm:
        return "within the time in which a person usually orders again, 30 to 180 days"
    return (
        f"within {objective.within.days} days" if objective.within else "over a time that follows how often people buy"
    )


def _platforms(config: Config) -> str:
    names = list(dict.fromkeys(PLATFORMS[account.kind] for account in config.accounts))
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _paragraph(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_on_hyphens=False, break_long_words=False)


def _points(texts: Iterable[str]) -> str:
    return "\n".join(
        textwrap.fill(f"- {text}", WIDTH, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)
        for text in texts
    )


def _joined(*parts: str) -> str:
    return "\n\n".join(parts)
