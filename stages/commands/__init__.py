"""The commands of `exemplars`, one module a command. They may use the pure functions of any stage."""
