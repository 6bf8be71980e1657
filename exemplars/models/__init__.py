"""Language models: base models, chat templates, chat rows, calls as text, manifests."""
