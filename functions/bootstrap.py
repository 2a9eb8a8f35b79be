"""From settings to ports: once a process, at the first use, whichever thread comes first."""

import os
from contextlib import ExitStack
from threading import Lock
from typing import TYPE_CHECKING

from dom_core.errors import DomError, InvalidInput

if TYPE_CHECKING:
    from dom_core.settings import Settings
    from dom_core.use_cases.context import Ports
    from functions.rates import Buckets


class Misconfigured(DomError):
    """The app's own settings are wrong. Only its operator can help, so callers are told nothing of it."""


class _Process:
    """What this process serves from."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._opened = ExitStack()
        self._ports: Ports | None = None
        self._buckets: Buckets | None = None

    def ports(self) -> "Ports":
        with self._lock:
            if self._ports is None:
                self._ports = _from_environment(self._opened)
            return self._ports

    def buckets(self) -> "Buckets":
        ports = self.ports()
        with self._lock:
            if self._buckets is None:
                self._buckets = _make_buckets(ports)
            return self._buckets

    def use(self, ports: "Ports | None") -> None:
        with self._lock:
            self._opened.close()
            self._ports = ports
            self._buckets = None


_process = _Process()


def ports() -> "Ports":
    """The ports of this process, made at the first call. A failed attempt is repeated. Raises Misconfigured."""
    return _process.ports()


def buckets() -> "Buckets":
    """Who has sent how many requests to this process. Empty again with other ports. Raises Misconfigured."""
    return _process.buckets()


def use(ports: "Ports | None") -> None:
    """Serve from these ports; what was opened for those before is closed. None: from the settings, at the next call."""
    _process.use(ports)


def _make_buckets(ports: "Ports") -> "Buckets":
    from functions.rates import Buckets

    return Buckets(ports.settings.requests_per_minute, ports.clock.now)


def _from_environment(opened: ExitStack) -> "Ports":
    from dom_core import settings

    try:
        return _connect(settings.from_environment(os.environ), opened)
    except InvalidInput as error:
        raise Misconfigured(str(error)) from error


def _connect(settings: "Settings", opened: ExitStack) -> "Ports":
    from dom_core.adapters import distances, geocoding, storage, telemetry, webhook
    from dom_core.adapters.clock import SystemClock
    from dom_core.adapters.pauses import SystemPauses
    from dom_core.adapters.pulse import ThreadPulse
    from dom_core.optimizer.solvers import solver_named
    from dom_core.use_cases.context import Ports

    clock, geocoder = SystemClock(), geocoding.from_settings(settings)
    watch = opened.enter_context(telemetry.opened(settings))
    kept = opened.enter_context(storage.opened(settings, clock, charges=watch))
    return Ports(
        store=kept.documents,
        queues=kept.queues,
        blobs=kept.blobs,
        clock=clock,
        geocoder=geocoder,
        settings=settings,
        solver=solver_named(settings.solver),
        pulse=ThreadPulse(),
        pauses=SystemPauses(),
        roads=distances.from_settings(settings),
        telemetry=watch,
        webhook=webhook.from_settings(settings),
    )
