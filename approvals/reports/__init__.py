"""The report of a write: for whoever owns the business, as a page and as JSON, from one assembled value."""

from approvals.reports.assembling import Reader, of
from approvals.reports.forms import Report

__all__ = ["Reader", "Report", "of"]
