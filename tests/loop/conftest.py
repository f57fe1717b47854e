"""The whole loop against the running sandbox: real connectors over real HTTP, only time is pretended."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from benchmarks import records
from sandbox.people import World
from sandbox.server import Sandbox
from sandbox.world import small
from sync import cycle
from sync.clock import FixedClock
from sync.config import Config
from sync.configfile import load
from sync.outcome import Outcome
from sync.progress import Silent
from sync.provision import provision
from sync.secrets import variable
from sync.site import open_site

DATE = datetime(2017, 9, 30, tzinfo=UTC)

# What changes something on a platform. Everything else a run sends is a read, some of them by POST.
READS_BY_POST = frozenset(
    {
        ("hubspot", "POST /crm/v3/objects/contacts/search"),
        ("hubspot", "POST /crm/v3/objects/deals/search"),
        ("hubspot", "POST /crm/v3/lists/search"),
        ("hubspot", "POST /crm/v3/objects/contacts/batch/read"),
        ("hubspot", "POST /crm/v4/associations/deals/contacts/batch/read"),
        ("mailchimp", "POST /3.0/batches"),
        ("salesforce", "POST /services/data/v<version>/composite/batch"),
        ("salesforce", "POST /services/data/v<version>/composite/sobjects/<name>"),
    }
)
_CONFIG = """\
timezone = "UTC"
mode = "{mode}"
data_dir = "{folder}/data"
{objectives}
[write]
hours = ""
[model]
candidates = [{candidates}]
[[hubspot]]
base_url = "{url}/hubspot"
[[mailchimp]]
base_url = "{url}/mailchimp/3.0"
[[salesforce]]
instance_url = "{url}/salesforce"
"""
RULES = ("rules",)
MODELS = ("rules", "logistic")


class PatientClock(FixedClock):
    """Stands still at one instant. Waiting is over at once; only the monotonic clock knows of it."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at)
        self.slept = 0.0

    def sleep(self, seconds: float) -> None:
        self.slept += max(0.0, seconds)

    def monotonic(self) -> float:
        return super().monotonic() + self.slept


class Loop:
    """One installation of foretag on a sandbox of its own."""

    def __init__(self, sandbox: Sandbox, folder: Path, candidates: tuple[str, ...], objective: str, mode: str) -> None:
        self.sandbox = sandbox
        self.config_file = folder / "config.toml"
        text = _CONFIG.format(
            mode=mode,
            folder=folder,
            url=sandbox.url,
            objectives=f'[[objectives]]\npredict = "{objective}"\n' if objective else "",
            candidates=", ".join(f'"{each}"' for each in candidates),
        )
        self.config_file.write_text(text, encoding="utf-8")
        self.config: Config = load(self.config_file)

        self.clock = PatientClock(self.now)
        """That of the last run."""
        self.provisioned = False
        self.batched_before = 0
        reset = sandbox.reset_calls

        def reset_all() -> None:
            reset()
            self.batched_before = self._batched()

        sandbox.reset_calls = reset_all  # type: ignore[method-assign]

    @property
    def now(self) -> datetime:
        return self.sandbox.clock.date

    def provision(self, *accounts: str) -> None:
        """What an administrator does once, before the first run: the fields on Salesforce, unless they are there."""
        if not self.provisioned:
            with open_site(self.config, self.clock) as site:
                self.provisioned = not any(made.problem for made in provision(site, accounts or ["salesforce"]))

    def run(self, **options: bool) -> Outcome:
        """One run at the sandbox's date, after the fields were made; its calls alone are counted."""
        self.sandbox.reset_calls()
        self.clock = PatientClock(self.now)
        self.provision()
        with open_site(self.config, self.clock) as site:
            return cycle.run(site, Silent(), **options)

    def run_until_ok(self, most: int) -> int:
        """Run as often as it takes until nothing fails, at most `most` times; returns how often that was."""
        for number in range(1, most + 1):
            if self.run().verdict == "ok":
                return number
        raise AssertionError(f"still not ok after {most} runs")

    def ask(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        """What the store answers."""
        with open_site(self.config, PatientClock(self.now), alone=False) as site:
            return [tuple(row) for row in site.db.execute(question, values)]

    def writes(self) -> dict[tuple[str, str], int]:
        """Calls that write; what writes inside of Mailchimp's asynchronous batches is counted one by one."""
        batched = self._batched() - self.batched_before
        inside = {("mailchimp", "in batches"): batched} if batched else {}
        return {call: n for call, n in self.sandbox.calls().items() if is_write(call)} | inside

    def _batched(self) -> int:
        return int(self.sandbox.platform("mailchimp").batched_writes())

    def reads(self) -> dict[tuple[str, str], int]:
        return {call: n for call, n in self.sandbox.calls().items() if not is_write(call)}

    def records(self) -> dict[tuple[str, ...], Any]:
        """Every value of every record, but for what tells when and in which order something was made."""
        snapshot = self.sandbox.snapshot()
        return records.timeless(records.values_of(snapshot), f"{DATE:%Y-%m-%d}") | records.rows(snapshot)


def is_write(call: tuple[str, str]) -> bool:
    return not call[1].startswith("GET ") and call not in READS_BY_POST


@pytest.fixture(scope="session")
def small_world() -> World:
    """Two hundred people: enough for models to be trained."""
    return small(200)


@pytest.fixture(scope="session")
def tiny_world() -> World:
    return small(40)


@pytest.fixture(scope="session")
def tokens() -> Iterator[Callable[[Sandbox], None]]:
    """Hands a sandbox's tokens to foretag, by the environment."""
    with pytest.MonkeyPatch.context() as patch:

        def hand_over(sandbox: Sandbox) -> None:
            for name, platform in sandbox.platforms.items():
                patch.setenv(variable(f"{name}.token"), platform.token)

        yield hand_over


@pytest.fixture(scope="session")
def install_in(tokens: Callable[[Sandbox], None]) -> Callable[..., Loop]:
    """Puts foretag up on a running sandbox, with its store in a folder."""

    def install(
        sandbox: Sandbox,
        folder: Path,
        candidates: tuple[str, ...] = RULES,
        objective: str = "repeat_purchase",
        mode: str = "full",
    ) -> Loop:
        tokens(sandbox)
        return Loop(sandbox, folder, candidates, objective, mode)

    return install


@pytest.fixture
def tiny(tiny_world: World, tmp_path: Path, install_in: Callable[..., Loop]) -> Iterator[Loop]:
    """Forty people, one objective, no training: for what is done often."""
    with Sandbox(tiny_world, DATE, limits=False) as sandbox:
        yield install_in(sandbox, tmp_path)


@pytest.fixture(scope="session")
def undisturbed(
    tiny_world: World, tmp_path_factory: pytest.TempPathFactory, install_in: Callable[..., Loop]
) -> dict[tuple[str, ...], Any]:
    """All records of the tiny world after one run in which nothing goes wrong."""
    with Sandbox(tiny_world, DATE, limits=False) as sandbox:
        loop = install_in(sandbox, tmp_path_factory.mktemp("undisturbed"))
        assert loop.run().verdict == "ok"
        return loop.records()


@pytest.fixture(scope="session")
def loops() -> object:
    """What tests of this folder share; importlib mode has no package to import it from."""

    class Loops:
        date = DATE
        rules, models = RULES, MODELS
        values_of = staticmethod(records.values_of)
        is_write = staticmethod(is_write)
        Clock = PatientClock

    return Loops
