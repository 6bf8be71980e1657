"""The links of the chain from raw files to reports, and what holds each of them to the next."""
