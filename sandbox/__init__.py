"""A stand-in for the Jushuitan open API: purchase-in documents, deterministic, with faults on request."""
