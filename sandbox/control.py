"""The sandbox's own endpoints, for other processes: its date, its counters, its faults, its records."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flask import Blueprint, request

from sandbox.faults import Fault

if TYPE_CHECKING:
    from sandbox.server import Sandbox


def parse_date(text: str) -> datetime:
    """An instant from `2017-10-31` (its first moment) or an ISO instant; UTC when it names no zone."""
    date = datetime.fromisoformat(text)
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)


def control_routes(sandbox: "Sandbox") -> Blueprint:
    routes = Blueprint("control", __name__, url_prefix="/sandbox")

    @routes.get("/state")
    def state() -> dict[str, Any]:
        calls = [
            {"platform": platform, "route": route, "count": count}
            for (platform, route), count in sorted(sandbox.calls().items())
        ]
        return {"date": sandbox.clock.date.isoformat(), "platforms": list(sandbox.platforms), "calls": calls}

    @routes.post("/advance")
    def advance() -> Any:
        try:
            sandbox.advance(parse_date(request.get_json()["date"]))
        except (KeyError, TypeError, ValueError) as error:
            return {"error": str(error)}, 400
        return {"date": sandbox.clock.date.isoformat()}

    @routes.post("/faults")
    def faults() -> Any:
        try:
            wanted = [Fault(**fault) for fault in request.get_json()["faults"]]
        except (KeyError, TypeError, ValueError) as error:
            return {"error": str(error)}, 400
        sandbox.clear_faults()
        sandbox.inject(*wanted)
        return {"faults": len(wanted)}

    @routes.get("/snapshot")
    def snapshot() -> dict[str, Any]:
        return sandbox.snapshot()

    return routes
