"""Does the dataset keep its contract? Runs the expectation suites, and fails if a critical one is broken."""
