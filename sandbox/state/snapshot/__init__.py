"""A sandbox as one document: the values its parts hand over, and how these are written as JSON and read back.

Each part (clock, store, token book …) gives a frozen value of ``shapes`` by ``snapshot()`` and takes one by
``restore()``; nobody reaches into another's tables. ``codec`` turns the whole into JSON and back, ``schema`` is what a
document is held against before anything is made of it.
"""
