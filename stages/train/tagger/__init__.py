"""The recipe `tagger`: training of `exemplars.models.tagger`."""
