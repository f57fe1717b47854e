"""The section about models: which compete, and what they may learn from."""

from typing import Annotated, Literal

from pydantic import Field

from sync.config_accounts import Section

Candidate = Literal["rules", "btyd", "logistic", "tree", "forest", "hurdle", "boosting", "neural"]


class Model(Section):
    """Which models compete; the simplest within noise of the best wins."""

    candidates: list[Candidate] = Field(
        ["rules", "btyd", "logistic", "tree", "hurdle", "boosting"],
        min_length=1,
        description="Models to try, simplest first: rules (of thumb), btyd (buy till you die), logistic, tree, forest, "
        "hurdle (value only), boosting, neural. forest and neural take long and seldom win.",
    )
    fairness: list[Annotated[str, Field(pattern=r"^[a-z0-9-]+:\w+$")]] = Field(
        [],
        description='Properties by whose values the model card compares people, such as "hubspot:gender"; '
        "they are used for this comparison only and never learned from.",
    )
    immutable: list[str] = Field(
        [],
        description='Properties to learn from because they never change, such as ["first_source"]; an account has to '
        "read them (properties). Any other shows today's value, which may know the outcome, and is not learned from.",
    )
    deny: list[str] = Field([], description="Properties never to learn from, also where they stand in immutable.")
    train_on_growth: float = Field(
        0.2,
        ge=0,
        le=10,
        description="Train between the times of schedule.train too, when there is this share more to learn from "
        "(orders, answers, …) than at the last training; 0 for not.",
    )
    seed: int = Field(7, ge=0, le=2**31, description="Start of every random choice: the same data give the same model.")
