"""The bench's parts: world (servers and rows), contestants, peers, measure, report."""
