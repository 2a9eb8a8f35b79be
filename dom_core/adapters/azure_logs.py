"""What Azure's SDKs may log."""

import logging


def only_warnings() -> None:
    """Unless somebody set another level: by default the SDKs log the headers of every request and answer."""
    logger = logging.getLogger("azure")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.WARNING)
