"""The journal in the formats of other tools, an entry at a time. Secrets were never in it and are in none of them."""
