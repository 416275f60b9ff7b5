"""What everything else stands on: errors, time, randomness, JSON, YAML, files and settings. Knows no request."""
