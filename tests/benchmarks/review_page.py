"""The page of `exemplars review` on 100,000 rows: seconds of each filter, and the memory of the server.

Run it: `python -m tests.benchmarks.review_page`. The goals are 0.5 s and 300 MB.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tests.review.projects import write_large_project
from tests.review.serving import ProcessServer, ask
from tests.review.test_large_dataset import FILTERS, ROWS, peak_memory


def main() -> None:
    """Measure, and print a line for each filter."""
    with tempfile.TemporaryDirectory() as folder:
        write_large_project(Path(folder), ROWS)
        server = ProcessServer(Path(folder))
        try:
            ask(server.address, "rows")  # Starts the server and reads the index.
            for query, _ in FILTERS:
                begin = time.perf_counter()
                found = ask(server.address, "rows", **query)
                print(f"{time.perf_counter() - begin:5.3f} s, {found['total']:7,} rows: {query or 'all'}")
            print(f"the server: {peak_memory(server.process.pid) / 1e6:.0f} MB")
        finally:
            server.kill()


if __name__ == "__main__":
    main()
