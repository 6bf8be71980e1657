"""The exemplar compiler: one package a DVC stage, and what they share in `stages.core`."""
