"""What a dataset is made of: catalog, templates, recognizers, texts, row tables, embeddings."""
