"""What a training takes, estimated before it begins: memory and time."""
