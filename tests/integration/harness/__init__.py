"""Real servers and the real programs, for the integration tests, the demo and the bench.

paths     where things are           ports    free ports              waiting  bounded waits
process   one started program        kafka    a private broker        database MariaDB or MySQL
sandbox   the stand-in for the API   pipe     extractor, transformer, loader with the right options
oracle    the rows that the table must hold
tables    many small pipelines in one loader, for what tables, rows and servers do to it
"""
