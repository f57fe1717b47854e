"""What goes wrong against what foretag does: does each act end as if nothing had been? `python -m benchmarks.faults`.

Every knob is turned for every act on every platform; the first call that it can strike is struck, then a quarter of
the others, drawn from a seed. Prints tables in Markdown; the seconds of the last one are of this machine.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.rehearsal import VALUES, Cost, Facts, Rehearsal, facts_of
from connectors.errors import ConnectorError
from sandbox.faults import Fault
from sandbox.people import PLATFORMS, Platform
from sandbox.world import small

DATE = datetime(2017, 8, 1, tzinfo=UTC)
SEED = 11
RATE = 0.25
LATENCY = 0.1
_ALWAYS = 1_000_000
_ROWS = "^(?!.*composite/batch)"
"""Where answers hold rows: those of Salesforce's batch of calls stand for the calls."""
_EMPTY_BATCH = '{"status": "COMPLETE", "results": []}'


@dataclass(frozen=True)
class Knob:
    """One kind of trouble. `fault` goes to `sandbox.faults.Fault`; `skew` is in seconds."""

    name: str
    fault: Mapping[str, Any] = field(default_factory=dict)
    route: str = "."
    skew: float = 0.0
    once: bool = False
    """One call is struck, and no further ones."""
    ignored: bool = False
    """Writes are answered with success and not carried out."""

    def faults(self, kind: Platform, act: str) -> list[Fault]:
        """What to order for an act on a platform."""
        if self.ignored:
            route, body = IGNORED[kind, act]
            return [Fault(kind, route, "status", status=200, body=body, times=2)]
        if not self.fault:
            return []
        first = Fault(kind, self.route, **self.fault)
        often = Fault(kind, self.route, times=_ALWAYS, rate=RATE, seed=SEED, **self.fault)
        return [first] if self.once else [first, often]

    def concerns(self, kind: Platform, act: str) -> bool:
        """Whether there is something to turn: a pull writes nothing that could be ignored."""
        return not self.ignored or (kind, act) in IGNORED


def _status(name: str, status: int, **more: Any) -> Knob:
    return Knob(name, {"kind": "status", "status": status, **more})


KNOBS = (
    _status("429 with Retry-After", 429, retry_after=1.0),
    _status("429 without Retry-After", 429),
    _status("429 without a body", 429, body=""),
    _status("403 without a body", 403),
    *(_status(str(status), status) for status in (500, 502, 503, 504)),
    Knob("401 in the middle: the token expired", {"kind": "status", "status": 401, "after": 3}, once=True),
    Knob("connection lost before the call took effect", {"kind": "reset_before"}),
    Knob("connection lost after the call took effect", {"kind": "reset_after"}),
    Knob("half an answer", {"kind": "truncate"}),
    Knob("30 s of silence (scaled to 30 ms)", {"kind": "silence", "seconds": 0.03}),
    Knob("200 with nothing written", ignored=True),
    Knob("rows in another order", {"kind": "reverse"}, _ROWS),
    Knob("rows twice", {"kind": "repeat"}, _ROWS),
    Knob("the platform's clock two minutes slow", skew=-120.0),
    Knob("the platform's clock two minutes fast", skew=120.0),
)
IGNORED: Mapping[tuple[Platform, str], tuple[str, str]] = {
    ("hubspot", "provision"): ("POST .*/properties/.*/batch/create$", _EMPTY_BATCH),
    ("hubspot", "write"): ("POST .*/batch/update$", _EMPTY_BATCH),
    ("mailchimp", "provision"): ("POST .*/merge-fields$", "{}"),
    ("mailchimp", "write"): ("POST .*/lists/[^/]+$", '{"new_members": [], "updated_members": [], "errors": []}'),
    ("salesforce", "provision"): ("POST .*/tooling/sobjects/CustomField$", '{"id": "00N", "success": true}'),
    ("salesforce", "write"): ("PATCH .*/composite/sobjects$", "[]"),
}
"""Where a write can be swallowed, and what success looks like there."""


def pull(stage: Rehearsal, orders: Callable[[], list[Fault]]) -> Any:
    """A first pull, then two that bring what was written to every third contact before; what is known then."""
    cursors: dict[str, str] = {}
    facts: Facts = {}
    stage.provision()
    for hours, values in ((0, VALUES), (0, {"buy_score": 1.0}), (1, {})):
        stage.sandbox.clock.set(stage.sandbox.clock.date + timedelta(hours=hours))
        stage.until_done(lambda: stage.pull(cursors, facts), orders)
        if values:
            list(stage.connect().write(stage.changes(facts, values)[::3]))
    return facts_of(facts)


def provision(stage: Rehearsal, orders: Callable[[], list[Fault]]) -> Any:
    """Our fields, made from nothing; what is on the platform then."""
    stage.until_done(stage.provision, orders)
    return stage.state()


def write(stage: Rehearsal, orders: Callable[[], list[Fault]]) -> Any:
    """Values for everybody; what is on the platform then."""
    stage.provision()
    stage.until_done(lambda: stage.write(VALUES), orders)
    return stage.state()


ACTS: Mapping[str, Callable[[Rehearsal, Callable[[], list[Fault]]], Any]] = {
    "pull": pull,
    "provision": provision,
    "write": write,
}


def ended(stage: Rehearsal, act: str, knob: Knob) -> Any:
    """What an act ends with under one knob, from the sandbox's start. Raises the error of its last run if all fail."""
    stage.reset()
    stage.sandbox.clock.skew = timedelta(seconds=knob.skew)
    return ACTS[act](stage, lambda: knob.faults(stage.kind, act))


def cell(stage: Rehearsal, act: str, knob: Knob, undisturbed: Any) -> str:
    """What became of one act under one knob, in a few words."""
    needed = stage.spent.runs
    try:
        same = ended(stage, act, knob) == undisturbed
    except ConnectorError as error:
        return f"**{type(error).__name__}**"
    if not same:
        return "**differs**"
    more = stage.spent.runs - needed
    return "same" if more <= 0 else f"same, {more} more run{'s' * (more > 1)}"


def matrix(people: int) -> dict[str, dict[str, str]]:
    """`cell` by knob, then by platform and act."""
    world = small(people)
    found: dict[str, dict[str, str]] = {knob.name: {} for knob in KNOBS}
    for kind in PLATFORMS:
        for act in ACTS:
            stage = Rehearsal(kind, world, DATE)
            with stage.sandbox:
                undisturbed = ACTS[act](stage, list)
                quiet = stage.spent
                for knob in KNOBS:
                    stage.spent = quiet
                    concerns = knob.concerns(kind, act)
                    found[knob.name][f"{kind} {act}"] = cell(stage, act, knob, undisturbed) if concerns else "–"
    return found


def timed(kind: Platform, act: str, people: int, **fault: Any) -> Cost:
    """What an act costs at 100 ms latency, with real waiting, while `fault` makes a quarter of its calls a 429."""
    stage = Rehearsal(kind, small(people), DATE, latency=LATENCY, sleep=time.sleep)
    trouble = _status("429", 429, **fault)
    with stage.sandbox:
        ACTS[act](stage, lambda: trouble.faults(kind, act) if fault else [])
    return stage.spent


def _asked(quiet: Cost, loud: Cost) -> str:
    """What an act took beside the least that obeying `Retry-After: 1` leaves: its own time and a second per refusal."""
    ideal = quiet.seconds + (loud.calls - quiet.calls)
    return f"{ideal:.1f} s, {loud.seconds / ideal:.1f} ×"


def main() -> None:
    """Print the tables. `python -m benchmarks.faults` takes some minutes."""
    columns = [f"{kind} {act}" for kind in PLATFORMS for act in ACTS]
    found = matrix(people=45)
    print("| trouble | " + " | ".join(columns) + " |")
    print("|---|" + "---|" * len(columns))
    for name, cells in found.items():
        print(f"| {name} | " + " | ".join(cells[column] for column in columns) + " |")
    ends = Counter(text.partition(",")[0] for cells in found.values() for text in cells.values() if text != "–")
    print(f"\n{sum(ends.values())} cells: " + ", ".join(f"{count} {what}" for what, count in ends.most_common()))

    print(
        "\n| a quarter of the calls: 429 | undisturbed | without `Retry-After` | with `Retry-After: 1` "
        "| … beside undisturbed and the waits asked for |\n|---|---|---|---|---|"
    )
    for kind in PLATFORMS:
        for act in ACTS:
            quiet, *loud = (timed(kind, act, 300, **fault) for fault in ({}, {"body": "{}"}, {"retry_after": 1.0}))
            shown = [f"{cost.calls} calls, {cost.seconds:.1f} s, {cost.seconds / quiet.seconds:.1f} ×" for cost in loud]
            print(
                f"| {kind} {act} | {quiet.calls} calls, {quiet.seconds:.1f} s | {' | '.join(shown)} "
                f"| {_asked(quiet, loud[-1])} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
