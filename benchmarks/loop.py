"""The whole loop on the real shoppers: calls and seconds of a first run, and of a second one with nothing changed.

The sandbox runs in a process of its own, with the platforms' rate limits on. Seconds are of this machine; calls are
exact. Run with `python -m benchmarks.loop`.
"""

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from benchmarks.served import served
from sync import cycle
from sync.clock import FixedClock
from sync.commands.sandbox import sandbox_config
from sync.configfile import parse
from sync.outcome import Outcome
from sync.progress import Silent, Timed
from sync.site import Site, open_site

DATE = datetime(2017, 9, 30, tzinfo=UTC)


def report(name: str, site: Site, outcome: Outcome, timed: Timed) -> None:
    """Print what one run cost, by our own count."""
    seconds = ", ".join(f"{stage} {value:.1f} s" for stage, value in timed.seconds().items())
    print(f"\n{name}: {outcome.verdict}; {seconds}")
    for account, connector in site.connectors.items():
        streams = [each for each in outcome.pulled if each.account == account]
        written = next((each for each in outcome.applied if each.account == account), None)
        print(
            f"  {account:<11} {sum(each.contacts for each in streams):>6,} contacts "
            f"{sum(each.activities for each in streams):>7,} activities read, "
            f"{written.written if written else 0:>6,} contacts written"
        )
        for rule, calls in sorted(connector.calls.items()):
            print(f"      {calls:>5,} x {rule}")


def main() -> None:
    """Run twice and print."""
    with served(DATE) as sandbox, tempfile.TemporaryDirectory() as folder:
        os.environ.update(sandbox.environment())
        settings = f'mode = "full"\n{sandbox_config(sandbox.url, Path(folder))}\n[write]\nhours = ""\n'
        config = parse(settings, Path(folder) / "config.toml")
        for name in ("First run", "Second run, nothing changed"):
            began = perf_counter()
            with open_site(config, FixedClock(DATE)) as site:
                timed = Timed(Silent())
                report(name, site, cycle.run(site, timed), timed)
            print(f"  {perf_counter() - began:.1f} s in all")


if __name__ == "__main__":
    main()
