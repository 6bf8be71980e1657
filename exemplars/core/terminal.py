"""Text for people: nothing in it may steer the terminal, change the order of its signs, or forge a line.

All output for people passes through here; `print` is called nowhere else.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Iterable
from typing import Final, TextIO

_CONTROLS: Final = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 and C1, which begin the commands of terminals.
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # Changes of the direction of writing.
    r"\u2028\u2029\ufff9-\ufffb\U000e0000-\U000e0fff"  # Separators, annotations and tags, which nobody sees.
    r"\ud800-\udfff"  # Halves of a character, which cannot be encoded.
)
_IN_TEXT: Final = re.compile(f"[{_CONTROLS}]")
_IN_LINE: Final = re.compile(f"[{_CONTROLS}\\n\\t]")
_NAMES: Final = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def escape_controls(text: str) -> str:
    r"""Escape what a terminal obeys or hides; newlines and tabs stay.

    >>> escape_controls("a\x1b[2J b\u202ec\n")
    'a\\x1b[2J b\\u202ec\n'
    """
    return _IN_TEXT.sub(_escape, text)


def escape_line(line: str) -> str:
    r"""Escape what a terminal obeys or hides, newlines and tabs too, so that a text stays within its line.

    >>> escape_line("a\nforged: ok")
    'a\\nforged: ok'
    """
    return _IN_LINE.sub(_escape, line)


def print_text(text: str) -> None:
    """Print a text of lines to the standard output, with `escape_controls`. The text ends with a newline."""
    _write(sys.stdout, escape_controls(text))


def print_line(line: str) -> None:
    """Print a line to the standard output, with `escape_line`."""
    _write(sys.stdout, escape_line(line) + "\n")


def print_errors(lines: Iterable[str]) -> None:
    """Print lines to the standard error stream, with `escape_line`, at once, if it takes them."""
    with contextlib.suppress(OSError):
        _write(sys.stderr, "".join(f"{escape_line(line)}\n" for line in lines))
        sys.stderr.flush()


def prepare_streams() -> None:
    """Make the standard streams take any text, and replace closed ones, so that no output can fail.

    What the encoding of a stream does not have is printed as an escape. The numbers of closed streams are taken,
    so that no file that is opened later receives what is meant for them.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # The lowest number that is free: this one.
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def _write(stream: TextIO, text: str) -> None:
    stream.write(text)


def _escape(match: re.Match[str]) -> str:
    sign = match[0]
    code = ord(sign)
    if sign in _NAMES:
        return _NAMES[sign]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
