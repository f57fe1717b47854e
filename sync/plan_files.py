"""The folder of saved plans: they hold addresses, so only the newest stay, and none that names somebody forgotten."""

from collections.abc import Set
from pathlib import Path

from sync.files import OWNER_ONLY, draft_of, write_whole
from sync.plan import Plan

KEPT = 20
"""Plan files that are kept."""


def save(plan: Plan, folder: Path) -> Path:
    """Write the plan to a file of its own in `folder` and return the path; only the newest KEPT stay there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _drop_drafts(folder)
    path = folder / f"plan-{plan.as_of:%Y%m%d-%H%M}-{plan.id[:6]}.json"
    write_whole(path, plan.to_json(), OWNER_ONLY)
    for old in sorted(folder.glob("plan-*.json"), key=lambda file: file.stat().st_mtime)[:-KEPT]:
        old.unlink()
    return path


def delete_naming(folder: Path, contacts: Set[tuple[str, str]]) -> list[Path]:
    """Delete the saved plans that name one of these (account, contact id), and return them."""
    _drop_drafts(folder)
    gone = [file for file in sorted(folder.glob("*.json")) if _names_one(file, contacts)]
    for file in gone:
        file.unlink()
    return gone


def _drop_drafts(folder: Path) -> None:
    for left in folder.glob(draft_of(Path("plan-*.json")).name):  # by a process that died
        left.unlink()


def _names_one(file: Path, contacts: Set[tuple[str, str]]) -> bool:
    changes = Plan.from_json(file.read_bytes()).changes
    return any((account, change.id) in contacts for account in changes for change in changes[account])
