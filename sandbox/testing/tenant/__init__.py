"""A company of one's own in a sandbox that others use at the same time: a backend that sees and touches only that."""
