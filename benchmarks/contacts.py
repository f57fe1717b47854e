"""One pull of the contacts alone, to be measured as a process: `python -m benchmarks.contacts CONFIG INSTANT`.

The same stage that `foretag undo` and `foretag cleanup` begin with. Prints how many contacts came.
"""

import sys
from datetime import datetime
from pathlib import Path

from sync.clock import FixedClock
from sync.configfile import load
from sync.pull import pull_contacts
from sync.site import open_site

if __name__ == "__main__":
    now = datetime.fromisoformat(sys.argv[2])
    with open_site(load(Path(sys.argv[1])), FixedClock(now)) as site:
        print(sum(each.contacts for each in pull_contacts(site, now)))
