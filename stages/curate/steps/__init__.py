"""The steps of the stage, a module each; `stages.curate.curation.STEPS` has their order."""
