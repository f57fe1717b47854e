"""The sandbox's own endpoints, for other processes: its date, its counters, its faults, its records."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask import Blueprint, request
from werkzeug.exceptions import BadRequest

from sandbox.faults import Fault

if TYPE_CHECKING:
    from sandbox.server import Sandbox


def parse_date(text: str) -> datetime:
    """An instant from `2017-10-31` (its first moment) or an ISO instant; UTC when it names no zone."""
    date = datetime.fromisoformat(text)
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)


def control_routes(sandbox: "Sandbox") -> Blueprint:
    routes = Blueprint("control", __name__, url_prefix="/_sandbox")

    @routes.errorhandler(BadRequest)
    @routes.errorhandler(KeyError)
    @routes.errorhandler(TypeError)
    @routes.errorhandler(ValueError)
    def refused(error: Exception) -> Any:
        return {"error": str(error)}, 400

    @routes.get("/clock")
    def clock() -> dict[str, Any]:
        return {"date": sandbox.clock.date.isoformat(), "skew": sandbox.clock.skew.total_seconds()}

    @routes.post("/clock")
    def set_clock() -> dict[str, Any]:
        wanted = request.get_json(force=True)
        skew = timedelta(seconds=float(wanted.get("skew", sandbox.clock.skew.total_seconds())))
        if "date" in wanted:
            sandbox.advance(parse_date(wanted["date"]))
        sandbox.clock.skew = skew
        return clock()

    @routes.get("/counters")
    def counters() -> dict[str, Any]:
        calls = [
            {"platform": platform, "route": route, "count": count}
            for (platform, route), count in sorted(sandbox.calls().items())
        ]
        return {"platforms": list(sandbox.platforms), "calls": calls}

    @routes.post("/counters")
    def restart_counters() -> dict[str, Any]:
        counted = counters()
        sandbox.reset_calls()
        return counted

    @routes.get("/faults")
    def faults() -> dict[str, Any]:
        return {"faults": [asdict(fault) for fault in sandbox.faults()]}

    @routes.post("/faults")
    def set_faults() -> dict[str, Any]:
        wanted = [Fault(**fault) for fault in request.get_json(force=True)["faults"]]
        sandbox.clear_faults()
        sandbox.inject(*wanted)
        return {"faults": len(wanted)}

    @routes.post("/reset")
    def reset() -> dict[str, Any]:
        wanted = request.get_json(force=True)
        sandbox.reset(parse_date(wanted["date"]) if "date" in wanted else None)
        return clock()

    @routes.get("/snapshot")
    def snapshot() -> dict[str, Any]:
        return sandbox.snapshot()

    return routes
