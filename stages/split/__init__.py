"""What may a model see? Assigns whole groups to train, validation and test, without leaks."""
