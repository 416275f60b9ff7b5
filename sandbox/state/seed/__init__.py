"""The seed: what a sandbox holds when it starts, read from YAML files or given as Python data.

:func:`load_seed` reads files, :func:`parse_seed` takes data, :func:`demo_seed` is what runs without
configuration. All return a frozen :class:`Seed` in which every rule of the format holds, or raise
:class:`~sandbox.foundation.errors.SeedError` naming each place that is wrong. ``seed.schema.json`` is the format.
"""

from sandbox.state.seed.load import demo_seed, demo_seed_file, load_seed, parse_seed
from sandbox.state.seed.model import ClientSeed, CompanySeed, ConnectorSeed, EntitySeed, PresetSeed, Seed, ServiceSeed

__all__ = [
    "ClientSeed",
    "CompanySeed",
    "ConnectorSeed",
    "EntitySeed",
    "PresetSeed",
    "Seed",
    "ServiceSeed",
    "demo_seed",
    "demo_seed_file",
    "load_seed",
    "parse_seed",
]
