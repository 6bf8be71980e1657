"""Used by every stage: errors, files, parameters, records, schemas, tables, ids, the ledger."""

from exemplars.core.threads import limit_spinning

limit_spinning()  # Here, since every stage and command imports this package before torch.
