"""Structured logs on stderr, in which no VIN can be read, and no address that opens a card."""

import logging
import re
import sys
from typing import Any, Final

import structlog
from structlog.typing import EventDict, Processor

_VIN_CHARACTER: Final = "[A-HJ-NPR-Z0-9]"
_VIN: Final = re.compile(
    rf"(?<![A-Za-z0-9])({_VIN_CHARACTER}{{3}}){_VIN_CHARACTER}{{10}}({_VIN_CHARACTER}{{4}})"
    r"(?![A-Za-z0-9])"
)
_CARD: Final = re.compile(r"/card/[A-Za-z0-9_\-]+")


def masked(text: str) -> str:
    """Return the text with VINs cut to maker and last four characters, and no card's secret."""
    return _CARD.sub("/card/…", _VIN.sub(r"\1**********\2", text))


def set_up_logs(form: str, level: str) -> None:
    """Configure our own and the libraries' logs alike: times, masked VINs, `form` text or json."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _mask_all,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    last: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.PositionalArgumentsFormatter(), *shared],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _mask_all, last],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    logging.getLogger("kafka").setLevel(max(logging.WARNING, root.level))


def _mask_all(_logger: Any, _name: str, event: EventDict) -> EventDict:
    return {name: _mask(value) for name, value in event.items()}


def _mask(value: Any) -> Any:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, dict):
        return {_mask(name): _mask(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mask(item) for item in value]
    return value
