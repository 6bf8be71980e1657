"""Used by every stage: errors, files, parameters, records, schemas, tables, ids, the ledger."""

from exemplars.core.memory import choose_arrow_pool
from exemplars.core.threads import limit_spinning

# Here, since every stage and command imports this package before torch and pyarrow.
limit_spinning()
choose_arrow_pool()
