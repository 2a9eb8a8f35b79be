"""Routing engines for tests: real ones over central Helsinki, and a local server in the shapes that Azure Maps answers.

The shapes are those of Microsoft's published examples of the route matrix, API version 2025-01-01.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Protocol

from geopy.distance import great_circle

from dom_core.domain.network import Location

SENATE_SQUARE = Location(60.1696, 24.9521)
RAILWAY_STATION = Location(60.1718, 24.9414)
ESPLANADI = Location(60.1676, 24.9475)
KRUUNUNHAKA = Location(60.1725, 24.9570)
KAMPPI = Location(60.1690, 24.9310)
"""At the edge of the map, where one-way streets lead in and none leads out."""

TALLINN = Location(59.4370, 24.7536)
"""Not on the map: 80 km away, over the sea. The nearest road of the map is one of the city."""

CENTRE = (SENATE_SQUARE, RAILWAY_STATION, ESPLANADI, KRUUNUNHAKA)
"""Places that all engines reach from each other."""


def great_circle_m(one: Location, other: Location) -> float:
    return float(great_circle((one.latitude, one.longitude), (other.latitude, other.longitude)).m)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as the server received it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, body (JSON, or bytes as they are) and further headers."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


class Answering(Protocol):
    """How a server answers."""

    def __call__(self, asked: Asked, /) -> Reply: ...


@dataclass(slots=True)
class RoadServer:
    """Where it listens, and what it was asked."""

    url: str
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def serving(answer: Answering) -> Iterator[RoadServer]:
    """A server on a free port of this machine, until the block ends."""
    lock = Lock()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): text for name, text in self.headers.items()}
            asked = Asked(self.command, self.path, headers, json.loads(raw) if raw else None)
            with lock:
                server.asked.append(asked)
                reply = answer(asked)
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, text in reply.headers.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _serve  # noqa: N815 - names that the base class calls

        def log_message(self, format: str, *args: object) -> None:
            """Requests are not printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server = RoadServer(f"http://127.0.0.1:{http.server_port}")
        thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()


def azure_maps_answer(asked: Asked) -> Reply:
    """A matrix whose cells come in no order, and fail where a point is off the map. Eastward all ways are longer."""
    features = asked.body["features"]
    points = {feature["properties"]["pointType"]: feature["geometry"]["coordinates"] for feature in features}
    cells = [
        _azure_maps_cell(row, column, origin, destination)
        for column, destination in enumerate(points["destinations"])
        for row, origin in enumerate(points["origins"])
    ]
    good = sum(cell["statusCode"] == 200 for cell in cells)
    summary = {"totalCount": len(cells), "successfulCount": good}
    return Reply(200, {"type": "Feature", "geometry": None, "properties": {"summary": summary, "matrix": cells}})


def _azure_maps_cell(row: int, column: int, origin: Sequence[float], destination: Sequence[float]) -> dict[str, Any]:
    ends = [Location(latitude, longitude) for longitude, latitude in (origin, destination)]
    if any(end.latitude < 60 for end in ends):
        error = {"code": "NO_ROUTE_FOUND", "message": "There is no route."}
        return {"statusCode": 400, "originIndex": row, "destinationIndex": column, "error": error}
    metres = great_circle_m(*ends) * (1.4 if ends[1].longitude > ends[0].longitude else 1.3)
    return {
        "statusCode": 200,
        "originIndex": row,
        "destinationIndex": column,
        "departureAt": "2026-03-02T17:00:00+02:00",
        "arrivalAt": "2026-03-02T17:05:00+02:00",
        "distanceInMeters": round(metres),
        "durationInSeconds": 300,
        "durationTrafficInSeconds": 300,
    }
