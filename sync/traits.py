"""Properties that never change, as columns beside the features: those the admin names, and no others."""

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sync.site import Site

if TYPE_CHECKING:
    from scoring.extras import Extras
    from scoring.tables import Tables


def traits(site: Site, known: "Tables", as_of: int, *, settle: bool = True) -> "Extras | None":
    """The columns of `model.immutable` for everyone known at `as_of` (µs UTC); None where the config names none.

    Which values get a column is decided once, then kept until other properties are named, so that a model in use
    still fits the week after. Without `settle` nothing is decided for later.
    """
    import numpy as np

    from scoring.extras import Extras, History, Static

    asked, denied = site.config.model.immutable, site.config.model.deny
    if not asked and not denied:
        return None
    nobody = np.empty(0, dtype=np.int64)
    static = Static({name: _values(site, name) for name in dict.fromkeys([*asked, *denied])})
    found = Extras.of(known, static, History.read(None, nobody), as_of, immutable=asked, deny=denied)
    row = site.db.execute("SELECT value FROM setting WHERE name = 'traits'").fetchone()
    kept = json.loads(row["value"]) if row else {}
    if kept.get("asked") == [asked, denied] and kept["names"]:
        return replace(found, names=tuple(kept["names"]))
    if settle:
        site.db.execute(
            "INSERT INTO setting VALUES ('traits', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            (json.dumps({"asked": [asked, denied], "names": found.names}),),
        )
    return found


def _values(site: Site, name: str) -> Any:
    """The value of each person by number: of the first of their contacts that has one, None without."""
    import numpy as np

    newest = site.db.execute("SELECT coalesce(max(id), 0) FROM person").fetchone()[0]
    values = np.full(newest + 1, None, dtype=object)
    for person, value in site.db.execute(_VALUES, (name,)):
        if values[person] is None:
            values[person] = value
    return values


_VALUES = """
SELECT c.person_id, CASE WHEN j.type IN ('true', 'false') THEN j.type ELSE j.atom END
FROM contact c, json_each(c.properties) j
WHERE j.key = ? AND c.person_id IS NOT NULL ORDER BY c.person_id, c.account, c.id
"""
