"""Local HTTP servers that answer as Nominatim and Azure Maps do, from one small gazetteer."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, Any]
"""HTTP status, and the body: JSON, or bytes as they are. The body of a 302 is where it leads."""


@dataclass(frozen=True, slots=True)
class Question:
    """One request as the server received it."""

    path: str
    parameters: dict[str, str]
    headers: dict[str, str]


@dataclass(slots=True)
class LocalServer:
    """Where it listens, what it was asked, and what it answers."""

    url: str
    answer: Callable[[Question], Answer]
    questions: list[Question] = field(default_factory=list)


@contextmanager
def listening(answer: Callable[[Question], Answer]) -> Iterator[LocalServer]:
    """A server on a free port of this machine, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            parameters = {name: values[0] for name, values in parse_qs(parts.query).items()}
            question = Question(parts.path, parameters, {name.lower(): text for name, text in self.headers.items()})
            server.questions.append(question)
            status, body = server.answer(question)
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", str(body))
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: object) -> None:
            """Requests are not printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server = LocalServer(f"http://127.0.0.1:{http.server_port}", answer)
        thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the gazetteer."""

    city: str
    region: str
    postal_code: str
    country: str
    latitude: float
    longitude: float


GAZETTEER = (
    Place("Seattle", "WA", "98101", "US", 47.6111, -122.3348),
    Place("Paris", "TX", "75460", "US", 33.6609, -95.5555),
    Place("Paris", "Île-de-France", "75001", "FR", 48.8589, 2.32),
    Place("Zürich", "Zürich", "8001", "CH", 47.3744, 8.5411),
)


def _spelled(city: str) -> str:
    return city.casefold().replace("ü", "u")


def _matching(city: str, postal_code: str, country: str) -> list[Place]:
    return [
        place
        for place in GAZETTEER
        if place.country == country.upper()
        and (not city or _spelled(place.city) == _spelled(city))
        and (not postal_code or place.postal_code == postal_code[:5])
    ]


def nominatim_answer(question: Question) -> Answer:
    """What Nominatim's `/search?format=json` answers: a list of places; coordinates are text. No streets are known."""
    asked = question.parameters
    if "street" in asked:
        return 200, []
    places = _matching(asked.get("city", ""), asked.get("postalcode", ""), asked["countrycodes"])
    return 200, [_nominatim_place(place) for place in places]


def _nominatim_place(place: Place) -> dict[str, Any]:
    return {
        "place_id": 294236157,
        "licence": "Data © OpenStreetMap contributors, ODbL 1.0. http://osm.org/copyright",
        "osm_type": "relation",
        "osm_id": 237385,
        "boundingbox": [str(place.latitude - 0.1), str(place.latitude + 0.1), str(place.longitude), "0"],
        "lat": str(place.latitude),
        "lon": str(place.longitude),
        "display_name": f"{place.city}, {place.region}, {place.country}",
        "class": "boundary",
        "type": "administrative",
        "importance": 0.72,
    }


def azure_maps_answer(question: Question) -> Answer:
    """What Azure Maps' `/geocode` answers: GeoJSON. It gives an unknown postal code up for the town (UpHierarchy)."""
    asked = question.parameters
    city, postal_code, country = asked.get("locality", ""), asked.get("postalCode", ""), asked["countryRegion"]
    exact = _matching(city, postal_code, country)
    wider = [] if exact or not city else _matching(city, "", country)
    features = [_azure_maps_feature(place, "High", ["Good"], place.postal_code) for place in exact]
    features += [_azure_maps_feature(place, "Medium", ["UpHierarchy"], None) for place in wider]
    return 200, {"type": "FeatureCollection", "features": features[: int(asked["top"])]}


def _azure_maps_feature(place: Place, confidence: str, codes: list[str], postal_code: str | None) -> dict[str, Any]:
    point = {"type": "Point", "coordinates": [place.longitude, place.latitude]}
    address = {
        "countryRegion": {"ISO": place.country, "name": place.country},
        "adminDistricts": [{"shortName": place.region}],
        "formattedAddress": f"{place.city}, {place.region}",
        "locality": place.city,
    }
    return {
        "type": "Feature",
        "properties": {
            "address": address | ({"postalCode": postal_code} if postal_code else {}),
            "type": "Postcode1" if postal_code else "PopulatedPlace",
            "confidence": confidence,
            "matchCodes": codes,
            "geocodePoints": [{"geometry": point, "calculationMethod": "Rooftop", "usageTypes": ["Display"]}],
        },
        "geometry": point,
        "bbox": [place.longitude - 0.1, place.latitude - 0.1, place.longitude + 0.1, place.latitude + 0.1],
    }
