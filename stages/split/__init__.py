"""What may a model see? Exemplars in train, validation and test, torn apart at no group."""
