"""The payroll export as jobs."""
