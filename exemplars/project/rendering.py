"""The templates of a new project's files, which come with the package."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import jinja2


def read_template(name: str) -> str:
    """Read a file of the templates as it is."""
    return (files("exemplars") / "project" / "templates" / name).read_text("utf-8")


def render_template(name: str, /, **values: Any) -> str:
    """Render a template; a value that it names and `values` does not have is an error."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    return environment.from_string(read_template(name)).render(**values)
