"""The library that the stages share, and the `exemplars` command."""
