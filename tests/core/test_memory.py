from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import PROJECT

POOL = "import stages.split.__main__, pyarrow; print(pyarrow.default_memory_pool().backend_name)"
READ_PAGES = """
import numpy as np
from exemplars.core.memory import return_freed_pages, return_large_blocks

def read_pages():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1])
"""
TRIMMED = """
lists = [[None] * 100 for _ in range(100_000)]  # Of 856 bytes.
held, last = read_pages(), lists[-1]
del lists
kept = read_pages()
return_freed_pages()
print(held - kept < 2**12, kept - read_pages() > 2**13)
"""
FREED = """
return_large_blocks()
np.ones(2**21)  # From here on, glibc would take blocks of up to 16 MB from what it has, and keep them.
before = read_pages()
blocks = [(np.ones(2**17), bytes(4096)) for _ in range(40)]
small = [text for _, text in blocks]
held = read_pages() - before
del blocks
print(held >= 40 * 256, read_pages() - before < 4 * 256)
"""


def run_python(code: str, **variables: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "ARROW_DEFAULT_MEMORY_POOL"}
    environment |= {"PYTHONPATH": str(PROJECT), **variables}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_arrow_uses_the_allocator_of_the_system_unless_the_user_says_otherwise() -> None:
    assert run_python(POOL) == "system\n"
    assert run_python(POOL, ARROW_DEFAULT_MEMORY_POOL="mimalloc") == "mimalloc\n"


@pytest.mark.skipif(sys.platform != "linux", reason="glibc has the setting")
def test_large_blocks_that_are_freed_go_back_to_the_system() -> None:
    assert run_python(READ_PAGES + FREED) == "True True\n"


@pytest.mark.skipif(sys.platform != "linux", reason="glibc keeps small blocks that are freed")
def test_small_blocks_that_are_freed_go_back_when_asked_for() -> None:
    assert run_python(READ_PAGES + TRIMMED) == "True True\n"
