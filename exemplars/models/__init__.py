"""Language models: base models, chat templates, calls as text, run manifests."""
