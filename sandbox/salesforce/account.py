"""What a client asks about the organisation and itself: limits, resources, identity."""

from typing import Any

from sandbox.salesforce.api import Call, Reply, Route
from sandbox.salesforce.org import INTEGRATION_USER, ORGANISATION, Org

FIRST_VERSION, LAST_VERSION = 50, 70
_INGEST_BATCHES, _QUERY_JOBS, _QUERY_STORAGE_MB = 15_000, 10_000, 976_562


def versions() -> list[dict[str, str]]:
    """The API versions spoken, oldest first."""
    return [
        {"label": f"Release {each}", "url": f"/services/data/v{each}.0", "version": f"{each}.0"}
        for each in range(FIRST_VERSION, LAST_VERSION + 1)
    ]


def limit_info(org: Org) -> str:
    """The Sforce-Limit-Info header."""
    return f"api-usage={org.session.used}/{org.session.daily_quota}"


def user_info(org: Org, site: str) -> dict[str, Any]:
    """Who the token stands for; `site` is where the pretended platform is reached."""
    user = org.records.tables["User"][INTEGRATION_USER]
    return {
        "sub": f"{site}/id/{ORGANISATION}/{INTEGRATION_USER}",
        "id": f"{site}/id/{ORGANISATION}/{INTEGRATION_USER}",
        "user_id": INTEGRATION_USER,
        "organization_id": ORGANISATION,
        "preferred_username": user["Username"],
        "username": user["Username"],
        "name": user["Name"],
        "display_name": user["Name"],
        "email": user["Email"],
        "active": True,
        "user_type": "STANDARD",
        "zoneinfo": "America/New_York",
        "urls": {"rest": f"{site}/services/data/v{{version}}/"},
    }


def _limits(call: Call) -> Reply:
    quota = call.org.session.daily_quota
    rest = {
        "DailyBulkApiBatches": _INGEST_BATCHES,
        "DailyBulkV2QueryJobs": _QUERY_JOBS,
        "DailyBulkV2QueryFileStorageMB": _QUERY_STORAGE_MB,
    }
    answer = {name: {"Max": most, "Remaining": most} for name, most in rest.items()}
    return Reply(200, {"DailyApiRequests": {"Max": quota, "Remaining": quota - call.org.session.used}, **answer})


def _resources(call: Call) -> Reply:
    names = ("sobjects", "query", "queryAll", "limits", "composite", "jobs", "tooling")
    return Reply(200, {name: f"{call.base}/{name}" for name in names})


def _record_count(call: Call) -> Reply:
    """About how many records there are of each object; those that are unknown are left out."""
    asked = call.params.get("sObjects", "").split(",")
    found = [each for each in (call.org.find(name) for name in asked) if each]
    counts = [{"count": len(call.org.rows(each, everything=False)), "name": each.name} for each in found]
    return Reply(200, {"sObjects": counts})


ROUTES: list[Route] = [
    ("GET", "limits", _limits),
    ("GET", "limits/recordCount", _record_count),
    ("GET", "", _resources),
]
