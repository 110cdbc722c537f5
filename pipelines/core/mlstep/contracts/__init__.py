"""Data contracts: what rows must look like, what each column is for, and whether rows comply."""

from mlstep.contracts.model import Column, DataContract, Rule
from mlstep.contracts.parse import read_contract

__all__ = ["Column", "DataContract", "Rule", "read_contract"]
