"""Signing, promoting, rolling back: the only code that moves a champion. It runs as the identity `promote`."""
