"""How fast the sandbox is, measured side by side with its peers: ``make bench``, or ``python -m benchmarks --help``.

``measures`` has one module for each measure, ``peers`` a class for each contestant; the rest is what they share.
"""
