"""The function app as the host loads it: every blueprint, and nothing else."""

import azure.functions as func

from functions import cleaning, configuration, dead_letters, health, lines, orders, planning, plans

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
for subject in (orders, lines, planning, plans, configuration, dead_letters, cleaning, health):
    app.register_blueprint(subject.bp)
