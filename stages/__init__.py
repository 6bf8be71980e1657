"""The stages of the pipeline, one package per stage of `dvc.yaml`."""
