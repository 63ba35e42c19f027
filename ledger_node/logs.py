"""How a node logs: text for people or JSON for collectors, to standard error, without colours unless a person looks."""

from __future__ import annotations

import logging
import sys
from typing import Literal


def configure(
    form: Literal["text", "json"] = "text", level: Literal["debug", "info", "warning", "error"] = "info"
) -> None:
    """Log from here on in this form, and nothing below this level.

    JSON is one object a line, with `timestamp` (UTC), `level` and `event`.
    """
    import structlog  # here, since its import sets up logs by this very function

    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # structlog's own choice shows the variables of every frame: salts, keys and documents have no place in a log.
    if form == "json":
        processors += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    else:
        colours = sys.stderr.isatty()
        plain = structlog.dev.plain_traceback
        processors += [structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=plain)]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        # Standard output is a command's answer, which scripts read.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
