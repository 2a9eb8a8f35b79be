"""Settings: the only reader of the environment.

One table holds each setting's name, parser, default and meaning. A missing or malformed setting is reported together
with all others, in one error. The README's table is compared with this one by a test.
"""

import base64
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from dom_core.errors import InvalidInput, Problem

KEYS = "keys"
ENTRA = "entra"
_SECRET_PREFIX = "whsec_"  # noqa: S105 - how the secrets of Standard Webhooks begin


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that an installation can set."""

    auth: str
    store: str
    store_path: str
    cosmos_endpoint: str
    cosmos_database: str
    cosmos_key: str
    storage_connection: str
    storage_queue_uri: str
    storage_blob_uri: str
    orders_queue: str
    runs_queue: str
    plan_tasks_queue: str
    plan_tasks_above_lines: int
    assignments_queue: str
    webhooks_queue: str
    outbox_schedule: str
    webhook_url: str
    webhook_secret: str
    plan_schedule: str
    solver: str
    geocoder: str
    nominatim_url: str
    azure_maps_key: str
    distances: str
    osrm_url: str
    valhalla_url: str
    road_profile: str
    road_within_km: int
    road_circuity_percent: int
    road_cells: int
    road_cache_days: int
    cleanup_schedule: str
    requests_at_once: int
    lease_s: int
    plan_expiry_h: int
    plan_retention_days: int
    dead_letter_retention_days: int
    max_body_bytes: int
    requests_per_minute: int
    watch_schedule: str
    telemetry: str

    @property
    def requests_at_once_to_store(self) -> int:
        """How many requests a run makes to the store at a time: writers of a file would only wait for each other."""
        return 1 if self.store == "sqlite" else self.requests_at_once


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table: a field of Settings and the environment variable that sets it."""

    field: str
    variable: str
    parse: Callable[[str], Any]
    default: str
    meaning: str


def _text(raw: str) -> str:
    return raw.strip()


def _address(raw: str) -> str:
    text = raw.strip()
    if not text:
        return text
    parts = urlsplit(text)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username or parts.query:
        raise ValueError("must be an address like https://name.example")
    if parts.scheme == "http" and not is_local(text):
        raise ValueError("must begin with https://: plain http is for servers on this machine")
    return text


def _profile(raw: str) -> str:
    if raw and not re.fullmatch(r"[a-z][a-z_]{0,29}", raw):
        raise ValueError("must be a name of small letters, like driving or truck")
    return raw


def _webhook_address(raw: str) -> str:
    text = raw.strip()
    parts = urlsplit(text)
    if text and (parts.scheme not in ("https", "http") or not parts.hostname or parts.username or parts.fragment):
        # The text itself may hold a key.
        raise ValueError("must be an address like https://name.example/path")
    if parts.scheme == "http" and not is_local(text):
        raise ValueError("must begin with https://: plain http is for servers on this machine")
    if not text.isascii() or any(character.isspace() for character in text) or parts.port == 0:
        raise ValueError("must be an address like https://name.example/path")
    return text


def _webhook_secrets(raw: str) -> str:
    secrets = raw.split()
    for secret in secrets:
        try:
            key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
        except ValueError:
            key = b""
        if not secret.startswith(_SECRET_PREFIX) or not 24 <= len(key) <= 64:
            # The text itself is a secret.
            raise ValueError("must be whsec_ and 24 to 64 random bytes in base64")
    return " ".join(secrets)


def _connection_string(raw: str) -> str:
    text = raw.strip()
    if text in ("", "UseDevelopmentStorage=true"):
        return text
    parts = dict(part.partition("=")[::2] for part in text.rstrip(";").split(";"))
    if not ({"AccountName", "AccountKey"} <= parts.keys() and all(parts.values())):
        # The text itself is a secret.
        raise ValueError("must be a connection string with AccountName and AccountKey")
    return text


def is_local(address: str) -> bool:
    """Whether the address is one of this machine."""
    return urlsplit(address).hostname in ("localhost", "127.0.0.1", "::1")


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(raw: str) -> str:
        if raw not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return raw

    return parse


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(raw: str) -> int:
        if not raw.isdecimal() or not least <= int(raw) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(raw)

    return parse


TABLE: tuple[Setting, ...] = (
    Setting(
        "auth",
        "DOM_AUTH",
        _one_of(KEYS, ENTRA),
        KEYS,
        "Who may call: whoever has a function key, or whoever Entra ID gives a role.",
    ),
    Setting(
        "store",
        "DOM_STORE",
        _one_of("sqlite", "azure"),
        "sqlite",
        "Where configuration, orders, plans and queues are kept: a file, or Cosmos DB and Azure Storage.",
    ),
    Setting("store_path", "DOM_STORE_PATH", _text, "var/dom.sqlite3", "The file of the embedded store."),
    Setting(
        "cosmos_endpoint",
        "DOM_COSMOS_ENDPOINT",
        _address,
        "",
        "The Cosmos DB account, `https://…`. Plain `http` only on this machine.",
    ),
    Setting("cosmos_database", "DOM_COSMOS_DATABASE", _text, "dom", "The database in that account."),
    Setting(
        "cosmos_key",
        "DOM_COSMOS_KEY",
        _text,
        "",
        "The key of a Cosmos DB server on this machine. In Azure the app's identity is used.",
    ),
    Setting(
        "storage_connection",
        "AzureWebJobsStorage",
        _connection_string,
        "",
        "The connection string of queues and blobs, for Azurite. In Azure the app's identity is used.",
    ),
    Setting(
        "storage_queue_uri",
        "AzureWebJobsStorage__queueServiceUri",
        _address,
        "",
        "The queues of the storage account, `https://….queue.core.windows.net`, for the app's identity.",
    ),
    Setting(
        "storage_blob_uri",
        "AzureWebJobsStorage__blobServiceUri",
        _address,
        "",
        "The blobs of the storage account, `https://….blob.core.windows.net`, for orders too large for a message.",
    ),
    Setting("orders_queue", "DOM_ORDERS_QUEUE", _text, "orders", "The queue from which orders are collected."),
    Setting("runs_queue", "DOM_RUNS_QUEUE", _text, "plan-runs", "The queue of runs that somebody asked for by HTTP."),
    Setting(
        "plan_tasks_queue",
        "DOM_PLAN_TASKS_QUEUE",
        _text,
        "plan-tasks",
        "The queue of parts of large runs, for whichever machine takes them.",
    ),
    Setting(
        "plan_tasks_above_lines",
        "DOM_PLAN_TASKS_ABOVE_LINES",
        _whole(0, 100_000_000),
        "0",
        "Runs of more lines than this are spread over many machines; 0: none is.",
    ),
    Setting(
        "assignments_queue",
        "DOM_ASSIGNMENTS_QUEUE",
        _text,
        "assignments",
        "The queue in which sources find what is assigned to them.",
    ),
    Setting(
        "webhooks_queue",
        "DOM_WEBHOOKS_QUEUE",
        _text,
        "webhooks",
        "The queue of webhooks that are still to be posted.",
    ),
    Setting(
        "outbox_schedule",
        "DOM_OUTBOX_SCHEDULE",
        _text,
        "0 */5 * * * *",
        "When assignments that could not be sent at once are sent: NCRONTAB with seconds, UTC.",
    ),
    Setting(
        "webhook_url",
        "DOM_WEBHOOK_URL",
        _webhook_address,
        "",
        "Where assignments are posted too, `https://…`. Plain `http` only on this machine.",
    ),
    Setting(
        "webhook_secret",
        "DOM_WEBHOOK_SECRET",
        _webhook_secrets,
        "",
        "What webhooks are signed with, `whsec_…`: one, or the old and the new one with a space between. A Key Vault "
        "reference in the cloud.",
    ),
    Setting(
        "plan_schedule",
        "DOM_PLAN_SCHEDULE",
        _text,
        "0 */15 * * * *",
        "When due strategies run: NCRONTAB with seconds, UTC.",
    ),
    Setting(
        "cleanup_schedule",
        "DOM_CLEANUP_SCHEDULE",
        _text,
        "0 30 3 * * *",
        "When old plans, runs and dead letters are removed: NCRONTAB with seconds, UTC.",
    ),
    Setting(
        "solver",
        "DOM_SOLVER",
        _one_of("cbc", "highs"),
        "cbc",
        "What solves the models: CBC, which is there, or HiGHS, which must be installed (`highspy`).",
    ),
    Setting(
        "geocoder",
        "DOM_GEOCODER",
        _one_of("offline", "nominatim", "azure_maps"),
        "offline",
        "Who finds addresses that come without coordinates, after the offline tables.",
    ),
    Setting(
        "nominatim_url",
        "DOM_NOMINATIM_URL",
        _address,
        "https://nominatim.openstreetmap.org",
        "The Nominatim server, when it is the geocoder.",
    ),
    Setting(
        "azure_maps_key",
        "DOM_AZURE_MAPS_KEY",
        _text,
        "",
        "The Azure Maps key, when that finds addresses or distances. A Key Vault reference in the cloud.",
    ),
    Setting(
        "distances",
        "DOM_DISTANCES",
        _one_of("great_circle", "osrm", "valhalla", "azure_maps"),
        "great_circle",
        "Who measures distances for strategies that go by road; `great_circle`: nobody.",
    ),
    Setting("osrm_url", "DOM_OSRM_URL", _address, "http://127.0.0.1:5000", "The OSRM server, when it measures."),
    Setting(
        "valhalla_url", "DOM_VALHALLA_URL", _address, "http://127.0.0.1:8002", "The Valhalla server, when it measures."
    ),
    Setting(
        "road_profile",
        "DOM_ROAD_PROFILE",
        _profile,
        "",
        "The vehicle, as the engine names it. Empty: a car (`driving`, `auto`, `driving`).",
    ),
    Setting(
        "road_within_km",
        "DOM_ROAD_WITHIN_KM",
        _whole(1, 20_000),
        "400",
        "Ways longer than this along the great circle are not measured but estimated.",
    ),
    Setting(
        "road_circuity_percent",
        "DOM_ROAD_CIRCUITY_PERCENT",
        _whole(100, 300),
        "130",
        "How long a way by road is estimated to be, in percent of the great circle.",
    ),
    Setting(
        "road_cells",
        "DOM_ROAD_CELLS",
        _whole(1, 10_000_000),
        "100000",
        "The most ways that one run asks for; the nearest first, the rest in later runs.",
    ),
    Setting(
        "road_cache_days",
        "DOM_ROAD_CACHE_DAYS",
        _whole(1, 365),
        "30",
        "Days for which a measured distance is used again.",
    ),
    Setting(
        "requests_at_once",
        "DOM_REQUESTS_AT_ONCE",
        _whole(1, 64),
        "8",
        "Requests that a run makes to Cosmos DB at the same time.",
    ),
    Setting(
        "lease_s",
        "DOM_LEASE_S",
        _whole(10, 3600),
        "60",
        "Seconds for which a run that no longer shows life keeps others from planning.",
    ),
    Setting(
        "plan_expiry_h",
        "DOM_PLAN_EXPIRY_H",
        _whole(1, 8760),
        "24",
        "Hours for which a proposed plan waits to be approved.",
    ),
    Setting(
        "plan_retention_days",
        "DOM_PLAN_RETENTION_DAYS",
        _whole(1, 3650),
        "30",
        "Days for which plans and runs are kept; longer while a line is assigned by the plan.",
    ),
    Setting(
        "dead_letter_retention_days",
        "DOM_DEADLETTER_RETENTION_DAYS",
        _whole(1, 3650),
        "30",
        "Days for which dead letters are kept.",
    ),
    Setting(
        "max_body_bytes",
        "DOM_MAX_BODY_BYTES",
        _whole(1024, 100_000_000),
        "1000000",
        "The largest HTTP body that is read.",
    ),
    Setting(
        "requests_per_minute",
        "DOM_REQUESTS_PER_MINUTE",
        _whole(0, 1_000_000),
        "6000",
        "HTTP requests that each caller may send to one instance; 0 limits nobody.",
    ),
    Setting(
        "watch_schedule",
        "DOM_WATCH_SCHEDULE",
        _text,
        "0 */5 * * * *",
        "When the age of the oldest message in each queue is logged: NCRONTAB with seconds, UTC.",
    ),
    Setting(
        "telemetry",
        "DOM_TELEMETRY",
        _one_of("off", "otlp", "azure_monitor"),
        "off",
        "Where traces and metrics go: nowhere, to a collector by OTLP, or to Application Insights. Events are always "
        "logged.",
    ),
)


def from_environment(environment: Mapping[str, str]) -> Settings:
    """The settings that these variables give. Raises InvalidInput naming every bad variable."""
    values: dict[str, Any] = {}
    problems = []
    for setting in TABLE:
        try:
            values[setting.field] = setting.parse(environment.get(setting.variable, setting.default))
        except ValueError as error:
            problems.append(Problem(setting.variable, str(error)))
    if not problems:
        settings = Settings(**values)
        problems = _contradictions(settings)
    if problems:
        raise InvalidInput(problems, "settings")
    return settings


def _contradictions(settings: Settings) -> list[Problem]:
    """Settings that are well-formed each and wrong together."""
    problems = []
    if settings.store == "azure" and not settings.cosmos_endpoint:
        problems.append(Problem("DOM_COSMOS_ENDPOINT", "is needed with DOM_STORE=azure"))
    if settings.store == "azure" and not settings.storage_connection:
        accounts = {"queue": settings.storage_queue_uri, "blob": settings.storage_blob_uri}
        problems += [
            Problem(f"AzureWebJobsStorage__{service}ServiceUri", "is needed with DOM_STORE=azure")
            for service, address in accounts.items()
            if not address
        ]
    if settings.cosmos_key and settings.cosmos_endpoint and not is_local(settings.cosmos_endpoint):
        problems.append(Problem("DOM_COSMOS_KEY", "is for servers on this machine; elsewhere the identity is used"))
    if settings.webhook_url and not settings.webhook_secret:
        problems.append(
            Problem("DOM_WEBHOOK_SECRET", "is needed with DOM_WEBHOOK_URL: nobody believes unsigned messages")
        )
    return problems


def platform_authenticates(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the platform says that it authenticates callers, and so that its principal header is its own."""
    return environment.get("WEBSITE_AUTH_ENABLED", "").lower() == "true"


def needs_function_key(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the host asks callers for a function key. Without Entra ID always, a malformed setting included."""
    return environment.get("DOM_AUTH", KEYS) != ENTRA


def debugging(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the command line shows tracebacks: DOM_DEBUG is set to anything but nothing and 0."""
    return environment.get("DOM_DEBUG", "") not in ("", "0")
