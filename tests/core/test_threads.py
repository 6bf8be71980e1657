from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import PROJECT

CODE = "import stages.train.__main__, os; print(os.environ['GOMP_SPINCOUNT'])"


@pytest.mark.parametrize(("given", "expected"), [(None, "1000"), ("0", "0")])
def test_threads_spin_briefly_unless_the_user_says_otherwise(given: str | None, expected: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    environment |= {"PYTHONPATH": str(PROJECT), **({} if given is None else {"GOMP_SPINCOUNT": given})}
    done = subprocess.run(
        [sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{expected}\n"
