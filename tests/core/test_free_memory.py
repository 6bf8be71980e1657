from __future__ import annotations

import platform
import subprocess
import sys

import pytest

SCRIPT = """
import numpy as np
from exemplars.core.free_memory import return_free_memory

def read_resident_megabytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 // 2**20

def use_memory():
    blocks = [np.ones(2**18) for _ in range(20)]  # Of 2 MB.
    rest = np.ones(100)
    del blocks
    return rest

np.ones(2**22 - 2**10)  # From now on the C library keeps blocks of less than 32 MB.
before = read_resident_megabytes()
rests = [use_memory()]
kept = read_resident_megabytes()
return_free_memory()
returned = read_resident_megabytes()
rests.append(use_memory())
print(kept - before, returned - before, read_resident_megabytes() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries do not keep free memory")
def test_free_blocks_are_returned_now_and_later() -> None:
    result = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    kept, returned, later = map(int, result.stdout.split())
    assert kept >= 30
    assert returned <= 5
    assert later <= 5
