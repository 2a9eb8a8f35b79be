"""The function app as the host loads it: every blueprint, and nothing else."""

import azure.functions as func

from dom_core.settings import needs_function_key
from functions import (
    assignments,
    cleaning,
    configuration,
    dead_letters,
    health,
    lines,
    orders,
    planning,
    plans,
    watching,
)

# The host reads the level when it indexes the app. With Entra ID the platform signs callers in before the host sees
# them, and functions/authorization.py lets nobody past without a role.
level = func.AuthLevel.FUNCTION if needs_function_key() else func.AuthLevel.ANONYMOUS

app = func.FunctionApp(http_auth_level=level)
for subject in (orders, lines, planning, plans, assignments, configuration, dead_letters, cleaning, watching, health):
    app.register_blueprint(subject.bp)
