"""The same numbers everywhere? All backends with the same weights and inputs, compared."""

from dlspec.runtime.verify.report import Check, Report
from dlspec.runtime.verify.run import verify

__all__ = ["Check", "Report", "verify"]
