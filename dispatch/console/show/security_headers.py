"""The headers that tell a browser what a page may do: the Content-Security-Policy of every page."""

from typing import Final

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
}
