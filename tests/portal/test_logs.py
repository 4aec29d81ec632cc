"""Log lines hold no personal data, and nobody writes a line of their own into them."""

import io
import logging

import pytest

from portal.logs import Scrubbed

PRIVATE = "ana@example.com 4111 1111 1111 1111 DE89370400440532013000 +49 30 901820 password=hunter22"


@pytest.fixture
def lines():
    kept = io.StringIO()
    handler = logging.StreamHandler(kept)
    handler.setFormatter(Scrubbed())
    logger = logging.getLogger("tests.logs")
    logger.addHandler(handler)
    logger.propagate = False
    yield lambda: kept.getvalue().splitlines()
    logger.removeHandler(handler)


def test_a_message_loses_what_is_personal_and_keeps_the_rest(lines) -> None:
    logging.getLogger("tests.logs").warning("run %s of order #W1234567 wrote %s", 12, PRIVATE)
    (line,) = lines()
    assert "run 12 of order #W1234567 wrote [EMAIL] [CARD] [IBAN] [PHONE] password=[SECRET]" in line
    assert "WARNING tests.logs" in line


def test_a_traceback_loses_it_too_and_forges_no_line(lines) -> None:
    try:
        raise ValueError(f"{PRIVATE}\n2026-01-01 00:00:00,000 INFO root 'all is well' \x1b[2J")
    except ValueError:
        logging.getLogger("tests.logs").exception("it broke\nINFO root 'all is well'")
    found = lines()
    text = "\n".join(found)
    for value in ("ana@example.com", "4111", "DE89", "901820", "hunter22", "\x1b"):
        assert value not in text
    assert "it broke\\nINFO root" in found[0]
    assert all(line.startswith("    ") for line in found[1:])
    assert "ValueError" in text
    assert "test_logs.py" in text


def test_it_is_the_form_of_every_line_of_a_process() -> None:
    assert any(isinstance(handler.formatter, Scrubbed) for handler in logging.getLogger().handlers)
