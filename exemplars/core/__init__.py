"""Used by every stage: errors, files, parameters, records, schemas, tables, ids, the ledger."""
