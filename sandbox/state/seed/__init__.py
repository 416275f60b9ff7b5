"""The seed: the content of a sandbox when it starts, read from YAML files or given as Python data.

``load_seed`` reads files, ``parse_seed`` takes data, ``demo_seed`` is the default. Each returns a frozen ``Seed`` that
keeps every rule of the format, or raises ``SeedError``, which names each wrong place. ``seed.schema.json`` is the
format.
"""

from sandbox.state.seed.load import (
    SeedSource,
    SeedText,
    demo_seed,
    demo_seed_file,
    extended_seed,
    load_seed,
    parse_seed,
    read_seed,
)
from sandbox.state.seed.model import ClientSeed, CompanySeed, ConnectorSeed, EntitySeed, PresetSeed, Seed, ServiceSeed

__all__ = [
    "ClientSeed",
    "CompanySeed",
    "ConnectorSeed",
    "EntitySeed",
    "PresetSeed",
    "Seed",
    "SeedSource",
    "SeedText",
    "ServiceSeed",
    "demo_seed",
    "demo_seed_file",
    "extended_seed",
    "load_seed",
    "parse_seed",
    "read_seed",
]
