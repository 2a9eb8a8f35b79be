"""Pauses by the machine's time."""

import time


class SystemPauses:
    """Sleeps."""

    def pause(self, seconds: float) -> None:
        """Do nothing for so long."""
        time.sleep(seconds)
