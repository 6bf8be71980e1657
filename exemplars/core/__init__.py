"""Shared by all stages: errors, files, parameters, records, schemas, tables, ids, the ledger."""
