from __future__ import annotations

import pytest

from exemplars.core.errors import UserError, quote_text
from exemplars.core.licenses import check_expressions, list_alternatives, list_licenses


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("Apache-2.0", ({"Apache-2.0"},)),
        ("apache-2.0", ({"Apache-2.0"},)),
        ("GPL-2.0+", ({"GPL-2.0-or-later"},)),
        ("LicenseRef-acme", ({"LicenseRef-acme"},)),
        ("MIT OR CC-BY-4.0 AND ODbL-1.0", ({"MIT"}, {"CC-BY-4.0", "ODbL-1.0"})),
        ("(MIT OR Apache-2.0) AND CC0-1.0", ({"MIT", "CC0-1.0"}, {"Apache-2.0", "CC0-1.0"})),
        (
            "GPL-2.0-or-later WITH Classpath-exception-2.0",
            ({"GPL-2.0-or-later WITH Classpath-exception-2.0"},),
        ),
    ],
)
def test_an_expression_is_parsed_into_its_alternatives(expression: str, expected: tuple[set[str]]) -> None:
    assert list_alternatives(expression) == expected


def test_the_licenses_of_an_expression_are_listed_without_repetition() -> None:
    assert list_licenses("MIT OR (CC-BY-4.0 AND MIT)") == ("CC-BY-4.0", "MIT")


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("Apache 2.0", "'Apache 2.0' is not an SPDX identifier; did you mean 'Apache-2.0'?"),
        ("CC-BY-40", "'CC-BY-40' is not an SPDX identifier; did you mean 'CC-BY-4.0'?"),
        (
            "Apache 2.0 OR CC-BY-40",
            "'Apache 2.0' is not an SPDX identifier; did you mean 'Apache-2.0 OR CC-BY-4.0'?",
        ),
        ("(MIT OR X11) AND " * 40 + "MIT", "it has 683 characters, more than 200"),
        ("NONE", "'NONE' is not an SPDX identifier"),
        ("", "it is empty"),
        ("MIT AND", "AND requires two or more licenses as in: MIT AND BSD"),
        ("MIT OR (Apache-2.0", "Invalid expression"),
    ],
)
def test_an_invalid_expression_is_reported_with_its_key(expression: str, reason: str) -> None:
    with pytest.raises(UserError, match="invalid_license") as caught:
        check_expressions({"ingest.sources.a.license": expression, "ingest.sources.b.license": "MIT"})
    [problem] = caught.value.diagnostics
    assert problem.found == f"ingest.sources.a.license is {quote_text(expression)}: {reason}"
    assert "LicenseRef-<name>" in problem.fix


def test_all_invalid_expressions_are_reported_at_once() -> None:
    with pytest.raises(UserError, match="is not an SPDX") as caught:
        check_expressions({"first": "Apache 2", "second": "CC-BY-5.0"})
    assert len(caught.value.diagnostics) == 2
