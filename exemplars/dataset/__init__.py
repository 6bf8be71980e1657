"""The parts of a dataset: catalog, templates, recognizers, texts, row tables, embeddings."""
