from __future__ import annotations

import pytest

from exemplars.core.errors import UserError
from exemplars.core.names import check_name


@pytest.mark.parametrize("name", ["a", "7", "my-bots_2"])
def test_a_name_is_returned_unchanged(name: str) -> None:
    assert check_name(name, "source") == name


@pytest.mark.parametrize(
    "name", ["", "A", "a b", "a.b", "a@b", "a\n", "a\0", "-a", "_a", "../a", "é", "a;b", "$(a)"]
)
def test_what_a_shell_or_a_path_could_read_as_something_else_is_refused(name: str) -> None:
    with pytest.raises(UserError) as caught:
        check_name(name, "source")
    assert str(caught.value) == (
        f"params.yaml: invalid_name: found the source {name!r}, expected at most 100 of the characters a-z, "
        "0-9, _ and -, with a letter or digit at the beginning; rename the source in params.yaml"
    )
