"""The journal in the formats of other tools, written entry by entry."""
