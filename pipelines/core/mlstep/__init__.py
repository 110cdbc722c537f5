"""The run-time plane: steps, their contract, and what runs them.

Importing this package costs nothing; heavy libraries are imported inside the functions that need them.
"""

__version__ = "0.1.0"
