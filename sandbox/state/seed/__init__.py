"""The seed: the content of a sandbox when it starts, read from YAML files or given as Python data.

``load_seed`` reads files, ``parse_seed`` takes data, ``demo_seed`` is the default. Each returns a frozen ``Seed`` that
keeps every rule of the format, or raises ``SeedError``, which names each wrong place. ``seed.schema.json`` is the
format.
"""

from sandbox.state.seed.load import SeedSource as SeedSource
from sandbox.state.seed.load import SeedText as SeedText
from sandbox.state.seed.load import demo_seed as demo_seed
from sandbox.state.seed.load import demo_seed_file as demo_seed_file
from sandbox.state.seed.load import extended_seed as extended_seed
from sandbox.state.seed.load import load_seed as load_seed
from sandbox.state.seed.load import parse_seed as parse_seed
from sandbox.state.seed.load import read_seed as read_seed
from sandbox.state.seed.model import ClientSeed as ClientSeed
from sandbox.state.seed.model import CompanySeed as CompanySeed
from sandbox.state.seed.model import ConnectorSeed as ConnectorSeed
from sandbox.state.seed.model import EntitySeed as EntitySeed
from sandbox.state.seed.model import PresetSeed as PresetSeed
from sandbox.state.seed.model import Seed as Seed
from sandbox.state.seed.model import ServiceSeed as ServiceSeed
